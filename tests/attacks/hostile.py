"""One hostile archive for each idea that somebody could have; none may cost more than an error.

python tests/attacks/hostile.py     opens each with little memory and time, and tells what came of it
"""

import resource
import sys
from pathlib import Path

import zstandard
from forge import block, end, fields, index, model, start, summary

from isthmus.coding.canonical import canonical_json, unpack_tensors
from isthmus.coding.coder import encode
from isthmus.coding.container import ArchiveReader
from isthmus.coding.squeeze import squeeze
from isthmus.coding.tables import Table
from isthmus.coding.varints import write_varint
from isthmus.errors import IsthmusError

MEMORY_BYTES = 512 << 20  # beside what is in use before the first file
SECONDS = 60
HUGE = (1 << 63) - 1
ONE = fields()


def zeros(length):
    """zstd: many zeros in few bytes, and a frame that says how many."""
    return zstandard.ZstdCompressor(write_checksum=False).compress(bytes(length))


def claims(length):
    """A zstd frame that claims to hold so much, and holds nothing."""
    return b"\x28\xb5\x2f\xfd\xe0" + length.to_bytes(8, "little") + b"\x01\x00\x00"


def blocks(*told, between=None, content=None, **options):
    """An archive of blocks with those fields."""
    between = between or [0] * len(told)
    body = b"".join(block(f) for f in told)
    listed = index(list(zip(between, told, strict=True)))
    return end(start() + body, listed if content is None else content, **options)


def with_summary(told):
    return end(start() + block(ONE), index([(0, ONE)], told))


def with_model(packed):
    before = start() + block(ONE)
    part = model(packed)
    told = summary([len(before), len(part)])
    return end(before + part, index([(0, ONE)], told))


def packed_model(listing, coded=b"", head=None, raw=b""):
    told = {"document": {}, "tensors": listing}
    head = squeeze(canonical_json(told)) if head is None else head
    raw = squeeze(raw)
    return with_model(write_varint(len(head)) + head + write_varint(len(raw)) + raw + coded)


def cheap_symbols(count):
    """A coded array that holds so many equal numbers in a few bytes."""
    table = Table(0, [(1 << 24) - 1, 1])
    message = encode([([], table)])
    coded = b"\0" + write_varint(len(table.to_bytes())) + table.to_bytes() + message
    return packed_model([["a", "int8", [count], 1]], write_varint(len(coded)) + coded)


def other_generation(number):
    """A whole archive with bytes between the blocks that no generation left there."""
    first = start() + block(ONE)
    second = fields(runs=((1, 1),))
    listed = index([(0, ONE), (100, second)])
    return end(first + bytes(100) + block(second), listed, generation=number)


def own_footer_as_index():
    """The footer says that the index is the footer."""
    data = blocks(ONE)
    return end(data, b"", offset=len(data), squeezed=b"")


def deep(opening, closing, depth=400_000):
    return opening * depth + closing * depth


EVIL_HEADER = b'{"spec":NaN}'
HOSTILE = {
    "header of 4 GB": start()[:10] + b"\xff" * 4 + start()[14:],
    "header of nested lists": end(start(b'{"a":' + deep(b"[", b"]") + b"}"), index()),
    "header that is no object": end(start(b"[]"), index(told=summary(header=b"[]"))),
    "header with NaN": end(start(EVIL_HEADER), index(told=summary(header=EVIL_HEADER))),
    "header of another archive": end(start(b'{"a":1}'), index(told=summary(header=b'{"a":2}'))),
    "index of nested objects": with_summary(summary(extras=deep(b'{"a":', b"}").replace(b":}", b":0}"))),
    "index with a name twice": with_summary(b'{"extras":{},"extras":{},"header":{},"model":null}'),
    "index with infinity": with_summary(summary(extras=b'{"a":1e999}')),
    "index with more than it should": with_summary(b'{"evil":1,"extras":{},"header":{},"model":null}'),
    "index that is a bomb": end(start(), b"", squeezed=zeros(1 << 30)),
    "index that claims 2^62 bytes": end(start(), b"", squeezed=claims(1 << 62)),
    "index that claims less than it holds": end(start(), b"", squeezed=claims(10)),
    "index of 2^63 blocks": end(start(), index(count=HUGE)),
    "index of many empty blocks": end(start(), index(count=1 << 24) + bytes(1 << 25)),
    "index that is the footer": own_footer_as_index(),
    "index behind the end": blocks(ONE, offset=1 << 62),
    "block of 2^63 runs": blocks(b"\0\x01x" + write_varint(HUGE)),
    "block of 2^63 items": blocks(fields(runs=((0, HUGE),))),
    "block of 2^62 items behind 2^62": blocks(fields(runs=((1 << 62, 1 << 62),))),
    "block of no items": blocks(fields(runs=())),
    "block of runs that touch": blocks(fields(runs=((0, 1), (0, 1)))),
    "block of a number that does not end": blocks(b"\xff" * 2_000),
    "block with a layer of 2^62 bytes": blocks(fields()[:-20] + b""),
    "block with a layer twice": blocks(fields(layers=(("a", b""), ("a", b"")))),
    "blocks with the same items": blocks(ONE, ONE),
    "blocks with items missing": blocks(ONE, fields(runs=((2, 1),))),
    "blocks outside the file": blocks(ONE, between=[1 << 62]),
    "block listed twice": end(start() + block(ONE), index([(0, ONE), (0, fields(runs=((1, 1),)))])),
    "bytes that belong to nobody": end(start() + block(ONE) + b"hidden", index([(0, ONE)])),
    "generation of nothing": blocks(ONE, generation=3),
    "generations that are not there": other_generation(2),
    "model at a negative offset": with_summary(summary([-1, 5])),
    "model of 2^62 bytes": with_summary(summary([40, 1 << 62])),
    "model at a truth value": with_summary(summary([True, True])),
    "model inside a block": with_summary(summary([20, 10])),
    "model that is a bomb": packed_model([], head=zeros(1 << 30)),
    "model with 2^62 weights": packed_model([["a", "int8", [1 << 62], 0]]),
    "model with sides behind a zero": packed_model([["a", "int8", [0, 1 << 62, 1 << 62], 0]]),
    "model with many certain weights": cheap_symbols(1 << 28),
    "model with a weight twice": packed_model([["a", "int8", [1], 0]] * 2, raw=b"ab"),
    "model with a float side": packed_model([["a", "int8", [1e300], 0]]),
    "model of objects": packed_model([["a", "object", [1], 0]], raw=bytes(8)),
    "model with half a weight": packed_model([["a", "int32", [2], 0]], raw=bytes(7)),
}


def open_all(data):
    """Everything that opening and checking an archive does with untrusted bytes."""
    with ArchiveReader(data) as reader:
        packed = reader.model_bytes
        if packed is not None:
            unpack_tensors(packed)
        for number in range(len(reader.blocks)):
            reader.read_block(number)
        problems = reader.verify()
    return f"{type(problems[0]).__name__}: {problems[0]}" if problems else "passed as whole"


def main():
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS,) * 2)
    for name, data in HOSTILE.items():
        try:
            outcome = open_all(data)
        except IsthmusError as error:
            outcome = f"{type(error).__name__}: {error}"
        sys.stdout.write(f"{name}\t{outcome}\n")


if __name__ == "__main__":
    main()

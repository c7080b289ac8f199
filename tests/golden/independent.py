"""A second reader of .isz archives, written from docs/format.md alone.

It shares no line with Isthmus, and uses neither NumPy nor the entropy coder's library, so that
the page and the program are held against each other. Made to be read, not to be fast.
"""

import json
import struct
import zlib
from hashlib import sha256
from itertools import accumulate

import zstandard

MAGIC = b"\x89ISZ\r\n\x1a\n"
BLOCK_MARK, MODEL_MARK, END_MARK = b"\xb5ISB", b"\xb5ISM", b"ISZ\xb5"
LETTERS = {"int8": "b", "int16": "h", "int32": "i", "int64": "q", "uint8": "B", "uint16": "H", "uint32": "I"}


class Fields:
    """Takes fields off the front of some bytes."""

    def __init__(self, data):
        self.data = data

    def take(self, length):
        assert length <= len(self.data)
        taken, self.data = self.data[:length], self.data[length:]
        return taken

    def unpack(self, pattern):
        return struct.unpack("<" + pattern, self.take(struct.calcsize("<" + pattern)))

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.take(1)[0]
            value |= (byte % 128) << shift
            shift += 7
            if byte < 128:
                return value

    def signed(self):
        return unfold(self.varint())

    def sized(self):
        return self.take(self.varint())

    def text(self):
        return self.sized().decode()


def unfold(value):
    return -(value + 1) // 2 if value % 2 else value // 2


def unzstd(data):
    return zstandard.ZstdDecompressor().decompress(data)


def read_archive(data):
    """The whole archive as plain dicts, every checksum compared."""
    start = Fields(data)
    magic, version, length = start.unpack("8sHI")
    header = start.take(length)
    assert (magic, version) == (MAGIC, 1)
    assert start.unpack("I")[0] == zlib.crc32(data[: 14 + length])
    index_offset, generation, index = read_footer(data)
    summary = json.loads(index.sized())
    assert summary["header"] == json.loads(header)
    blocks, end, gaps = [], 14 + length + 4, []
    for _ in range(index.varint()):
        gap = index.varint()
        gaps += [(end, end + gap)] if gap else []
        block, end = read_block(data, end + gap)
        assert block["fields"] == index.sized()
        blocks.append(block)
    assert generation == len(gaps)  # each holds what an earlier generation ended with
    for number, (_, stop) in enumerate(gaps):
        assert read_footer(data[:stop])[1] == number
    model = None
    if summary["model"]:
        offset, length = summary["model"]
        model = read_model(data[offset : offset + length])
        assert (offset, offset + length) == (end, index_offset) or offset in dict(gaps)
    return {
        "header": json.loads(header),
        "generation": generation,
        "blocks": blocks,
        "model": model,
        "extras": summary["extras"],
    }


def read_footer(data):
    footer = Fields(data[-60:])
    index_offset, index_length, generation, digest, crc, mark = footer.unpack("QQI32sI4s")
    assert mark == END_MARK
    assert crc == zlib.crc32(data[-60:-8])
    assert digest == sha256(data[:-40]).digest()
    assert index_offset + index_length == len(data) - 60
    squeezed = data[index_offset : -60 - 4]
    assert Fields(data[-60 - 4 : -60]).unpack("I")[0] == zlib.crc32(squeezed)
    return index_offset, generation, Fields(unzstd(squeezed))


def read_model(part):
    """The packed document inside the model's part of the file."""
    fields = Fields(part[:-4])
    assert fields.take(4) == MODEL_MARK
    model = fields.sized()
    assert not fields.data
    assert Fields(part[-4:]).unpack("I")[0] == zlib.crc32(part[:-4])
    return model


def read_block(data, offset):
    """The block at `offset`, and where it ends."""
    block = Fields(data[offset:])
    assert block.take(4) == BLOCK_MARK
    raw_fields = block.sized()
    crc_offset = len(data) - len(block.data)
    assert block.unpack("I")[0] == zlib.crc32(data[offset:crc_offset])
    fields = Fields(raw_fields)
    number = fields.varint()
    plan = number - 1 if number else fields.text()
    items, end = [], 0
    for _ in range(fields.varint()):
        begin = end + fields.varint()
        end = begin + fields.varint()
        items += range(begin, end)
    layers = {}
    for _ in range(fields.varint()):
        name, length = fields.text(), fields.varint()
        crc, content_crc = fields.unpack("II")
        payload = block.take(length)
        assert zlib.crc32(payload) == crc
        layers[name] = {"payload": payload, "content_crc": content_crc}
    assert not fields.data
    found = {"fields": raw_fields, "items": items, "plan": plan, "layers": layers}
    return found, len(data) - len(block.data)


def scan_for_blocks(data):
    """Every block that a scan finds, as if the index were lost."""
    found, offset = [], data.find(BLOCK_MARK)
    while offset >= 0:
        try:
            block, end = read_block(data, offset)
            found.append(block)
        except (AssertionError, ValueError, struct.error):
            end = offset + 1  # the mark by chance, or a damaged block
        offset = data.find(BLOCK_MARK, end)
    return found


def read_table(data):
    """The first value, the frequencies (the escape's last), and log2 of their sum."""
    fields = Fields(data)
    (precision,) = fields.take(1)
    low, count = fields.signed(), fields.varint()
    digits, rice = fields.take(2)
    balance = fields.varint()
    bits = iter("".join(f"{byte:08b}" for byte in fields.data))
    frequencies, place = [], 0
    for _ in range(count):
        quotient = 0
        while next(bits) == "1":
            quotient += 1
        remainder = int("0" + "".join(next(bits) for _ in range(rice)), 2)
        place += unfold((quotient << rice) + remainder)
        exponent = max(0, (place >> digits) - 1)
        frequencies.append((place - (exponent << digits)) << exponent)
    frequencies.insert(balance, 2**precision - sum(frequencies))
    return low, frequencies, precision


def decode_message(data, groups):
    """The values of each group, given as (count, table bytes)."""
    fields = Fields(data)
    escapes = Fields(fields.sized())
    words = list(struct.unpack(f"<{len(fields.data) // 4}I", fields.data))
    state = 0
    for _ in range(min(2, len(words))):
        state = (state << 32) + words.pop()
    decoded = []
    for count, (low, frequencies, precision) in groups:
        parts = [frequency << (24 - precision) for frequency in frequencies]
        sums = [0, *accumulate(parts)]
        values = []
        for _ in range(count):
            q = state % 2**24
            entry = next(i for i in range(len(parts)) if q < sums[i + 1])
            state = (state >> 24) * parts[entry] + q - sums[entry]
            if state < 2**32 and words:
                state = (state << 32) + words.pop()
            values.append(low + entry if entry < len(parts) - 1 else escapes.signed())
        decoded.append(values)
    assert state == 0
    assert not words
    assert not escapes.data
    return decoded


def read_array(data, count):
    """A coded array, as a flat list."""
    fields = Fields(data)
    low_bits = fields.varint()
    table = read_table(fields.sized())
    bits = "".join(f"{byte:08b}" for byte in fields.take((count * low_bits + 7) // 8))
    lows = [int("0" + bits[i * low_bits : (i + 1) * low_bits], 2) for i in range(count)]
    (highs,) = decode_message(fields.data, [(count, table)])
    return [(high << low_bits) + low for high, low in zip(highs, lows, strict=True)]


def read_packed(data):
    """The document, and each tensor as (dtype, shape, flat list)."""
    fields = Fields(data)
    head = json.loads(unzstd(fields.sized()))
    raw = Fields(unzstd(fields.sized()))
    tensors = {}
    for name, dtype, shape, way in head["tensors"]:
        count = 1
        for side in shape:
            count *= side
        values = read_array(fields.sized(), count) if way else list(raw.unpack(f"{count}{LETTERS[dtype]}"))
        tensors[name] = (dtype, shape, values)
    assert not raw.data
    assert not fields.data
    return head["document"], tensors


def hash_packed(document, tensors):
    """The model's hash, from what `read_packed` returned."""
    listing = [[name, dtype, shape] for name, (dtype, shape, _) in sorted(tensors.items())]
    head = json.dumps({"document": document, "tensors": listing}, sort_keys=True, separators=(",", ":"))
    digest = sha256(struct.pack("<Q", len(head)) + head.encode())
    for _, (dtype, _, values) in sorted(tensors.items()):
        digest.update(struct.pack(f"<{len(values)}{LETTERS[dtype]}", *values))
    return digest.hexdigest()

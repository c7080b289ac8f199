"""The second reader, continued: images coded by a model with grades, from symbols to pixels.

Written from docs/format.md alone, like independent.py: plain Python, whole numbers, nested lists.
"""

import struct
import zlib
from fractions import Fraction
from functools import cache
from itertools import accumulate, product
from math import cos, floor, pi, sqrt

from independent import Fields, hash_packed, read_archive, read_packed, read_table

VALUE, SIZE = 0, 1
REACHES = (4095, 2047, 1023, 511, 255, 127, 63, 31, 15)
PHASES = ((0, 0), (1, 1), (0, 1), (1, 0))


def read_images(data):
    """The samples of an archive, each as a list of rows; every checksum compared."""
    archive = read_archive(data)
    spec = archive["header"]["spec"]
    parts, model = Fields(archive["model"]), {}
    while parts.data:
        name = parts.text()
        model[name] = read_packed(parts.sized())
    document, tensors = model["autoencoder"]
    assert document["format"] == 2
    tensors = with_cosines(document, tensors)
    assert hash_packed(document, tensors) == archive["header"]["parts"]["autoencoder"]
    grades = read_grades(tensors)
    assert document["code"][0] == grades["channels"] + 1
    samples = {}
    for block in archive["blocks"]:
        layer = block["layers"]["preview"]
        fields, count = Fields(layer["payload"]), len(block["items"])
        sizes = read_sizes(fields, spec, count)
        made = decode_block(fields, sizes, document, tensors, grades)
        pixels = b"".join(bytes(row) for sample in made for row in sample)
        assert zlib.crc32(pixels) == layer["content_crc"]
        samples |= dict(zip(block["items"], made, strict=True))
    return [samples[item] for item in range(len(samples))]


LESS = "less cosines: "


def with_cosines(document, tensors):
    """The tensors, those that are told less their cosines in full."""
    spec, n = document["spec"], document["stride"]
    depth = spec["shape"][2] if len(spec["shape"]) == 3 else 1
    told = min(document["code"][0] - 1, depth * n * n)
    full = {name: tensor for name, tensor in tensors.items() if not name.startswith(LESS)}
    for name in tensors.keys() - full.keys():
        dtype, shape, flat = tensors[name]
        exponents, flat = full[name.removeprefix(LESS) + ".exponents"][2], list(flat)
        for r, i, weight in cosines(depth, n, told, exponents):
            flat[r * shape[1] + i] += weight
        full[name.removeprefix(LESS)] = (dtype, shape, flat)
    return full


def cosines(depth, n, told, exponents):
    """Output, input and weight, of all that have one."""
    patterns = sorted(
        product(range(depth), range(n), range(n)),
        key=lambda p: (9 * (p[0] > 0) + 4 * (p[1] ** 2 + p[2] ** 2), p),
    )
    for channel, y, x in product(range(depth), range(n), range(n)):
        r = (((channel * 2 + y % 2) * 2 + x % 2) * (n // 2) + y // 2) * (n // 2) + x // 2
        for i, (a, b, d) in enumerate(patterns[:told]):
            square = (cosine(n, b, y) * cosine(n, d, x) + 2**29) >> 30
            weight = (5 * square * cosine(depth, a, channel) + 2 ** (64 + exponents[r])) >> (
                65 + exponents[r]
            )
            yield r, i, max(-32768, min(32767, weight))


@cache
def cosine(count, a, x):
    """Of float64, whose 53 bits are more than enough."""
    return floor(2**30 * sqrt((2 if a else 1) / count) * cos(pi * (2 * x + 1) * a / (2 * count)) + 0.5)


def read_sizes(fields, spec, count):
    """Height and width of each sample of a block."""
    if None not in spec["shape"][:2]:
        return [tuple(spec["shape"][:2])] * count
    pairs = [(fields.varint(), fields.varint()) for _ in range(fields.varint())]
    return pairs * count if len(pairs) == 1 else pairs


def decode_block(fields, sizes, document, tensors, grades):
    """The samples of a block, in order."""
    quality, stride = fields.varint(), document["stride"]
    assert 1 <= quality <= 100
    message = Steps(fields.data, grades["tables"])
    step, offset = step_of(grades, quality), as_floats(tensors["quantiser.offset"][2])
    samples = [None] * len(sizes)
    for height, width in dict.fromkeys(sizes):  # groups of one shape, in the order of their appearance
        places = [place for place, size in enumerate(sizes) if size == (height, width)]
        rows, columns = -(-height // stride), -(-width // stride)
        stack = read_stack(message, grades, (len(places), grades["channels"], rows, columns), quality)
        for place, symbols in zip(places, stack, strict=True):
            code = [*symbols, [[quality] * columns for _ in range(rows)]]
            tensor = run(document["ops"], tensors, code, step, offset)
            samples[place] = to_pixels(tensor, document, height, width)
    message.finish()
    return samples


def nested(shape, flat):
    """A tensor as lists of lists."""
    if not shape:
        return flat[0]
    each = len(flat) // shape[0] if shape[0] else 0
    return [nested(shape[1:], flat[i * each : (i + 1) * each]) for i in range(shape[0])]


# Grades: what a quality means, and which table codes what


def read_grades(tensors):
    """The tensors under `grades.`, as nested lists, and what follows from them."""
    found = {
        name.removeprefix("grades."): tensor for name, tensor in tensors.items() if name.startswith("grades.")
    }
    lists = {name: nested(shape, flat) for name, (_, shape, flat) in found.items()}
    groups = []
    while f"{len(groups)}.own" in lists:
        name = f"{len(groups)}.own"
        shape = found[name][1]
        group = {"own": lists[name], "scales": shape[1], "size": shape[4], "alone": len(shape) == 5}
        groups.append({**group, "earlier": lists[f"{len(groups)}.earlier"]})
    fields = Fields(bytes(found["tables"][2]))
    tables = [read_table(fields.sized()) for _ in range(fields.varint())]
    assert len(tables) == 4 * (len(lists["thresholds"]) + 1)
    begin = max(abs(one) for one in found["bias"][2])
    reach = []
    for kind in (VALUE, SIZE):
        most = max(largest_sum(group, kind) for group in groups)
        reach.append(next(r for r in REACHES if r * most + begin < 2**24))
    channels = sum(group["size"] for group in groups)
    return {**lists, "tables": tables, "groups": groups, "reach": reach, "channels": channels}


def largest_sum(group, kind):
    """What the sums of neighbours that are at most 1 can become."""
    channels = range(group["size"])
    earlier = max(sum(abs(row[c]) for place in group["earlier"][kind] for row in place) for c in channels)
    own = []
    for phase, c in product((phase for scale in group["own"][kind] for phase in scale), channels):
        if group["alone"]:
            own.append(sum(abs(place[c]) for place in phase))
        else:
            own.append(sum(abs(row[c]) for place in phase for row in place))
    return earlier + max(own)


def between(anchors, quality):
    """Of rows at evenly spaced qualities: the row at this one, in whole numbers."""
    place, past = divmod((quality - 1) * (len(anchors) - 1), 99)
    after = anchors[place + 1] if past else anchors[place]
    return [(low * (99 - past) + high * past) // 99 for low, high in zip(anchors[place], after, strict=True)]


def step_of(grades, quality):
    """The step of each channel of the program's input, the last of which is the quality itself."""
    steps = []
    for parts in between(grades["levels"], quality):
        octave, part = divmod(parts, 64)
        low, high = 2**40, 2**41  # the greatest whole number whose 64th power is not above 2**(2560 + part)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if middle**64 <= 2 ** (2560 + part) else (low, middle)
        steps.append(float32(low * 2.0 ** (octave - 40)))
    return [*steps, float32(1 / 99)]


class Steps:
    """A stepwise message."""

    def __init__(self, data, tables):
        fields = Fields(data)
        self.escapes = Fields(fields.sized())
        self.words = list(struct.unpack(f"<{len(fields.data) // 4}I", fields.data))
        self.tables = []
        for low, frequencies, precision in tables:
            parts = [frequency << (24 - precision) for frequency in frequencies]
            self.tables.append((low, parts, [0, *accumulate(parts)]))
        self.state = 0
        for _ in range(min(2, len(self.words))):
            self.state = (self.state << 32) + self.words.pop()

    def take(self, numbers):
        """The values of one step, given the number of each one's table."""
        values = [0] * len(numbers)
        for place in sorted(range(len(numbers)), key=lambda place: numbers[place]):  # sorting is stable
            values[place] = self.one(*self.tables[numbers[place]])
        return values

    def one(self, low, parts, sums):
        q = self.state % 2**24
        entry = next(i for i in range(len(parts)) if q < sums[i + 1])
        self.state = (self.state >> 24) * parts[entry] + q - sums[entry]
        if self.state < 2**32 and self.words:
            self.state = (self.state << 32) + self.words.pop()
        return low + entry if entry < len(parts) - 1 else self.escapes.signed()

    def finish(self):
        assert self.state == 0
        assert not self.words
        assert not self.escapes.data


def pieces(samples, channels, height, width):
    """First and last row, first and last column of each piece of a grid."""
    most = 2**22 // (samples * channels)
    rows = max(64, 2**22 // (samples * channels * width))
    columns = max(1, most // min(rows, height))
    for top, left in product(range(0, height, rows), range(0, width, columns)):
        yield top, min(top + rows, height), left, min(left + columns, width)


def read_stack(message, grades, shape, quality):
    """The symbols of one group of samples: [sample][channel][row][column]."""
    samples, channels, height, width = shape
    stack = [[[[0] * width for _ in range(height)] for _ in range(channels)] for _ in range(samples)]
    for top, bottom, left, right in pieces(*shape):
        piece = read_piece(message, grades, (samples, bottom - top, right - left), quality)
        for (sample, row, column, channel), symbol in piece.items():
            stack[sample][channel][top + row][left + column] = symbol
    return stack


def read_piece(message, grades, size, quality):
    """The symbols of one piece, by (sample, row, column, channel)."""
    samples, height, width = size
    bias, known, first = [between(anchors, quality) for anchors in grades["bias"]], {}, 0
    for group in grades["groups"]:
        channels = range(first, first + group["size"])
        phases = [(scale, phase) for scale in reversed(range(group["scales"])) for phase in (1, 2, 3)]
        for scale, phase in [(group["scales"], 0), *phases]:
            row, column = (side << scale for side in PHASES[phase])
            gap = (2 if phase else 1) << scale
            places = list(
                product(range(samples), range(row, height, gap), range(column, width, gap), channels)
            )
            sums = []
            for place in places:
                both = [bias[kind][place[3]] for kind in (VALUE, SIZE)]
                add_earlier(both, group, grades, known, place, first)
                if phase:
                    add_own(both, group, grades, known, place, first, scale, phase)
                sums.append(both)
            quarters = [(value + 128) // 256 for value, _ in sums]
            classes = [sum(size >= threshold for threshold in grades["thresholds"]) for _, size in sums]
            numbers = [4 * c + (q + 2) % 4 for c, q in zip(classes, quarters, strict=True)]
            values = message.take(numbers)
            for place, value, q in zip(places, values, quarters, strict=True):
                known[place] = value + (q + 2) // 4
        first += group["size"]
    return known


def add_earlier(sums, group, grades, known, place, first):
    """Add the symbols around, of the groups before."""
    sample, row, column, channel = place
    side = 3 if len(group["earlier"][VALUE]) == 9 else 1
    for number, (down, right) in enumerate(product(range(side), repeat=2)):
        there = sample, row + down - side // 2, column + right - side // 2
        for source in range(first):
            add(
                sums,
                grades,
                known.get((*there, source), 0),
                group["earlier"],
                number,
                source,
                channel - first,
            )


def add_own(sums, group, grades, known, place, first, scale, phase):
    """Add the symbols around, of the phases before."""
    sample, row, column, channel = place
    weights = [group["own"][kind][scale][phase - 1] for kind in (VALUE, SIZE)]
    for number, (down, right) in enumerate(product((-1, 0, 1), repeat=2)):
        there = sample, row + (down << scale), column + (right << scale)
        if group["alone"]:
            flat = [[[of_place] for of_place in of_kind] for of_kind in weights]
            add(sums, grades, known.get((*there, channel), 0), flat, number, 0, channel - first)
        else:
            for source in range(group["size"]):
                symbol = known.get((*there, first + source), 0)
                add(sums, grades, symbol, weights, number, source, channel - first)


def add(sums, grades, symbol, weights, number, source, into):
    """Add one symbol, weighted, to both sums."""
    value, size = grades["reach"]
    sums[VALUE] += weights[VALUE][number][source][into] * max(-value, min(symbol, value))
    sums[SIZE] += weights[SIZE][number][source][into] * min(abs(symbol), size)


# Decoding in integers, as far as images by a net of convolutions need it


def float32(number):
    """The nearest float32."""
    return struct.unpack("<f", struct.pack("<f", number))[0]


def as_floats(bits):
    """int32 → the float32 of those bits."""
    return struct.unpack(f"<{len(bits)}f", struct.pack(f"<{len(bits)}i", *bits))


def run(ops, tensors, code, step, offset):
    """The tensor of one sample: its exponent, and whole numbers [channel][row][column]."""
    values = [(0, code)]
    for op in ops:
        (e, given), *others = (values[value] for value in op["of"])
        made, *limits = op.get("scale", [e])
        if op["op"] == "dequantise":
            result = [
                [[dequantised(s, step[c], offset[c], made, *limits) for s in row] for row in plane]
                for c, plane in enumerate(given)
            ]
        elif op["op"] == "conv":
            result = convolved(tensors, op, e, given, made, limits, *others)
        elif op["op"] == "relu":
            result = [[[max(x, 0) for x in row] for row in plane] for plane in given]
        else:
            assert op["op"] == "shuffle"
            result = shuffled(given, *op["numbers"])
        values.append((made, result))
    return values[-1]


def dequantised(symbol, step, offset, e, low, high):
    held = float(max(-(2**20), min(symbol, 2**20)))
    value = held * (step * 2.0**-e) + offset * 2.0**-e
    return max(low, min(floor(value + 0.5), high))


def convolved(tensors, op, e, given, made, limits, plus=None):
    """Sums in exact arithmetic, rounded once."""
    assert op["numbers"] == [1]
    (_, shape, flat), name = tensors[f"{op['weight']}.weight"], op["weight"]
    weight, exponents = nested(shape, flat), tensors[f"{name}.weight.exponents"][2]
    biases, (bias_exponent,) = tensors[f"{name}.bias"][2], tensors[f"{name}.bias.exponents"][2]
    height, width, half = len(given[0]), len(given[0][0]), shape[2] // 2
    result = []
    for channel, rows in enumerate(weight):
        u = e + exponents[channel]
        bias = floor(biases[channel] * Fraction(2) ** (bias_exponent - u) + Fraction(1, 2))
        plane = [[bias] * width for _ in range(height)]
        for (source, kernel), row, column in product(enumerate(rows), range(height), range(width)):
            for down, right in product(range(-half, half + 1), repeat=2):
                y, x = row + down, column + right
                if 0 <= y < height and 0 <= x < width:
                    plane[row][column] += kernel[down + half][right + half] * given[source][y][x]
        for row, column in product(range(height), range(width)):
            exact = plane[row][column] * Fraction(2) ** (u - made)
            if plus is not None:
                exact += plus[1][channel][row][column] * Fraction(2) ** (plus[0] - made)
            plane[row][column] = max(limits[0], min(floor(exact + Fraction(1, 2)), limits[1]))
        result.append(plane)
    return result


def shuffled(given, n):
    """Depth to space."""
    height, width = len(given[0]), len(given[0][0])
    result = [[[0] * (width * n) for _ in range(height * n)] for _ in range(len(given) // n**2)]
    for number, plane in enumerate(given):
        c, i, j = number // n**2, number // n % n, number % n
        for y, x in product(range(height), range(width)):
            result[c][y * n + i][x * n + j] = plane[y][x]
    return result


def to_pixels(tensor, document, height, width):
    """Rows of whole numbers 0 … 255, of a grey image."""
    e, (plane,) = tensor
    (scale,), (offset,) = document["transform"]["scale"], document["transform"]["offset"]
    values = [[float32(float32(x * 2.0**e * scale) + offset) for x in row[:width]] for row in plane[:height]]
    return [[max(0, min(round(value), 255)) for value in row] for row in values]

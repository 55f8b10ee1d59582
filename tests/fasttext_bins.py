"""Small files of fastText, put together number by number."""

import struct

import numpy as np

WORDS = ["</s>", "größe", "lake"]
COUNTS = [9, 4, 2]

# Codes of 8 rows in two parts, the centroids of both parts, codes of the lengths, and lengths.
PARTS = (
    np.arange(16, dtype=np.uint8).reshape(8, 2),
    np.arange(512, dtype=np.float32).reshape(256, 2),
    np.arange(256, dtype=np.float32).reshape(256, 1) / 8,
    np.arange(8, dtype=np.uint8),
    np.linspace(1, 2, 256, dtype=np.float32),
)


def start(words=WORDS, *, bucket=5, model=2, labels=(), kept=None, min_n=2):
    settings = [3, 5, 5, 1, 5, 1, 2, model, bucket, min_n, 3, 100]
    data = struct.pack("<ii12id", 793712314, 12, *settings, 1e-4)
    data += struct.pack(
        "<iiiqq", len(words) + len(labels), len(words), len(labels), 15, -1 if kept is None else len(kept)
    )
    for kind, entries in enumerate((zip(words, COUNTS, strict=True), ((label, 1) for label in labels))):
        data += b"".join(word.encode() + struct.pack("<bqb", 0, count, kind) for word, count in entries)
    return data + b"".join(struct.pack("<ii", *pair) for pair in kept or ())


def matrix(rows):
    return struct.pack("<?qq", False, *rows.shape) + rows.astype("<f4").tobytes()


def dense(words=WORDS, inputs=None):
    inputs = np.arange(24, dtype=np.float32).reshape(8, 3) if inputs is None else inputs
    return start(words) + matrix(inputs) + matrix(np.arange(9, dtype=np.float32).reshape(3, 3))


def quantised(width=2):
    codes, first, last, lengths, norms = PARTS
    data = start(model=3, labels=["__label__a"]) + struct.pack("<??qqi", True, True, 8, 3, codes.size) + codes.tobytes()
    data += struct.pack("<iiii", 3, 2, width, 1) + first.tobytes() + last.tobytes()
    data += lengths.tobytes() + struct.pack("<iiii", 1, 1, 1, 1) + norms.tobytes()
    return data + matrix(np.ones((1, 3), np.float32))


def pruned():
    """Of the five buckets of `dense`, the last and the second have rows."""
    rows = np.arange(15, dtype=np.float32).reshape(5, 3)
    return start(kept=[(4, 0), (1, 1)]) + matrix(rows) + matrix(np.ones((3, 3), np.float32))


def of_version(data, version):
    """A dense file as older versions wrote it: 11, or 0 for those that wrote none."""
    if version:
        return data[:4] + struct.pack("<i", version) + data[8:]
    sizes, tokens, pruned, rest = data[64:76], data[76:84], data[84:92], data[92:]
    assert struct.unpack("<q", pruned) == (-1,)
    at = rest.index(struct.pack("<?qq", False, 8, 3))
    second = rest.index(struct.pack("<?qq", False, 3, 3), at + 17 + 96)
    return data[8:64] + sizes + tokens + rest[:at] + rest[at + 1 : second] + rest[second + 1 :]

"""Damage to files: to bytes, to the contents of a compressed file, and to the header of a native one."""

import json
import random
import struct
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

from w2v.files.native import _DTYPES, _canonical, _read_header, _read_tensors
from w2v.files.reading import open_regular

MOST_BYTES = 1 << 16  # of a file that has been changed many times

NUMBERS = [0, 1, 2, 3, 7, 8, 255, 256, *(1 << n for n in (16, 31, 32, 40, 63, 64)), *(10**n for n in (18, 19, 400))]
NUMBERS += [(1 << n) - 1 for n in (31, 40, 63, 64)]
BYTES = [0, 9, 10, 13, 32, 45, 46, 48, 57, 58, 127, 128, 0xC2, 0xE2, 0xED, 0xF0, 0xFF]

Mutation = Callable[[bytes, random.Random, Sequence[bytes]], bytes]


def of_bytes(data: bytes, draw: random.Random, tokens: Sequence[bytes]) -> bytes:
    """Change a few bytes, or stretches of them, or put something meaningful in their place."""
    changed = bytearray(data)
    for _ in range(draw.choice([1, 1, 1, 2, 3, 8])):
        begin = draw.randrange(len(changed) + 1)
        end = min(len(changed), begin + draw.choice([0, 1, 1, 2, 4, 8, 64]))
        match draw.randrange(8):
            case 0:  # a bit
                if begin < len(changed):
                    changed[begin] ^= 1 << draw.randrange(8)
            case 1:
                changed[begin:end] = bytes([draw.choice(BYTES)])
            case 2:
                changed[begin:end] = draw.choice(tokens) if tokens else b""
            case 3:
                changed[begin:begin] = draw.choice(tokens) if tokens else draw.randbytes(4)
            case 4:
                del changed[begin:end]
            case 5:  # once more
                changed[begin:begin] = changed[begin:end] * draw.choice([1, 1, 3, 40])
            case 6:
                number = draw.choice(NUMBERS)
                if draw.randrange(2):
                    changed[begin:end] = str(number * draw.choice([1, -1])).encode()
                else:
                    size = draw.choice([1, 2, 4, 8])
                    part = (number % (1 << 8 * size)).to_bytes(size, "little")
                    changed[begin : begin + size] = part
            case _:
                if draw.randrange(4) == 0:
                    del changed[begin:]
                else:
                    changed[begin:end] = draw.randbytes(end - begin)
    return bytes(changed[:MOST_BYTES])


def of_packed(pack: Callable[[bytes], bytes], unpack: Callable[[bytes], bytes]) -> Mutation:
    """Change the packed bytes, or their contents."""

    def mutation(data: bytes, draw: random.Random, tokens: Sequence[bytes]) -> bytes:
        if draw.randrange(2):
            try:
                return pack(of_bytes(unpack(data), draw, tokens))
            except Exception:  # damaged already
                pass
        return of_bytes(data, draw, tokens)

    return mutation


def of_native(data: bytes, draw: random.Random, tokens: Sequence[bytes]) -> bytes:
    """Change a native file where it hurts, or any of its bytes."""
    if draw.randrange(5):
        try:
            return _changed_native(data, draw, tokens)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):  # damaged already
            pass
    return of_bytes(data, draw, tokens)


def _changed_native(data: bytes, draw: random.Random, tokens: Sequence[bytes]) -> bytes:
    """Change the header's JSON, the metadata inside it, or the tensors, and perhaps make lengths and hash fit again."""
    size = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    about = json.loads(header["__metadata__"]["w2v"])
    match draw.randrange(4):
        case 0:
            header = _odd(header, draw)
        case 1:
            if draw.randrange(2):
                about = _odd(about, draw)
            else:  # settings and state of a model
                about["meta"] = _odd(about["meta"], draw)
        case 2:
            body = of_bytes(body, draw, tokens)
        case _:
            header, body = _other_tensors(header, body, draw)
    if draw.randrange(4) and isinstance(header, dict) and isinstance(about, dict):
        return joined(header, about if draw.randrange(4) == 0 else resealed(header, about, body), body)
    text = json.dumps(header).encode()
    if draw.randrange(8) == 0 and isinstance(header, dict) and header:  # a name that occurs twice
        name = draw.choice(list(header))
        text = text[:-1] + b"," + json.dumps(name).encode() + b":" + json.dumps(header[name]).encode() + b"}"
    return struct.pack("<Q", len(text)) + text + body


def joined(header: dict[str, Any], about: dict[str, Any], body: bytes) -> bytes:
    """A native file with this metadata."""
    text = json.dumps(
        {**header, "__metadata__": {"w2v": json.dumps(about, sort_keys=True, separators=(",", ":"))}}
    ).encode()
    return struct.pack("<Q", len(text)) + text + body


def _odd(value: Any, draw: random.Random) -> Any:
    """A JSON value with one node that is something else, gone, or there under another name."""
    if isinstance(value, dict) and value and draw.randrange(6):
        made = dict(value)
        name = draw.choice(list(made))
        match draw.randrange(8):
            case 0:
                del made[name]
            case 1:
                made[draw.choice(["", "x", "attr.x", "outputs.x", "corpus_file", "sentences", "\ud800"])] = made[name]
            case _:
                made[name] = _odd(made[name], draw)
        return made
    if isinstance(value, list) and value and draw.randrange(6):
        made_list = list(value)
        made_list[draw.randrange(len(made_list))] = _odd(draw.choice(made_list), draw)
        return made_list
    if type(value) is int and draw.randrange(2):
        return value + draw.choice([-8, -4, -1, 1, 4, 8, 64])
    return draw.choice(
        [
            draw.choice(NUMBERS), -1, True, None, "", "x", "/dev/zero", "F32", "I64", "\ud800", [], {}, [1, [2]],
            {"a": 1}, 0.5, -0.0, float("nan"), float("inf"), 1e308, [draw.choice(NUMBERS)] * 2,
        ]
    )  # fmt: skip


def _other_tensors(header: dict[str, Any], body: bytes, draw: random.Random) -> tuple[dict[str, Any], bytes]:
    """Rename, retype, add or drop a tensor and move the others, so that lengths agree."""
    parts = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            parts[name] = (entry["dtype"], entry["shape"], body[begin:end])
    if not parts:
        return header, body
    name = draw.choice(sorted(parts))
    dtype, shape, content = parts[name]
    match draw.randrange(5):
        case 0:
            del parts[name]
        case 1:
            parts[draw.choice(["attr.x", "outputs.x", "vectors.locks", "vocab.counts", "outputs.negative"])] = parts[
                name
            ]
        case 2:
            parts[name] = (draw.choice(list(_DTYPES)), shape, content)
        case 3:  # fewer or more rows
            rows = draw.choice([0, 1, len(shape) and shape[0] + 1])
            width = len(content) // max(1, shape[0] if shape else 1)
            parts[name] = (dtype, [rows, *shape[1:]], (content * 2)[: rows * width])
        case _:
            parts[name] = (dtype, shape[::-1], content)
    order = list(parts)
    draw.shuffle(order)
    made: dict[str, Any] = {"__metadata__": header["__metadata__"]}
    at = 0
    for name in order:
        dtype, shape, content = parts[name]
        made[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(content)]}
        at += len(content)
    return made, b"".join(parts[name][2] for name in order)


def resealed(header: dict[str, Any], about: dict[str, Any], body: bytes) -> dict[str, Any]:
    """The metadata with a hash that fits, as a hostile writer would make it; unchanged where none can."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(joined(header, about, body))
        file.flush()
        try:
            with open_regular(file.name) as opened:
                _, tensors = _read_header(opened, "")
                _, digest = _read_tensors(opened, "", tensors, lambda name: False)
            kept = {key: value for key, value in about.items() if key != "sha256"}
            digest.update(_canonical(kept))
        except ValueError:  # not sound in another way
            return about
    return kept | {"sha256": digest.hexdigest()}

"""The page of an atlas: data packed as bytes, scripts and style in a frame, and a policy that forbids all else."""

import base64
import gzip
import hashlib
import html
import json
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v._version import __version__
from w2v.atlas.points import KINDS, scale_of

TYPES = {"<f4": "f4", "<i2": "i2", "<i4": "i4", "|u1": "u1", "<u2": "u2", "<u4": "u4"}
SCRIPTS = ("scatter.js", "core.js", "plot.js", "page.js")
FRAME = files("w2v.atlas") / "page"


def packed(atlas: Any) -> bytes:
    """The data of a page: the length of a JSON header, the header, and arrays at offsets behind it; compressed."""
    count, widest = len(atlas), max((space.rows.shape[1] for s in atlas.sheets for space in s.spaces), default=0)
    number = "<u2" if count < 0xFFFF else "<u4"
    arrays: dict[str, NDArray[Any]] = {"kinds": atlas.kinds}
    sheets = []
    for place, sheet in enumerate(atlas.sheets):
        arrays[f"x{place}"], arrays[f"y{place}"] = np.ascontiguousarray(sheet.places.T)
        spaces = []
        for nth, (name, rows, cosines) in enumerate(sheet.spaces):
            key = f"{place}.{nth}"
            padded = np.full((count, widest), np.iinfo(number).max, np.int64)
            padded[:, : rows.shape[1]] = np.where(rows < 0, np.iinfo(number).max, rows)
            scaled = np.zeros((count, widest), np.int16)
            scaled[:, : rows.shape[1]] = np.rint(np.nan_to_num(cosines) * 10_000)
            arrays[f"rows{key}"], arrays[f"cosines{key}"] = padded.astype(number), scaled
            spaces.append({"name": name, "rows": f"rows{key}", "cosines": f"cosines{key}"})
        sheets.append({"name": sheet.name, "xs": f"x{place}", "ys": f"y{place}", "spaces": spaces})
    colourings: list[dict[str, Any]] = []
    for place, one in enumerate(atlas.colourings):
        about: dict[str, Any] = {"name": one.name, "values": f"colours{place}", "fact": True}
        if one.categories is not None:
            arrays[f"colours{place}"] = one.values.astype(np.int32)
            about |= {"categories": one.categories, "none": one.none if (one.values < 0).any() else ""}
        elif one.logarithmic:  # the colours follow the logarithm, and the page tells the number
            arrays[f"colours{place}"], arrays[f"told{place}"] = scale_of(one.values, True), scale_of(one.values, False)
            about["told"] = f"told{place}"
        else:
            arrays[f"colours{place}"] = scale_of(one.values, False)
        colourings.append(about)
    kinds = [kind for number, kind in enumerate(KINDS) if (atlas.kinds == number).any()]
    if len(kinds) > 1 or not colourings:
        arrays["kind"] = atlas.kinds.astype(np.int32)
        colourings.append({"name": "kind", "values": "kind", "categories": list(KINDS), "none": "", "fact": False})
    header: dict[str, Any] = {
        "names": atlas.names,
        "kinds": list(KINDS),
        "sheets": sheets,
        "colourings": colourings,
        "moved": atlas.moved,
        "note": atlas.note,
        "k": widest,
        "arrays": {},
    }
    body, entries = bytearray(), {}
    for name, array in arrays.items():
        array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        entries[name] = [TYPES[array.dtype.str], len(body), array.size]
        body += array.tobytes() + b"\0" * (-array.nbytes % 4)
    text = json.dumps(header | {"arrays": entries}, allow_nan=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return gzip.compress(len(text).to_bytes(4, "little") + text + bytes(body), 6, mtime=0)


def html_of(atlas: Any) -> str:
    """The whole page."""
    style = _part("page.css")
    # A script in a page ends where "</script" stands, even within a string.
    script = "\n".join(_part(name) for name in SCRIPTS).replace("</script", "<\\/script")
    # The library compiles what it draws with; nothing may be loaded, sent, or run from markup.
    policy = (
        f"default-src 'none'; script-src {_hash(script)} 'unsafe-eval'; style-src {_hash(style)}; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    parts = {
        "policy": html.escape(policy),
        "version": __version__,
        "title": html.escape(atlas.title),
        "style": style,
        "licences": html.escape(_part("scatter.LICENSES.txt").replace("--", "==")),
        "data": base64.b64encode(packed(atlas)).decode(),
        "script": script,
    }
    whole = _part("page.html")
    # What is put in is not looked through again, whatever it holds.
    pieces = whole.split("{{")
    return pieces[0] + "".join(parts[name] + rest for name, rest in (piece.split("}}", 1) for piece in pieces[1:]))


def _part(name: str) -> str:
    return (FRAME / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

"""Maps between spaces: bring one model's vectors into the space of another's, translate, and see what has changed.

`fit` learns a map between two sets of vectors, `fit_many` brings several to one space, `draw_way` draws a word's way,
`draw_map` both on one map.

>>> import numpy as np
>>> from w2v import KeyedVectors, align
>>> turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))
>>> rows = np.random.default_rng(2).normal(size=(50, 4)).astype(np.float32)
>>> words = [f"word{number}" for number in range(50)]
>>> one = KeyedVectors.from_arrays(words, rows)
>>> other = KeyedVectors.from_arrays(words, (rows @ turn).astype(np.float32))
>>> found = align.fit(one, other, anchors=20)
>>> found.translate("word30", topn=1)["word30"][0][0]
'word30'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from w2v.align.mapping import draw_map
    from w2v.align.maps import HeldOut, Map, fit, fit_many
    from w2v.align.plots import draw_way

_HOME = {
    "HeldOut": "maps",
    "Map": "maps",
    "fit": "maps",
    "fit_many": "maps",
    "draw_map": "mapping",
    "draw_way": "plots",
}

__all__ = ["HeldOut", "Map", "draw_map", "draw_way", "fit", "fit_many"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'w2v.align' has no attribute {name!r}")
    value = getattr(import_module(f"w2v.align.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOME))

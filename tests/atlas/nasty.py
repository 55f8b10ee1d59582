"""Names that a page could take for something else."""

import numpy as np

from w2v import KeyedVectors

NASTY = [
    "</script><script>window.injected=1</script>",
    "<img src=x onerror='window.injected=2'>",
    '"><svg onload=window.injected=3>',
    "'];window.injected=4;//",
    "{{script}}{{data}}",
    "<!-- <script>",
    "${window.injected=5}`",
    "שלום עולם",
    "مرحبا\u202eabc",
    "line\nbreak\ttab\u2028end",
    "\ud800 alone",
    "&lt;b&gt;",
    "a\u0000b",
]


def nasty_vectors():
    """Vectors of these words, and of 200 others."""
    words = [*NASTY, *(f"word{number}" for number in range(200))]
    rows = np.random.default_rng(4).normal(size=(len(words), 12)).astype(np.float32)
    counts = np.arange(len(words), 0, -1)
    return KeyedVectors.from_arrays(words, rows, {"count": counts})

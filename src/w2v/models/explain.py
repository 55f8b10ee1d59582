"""Why two words are near: both similarities, how often the words meet, and what carries the similarity.

A cosine of two input vectors says that words are used alike: second order. A cosine of an input and an output vector
says that they stand together: first order. What the corpus itself says is beside both, where it is at hand.
"""

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.common import checks
from w2v.common.figures import COLOURS, new_figure
from w2v.common.terminal import printable
from w2v.tokens import _windows
from w2v.tokens.encode import Encoded
from w2v.vectors import queries
from w2v.vectors.keyed import KeyedVectors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[Any]

CONTEXTS = 2  # least occurrences of a context with each of both words, to be named: once is chance


class Similarity(NamedTuple):
    """A cosine of the second word with the first, among those of all other words.

    Attributes
    ----------
    cosine : float
    percentile : float, per cent of the other words that are not as near
    rank : int, 1 for the nearest of all other words
    """

    cosine: float
    percentile: float
    rank: int


class Meetings(NamedTuple):
    """How often two words stand within a window of each other.

    Attributes
    ----------
    window : int, words to either side, within a sentence
    together : int
    expected : float, if words stood where chance puts them: pairs of one times pairs of the other, by all pairs
    pmi : float or None
        Pointwise mutual information in bits, the logarithm of the ratio of both; None for words that never meet.
    context_cosine : float
        Second order without vectors: cosine of the two rows of positive pointwise mutual information with all words.
    """

    window: int
    together: int
    expected: float
    pmi: float | None
    context_cosine: float


class SharedNeighbor(NamedTuple):
    """A word near to both words, with its two cosines."""

    word: Any
    with_a: float
    with_b: float


class SharedContext(NamedTuple):
    """A word that stands beside both words: how often, and its share of `Meetings.context_cosine`."""

    word: Any
    with_a: int
    with_b: int
    share: float


@dataclass(frozen=True)
class Explanation:
    """Why two words are near; prints as a page.

    Attributes
    ----------
    a, b : str
    counts : (int, int), occurrences of both in the training corpus; None if the vectors do not know
    alike : Similarity, of input with input vector: words used alike
    together : Similarity or None
        Of the input vector of `a` with the output vector of `b`: words that stand together. None where there are no
        output vectors.
    together_back : Similarity or None, of the input vector of `b` with the output vector of `a`
    meetings : Meetings or None, None where the corpus is not at hand
    neighbors : tuple of SharedNeighbor, those first whose lesser cosine is highest
    contexts : tuple of SharedContext, those first that carry most of the similarity
    examples : tuple of str, windows of the corpus in which both stand, spread over all of it
    """

    a: str
    b: str
    counts: tuple[int, int] | None
    alike: Similarity
    together: Similarity | None
    together_back: Similarity | None
    meetings: Meetings | None
    neighbors: tuple[SharedNeighbor, ...]
    contexts: tuple[SharedContext, ...]
    examples: tuple[str, ...]
    _words: list[Any] = field(repr=False, compare=False)
    _scores: tuple[Array, Array | None] = field(repr=False, compare=False)  # of `a` with all words, for the figure

    def to_dict(self) -> dict[str, Any]:
        """Return all attributes in types that JSON holds."""
        found = {name: value for name, value in asdict(self).items() if not name.startswith("_")}
        for name in ("alike", "together", "together_back", "meetings"):
            part = getattr(self, name)
            found[name] = None if part is None else part._asdict()
        for name in ("neighbors", "contexts"):
            found[name] = [part._asdict() for part in getattr(self, name)]
        return found | {"counts": self.counts and list(self.counts), "examples": list(self.examples)}

    def __str__(self) -> str:
        a, b = printable(str(self.a)), printable(str(self.b))
        labels = ["in-in   used alike", "in-out  standing together", f"in-out  asked from {b}"]
        width = max(map(len, labels))
        lines = [f"{a} and {b}", "", f"  {'':<{width}}  cosine  nearer than      rank"]
        for label, found in zip(labels, (self.alike, self.together, self.together_back), strict=True):
            if found is not None:
                lines.append(f"  {label:<{width}}  {found.cosine:6.3f}  {found.percentile:9.2f} %  {found.rank:>8,}")
        if self.together is None:
            lines.append("  without output vectors nothing is known of words that stand together")
        lines.append("")
        if self.counts is not None:
            lines.append(f"occurrences          {a} {self.counts[0]:,}, {b} {self.counts[1]:,}")
        if self.meetings is None:
            lines.append("the corpus is not at hand: explain(a, b, corpus_file=...) counts how often the words meet")
        else:
            lines += self._lines_of_meetings(self.meetings)
        near = ", ".join(f"{printable(str(n.word))} {n.with_a:.2f} {n.with_b:.2f}" for n in self.neighbors)
        lines += ["", f"near to both         {near or '-'}"]
        if self.contexts:
            beside = ", ".join(f"{printable(str(c.word))} {c.share:.1%}" for c in self.contexts)
            lines.append(f"contexts of both     {beside}")
        for number, example in enumerate(self.examples):
            lines.append(f"{'' if number else 'together':<20} {printable(example)}")
        return "\n".join(line.rstrip() for line in lines)

    def _lines_of_meetings(self, found: Meetings) -> list[str]:
        pmi = "never" if found.pmi is None else f"{found.pmi:+.2f} bits"
        return [
            f"within {found.window:>2} words      {found.together:,} times, by chance {found.expected:,.1f}; PMI {pmi}",
            f"same contexts        cosine {found.context_cosine:.3f} of the counts alone",
        ]

    def plot(self, label: int = 5) -> "Figure":
        """Draw all words by both similarities with `a`: to the right those used alike, above those standing together.

        Parameters
        ----------
        label : int, default 5
            How many of the nearest words to name on either axis.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ImportError
            matplotlib is not installed: it comes with ``w2v[plot]``.
        ValueError
            A model without output vectors has one similarity.
        """
        return _draw(self, checks.integer("label", label, 0))


def explain(
    inputs: KeyedVectors,
    outputs: KeyedVectors | None,
    words: tuple[str, str],
    corpus: Encoded | None,
    *,
    window: int,
    exponent: float,
    topn: int,
    examples: int,
) -> Explanation:
    """Explain why two words are near; see `w2v.Word2Vec.explain`."""
    checks.integer("topn", topn, 1)
    checks.integer("examples", examples, 0)
    rows = tuple(inputs.rows_of(list(words)))
    alike = [_cosines(inputs, inputs, row) for row in rows]
    together = None if outputs is None else [_cosines(inputs, outputs, row) for row in rows]
    meetings: Meetings | None = None
    contexts: tuple[SharedContext, ...] = ()
    shown: tuple[str, ...] = ()
    if corpus is not None:
        counts, pairs = _contexts_of(corpus, rows, window, len(inputs))
        meetings, contexts = _compared(inputs, rows, counts, pairs, window, exponent, topn)
        shown = _examples(inputs, corpus, rows, window, meetings.together, examples)
    known = inputs.expandos.get("count")
    return Explanation(
        inputs.index_to_key[rows[0]],
        inputs.index_to_key[rows[1]],
        None if known is None else (int(known[rows[0]]), int(known[rows[1]])),
        _placed(alike[0], rows[0], rows[1]),
        None if together is None else _placed(together[0], rows[0], rows[1]),
        None if together is None else _placed(together[1], rows[1], rows[0]),
        meetings,
        _neighbors(inputs, alike, rows, topn),
        contexts,
        shown,
        inputs.index_to_key,
        (alike[0], None if together is None else together[0]),
    )


def _cosines(asking: KeyedVectors, answering: KeyedVectors, row: int) -> Array:
    query = queries.unit(asking.peek()[row])
    return answering.over_rows(lambda rows, norms: queries.cosines(rows, norms, query))


def _placed(scores: Array, own: int, other: int) -> Similarity:
    """The score of a row among those of all rows but `own`."""
    nearer = int((np.delete(scores, own) > scores[other]).sum())
    others = max(1, len(scores) - 1 - (own != other))
    as_near = nearer + int((np.delete(scores, [own, other]) == scores[other]).sum())
    return Similarity(float(scores[other]), 100 * (1 - min(as_near, others) / others), nearer + 1)


def _neighbors(
    inputs: KeyedVectors, scores: list[Array], rows: tuple[int, ...], topn: int
) -> tuple[SharedNeighbor, ...]:
    best = queries.top_rows(np.minimum(*scores), topn, set(rows))
    keys = inputs.index_to_key
    return tuple(SharedNeighbor(keys[row], float(scores[0][row]), float(scores[1][row])) for row in best)


def _contexts_of(
    corpus: Encoded, rows: tuple[int, ...], window: int, words: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How often each word stands in the windows of each of `rows`, [2, words]; and the pairs of each word, [words]."""
    asked, place = np.unique(rows, return_inverse=True)
    place_of = np.full(words, -1, np.int32)
    place_of[asked] = np.arange(len(asked))
    counts, pairs = np.zeros((len(asked), words), np.int64), np.zeros(words, np.int64)
    _windows.count_contexts(corpus.tokens, corpus.offsets, place_of, window, counts, pairs)
    return counts[place], pairs


def _compared(
    inputs: KeyedVectors,
    rows: tuple[int, ...],
    counts: NDArray[np.int64],
    pairs: NDArray[np.int64],
    window: int,
    exponent: float,
    topn: int,
) -> tuple[Meetings, tuple[SharedContext, ...]]:
    """What the counts say: of the pair itself, and of all contexts.

    The contexts are weighed by positive pointwise mutual information, with chance smoothed as training smooths its
    noise (Levy, Goldberg & Dagan 2015, TACL, section 3.1), or rare words would stand for all others.
    """
    own, total = pairs[list(rows)].astype(np.float64), max(1.0, float(pairs.sum()))
    together, expected = int(counts[0, rows[1]]), float(own[0] * own[1] / total)
    smoothed = pairs.astype(np.float64) ** exponent * (pairs > 0)
    chance = own[:, None] * (smoothed / max(smoothed.sum(), 1e-300))
    with np.errstate(divide="ignore", invalid="ignore"):
        ppmi = np.where(counts > 0, np.maximum(0, np.log2(counts / chance)), 0)
    lengths = np.linalg.norm(ppmi, axis=1)
    carried = ppmi[0] * ppmi[1] / (lengths[0] * lengths[1]) if lengths.all() else np.zeros(len(pairs))
    cosine = float(carried.sum())
    pmi = float(np.log2(together / expected)) if together else None
    often = np.where((counts >= CONTEXTS).all(axis=0), carried, 0)
    best = [row for row in queries.top_rows(often, topn) if often[row] > 0]
    contexts = tuple(
        SharedContext(inputs.index_to_key[row], int(counts[0, row]), int(counts[1, row]), float(carried[row] / cosine))
        for row in best
    )
    return Meetings(window, together, expected, pmi, min(1.0, cosine)), contexts


def _examples(
    inputs: KeyedVectors, corpus: Encoded, rows: tuple[int, ...], window: int, meetings: int, wanted: int
) -> tuple[str, ...]:
    """Windows in which both words stand, at equal distances through the corpus; the two words are in brackets."""
    found = np.empty((min(wanted, meetings), 3), np.int64)
    if not len(found):
        return ()
    first, second = rows
    count = _windows.find_meetings(
        corpus.tokens, corpus.offsets, first, second, window, max(1, meetings // len(found)), found
    )
    shown = []
    for sentence, *places in found[:count].tolist():
        begin = max(int(corpus.offsets[sentence]), min(places) - window)
        end = min(int(corpus.offsets[sentence + 1]), max(places) + window + 1)
        words = [str(inputs.index_to_key[token]) for token in corpus.tokens[begin:end].tolist()]
        for place in places:
            words[place - begin] = f"[{words[place - begin]}]"
        shown.append(" ".join(words))
    return tuple(shown)


def _draw(found: Explanation, label: int) -> "Figure":
    alike, together = found._scores
    if together is None:
        raise ValueError("a model without output vectors knows one similarity; train with negative > 0 for a figure")
    figure, axes = new_figure(6.4, 4.8)
    place = {word: row for row, word in enumerate(found._words)}
    own, other = place[found.a], place[found.b]
    rest = np.delete(np.arange(len(alike)), own)
    axes.plot(alike[rest], together[rest], ".", color="0.75", markersize=2, rasterized=True, zorder=1)
    named: dict[int, tuple[str, str]] = {}
    for scores, colour, marker in ((alike, COLOURS[0], "o"), (together, COLOURS[1], "^")):
        for row in queries.top_rows(scores, label, {own, other}):
            named.setdefault(row, (colour, marker))
    for row, (colour, marker) in named.items():
        axes.plot(alike[row], together[row], marker, color=colour, markersize=4.5, zorder=2)
    for colour, marker, what in ((COLOURS[0], "o", "used most alike"), (COLOURS[1], "^", "standing together most")):
        axes.plot([], [], marker, color=colour, markersize=4.5, label=what)
    axes.legend(loc="upper left", frameon=False, fontsize=8)
    axes.plot(alike[other], together[other], "*", color="black", markersize=11, zorder=3)
    _write_beside(axes, [(alike[row], together[row], str(found._words[row]), row == other) for row in [*named, other]])
    axes.set_xlabel(f"used like “{found.a}” (in-in cosine)")
    axes.set_ylabel(f"standing with “{found.a}” (in-out cosine)")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _write_beside(axes: Any, points: list[tuple[float, float, str, bool]]) -> None:
    """Write labels to the right of their points, moved down where they would lie on another."""
    low, high = axes.get_ylim()
    step = (high - low) / 28
    width = (axes.get_xlim()[1] - axes.get_xlim()[0]) / 60
    taken: list[tuple[float, float, float]] = []
    for x, y, text, bold in sorted(points, key=lambda point: -point[1]):
        at, wide = float(y), width * (len(text) + 1)
        while any(abs(at - v) < step and x < u + w and u < x + wide for u, v, w in taken):
            at -= step / 4
        taken.append((float(x), at, wide))
        axes.annotate(
            text, (x, y), (x + width * 0.6, at), fontsize=7.5, va="center", weight="bold" if bold else "normal",
            arrowprops={"arrowstyle": "-", "color": "0.6", "linewidth": 0.5} if at < y - step / 2 else None,
        )  # fmt: skip
    axes.set_xlim(right=max(axes.get_xlim()[1], max(u + w for u, _, w in taken)))

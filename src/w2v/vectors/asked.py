"""What a query asks: its arguments, checked, and the spaces it may ask in."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from w2v.common import checks
from w2v.common.html import Neighbors
from w2v.vectors import queries
from w2v.vectors.lookup import check_list, refuse_bytes, whole_or_none

# Which vectors a query takes of the words asked about, and of the words that answer.
SPACES = ("in-in", "in-out", "out-in", "out-out", "sum")


class Question(NamedTuple):
    """A checked question for the nearest words.

    Attributes
    ----------
    items : list of (key, row or ndarray; weight)
    topn : int or None
    start, end : int, the rows that may answer
    """

    items: list[tuple[Any, float]]
    topn: int | None
    start: int
    end: int

    def mean_in(self, vectors: Any) -> Any:
        """The vector that asks, of some `KeyedVectors`: the weighted mean of the items, at unit length."""
        items, weights = [item for item, _ in self.items], [weight for _, weight in self.items]
        return vectors.get_mean_vector(items, weights, post_normalize=True, ignore_missing=False)

    @property
    def keys(self) -> list[Any]:
        """The words among the items, which do not answer."""
        return [item for item, _ in self.items if not isinstance(item, np.ndarray)]


def question(
    positive: Any,
    negative: Any,
    topn: Any,
    words: int,
    clip_start: Any = 0,
    clip_end: Any = None,
    restrict_vocab: Any = None,
) -> Question:
    """Check the arguments of ``most_similar`` over so many words."""
    topn = number_wanted(topn, restrict_vocab)
    clips = slice(whole_or_none("clip_start", clip_start), whole_or_none("clip_end", clip_end))
    start, end, _ = clips.indices(words)
    if restrict_vocab is not None:
        start, end, _ = slice(restrict_vocab).indices(words)
    items = [_weigh("positive", item, 1.0) for item in as_list("positive", positive)]
    items += [_weigh("negative", item, -1.0) for item in as_list("negative", negative)]
    return Question(items, topn, start, end)


def number_wanted(topn: Any, restrict_vocab: Any) -> int | None:
    """`topn` as an int, or None; `restrict_vocab` is checked along with it."""
    whole_or_none("restrict_vocab", restrict_vocab, 0)
    return whole_or_none("topn", topn)


def number_for_many(topn: Any, restrict_vocab: Any) -> int:
    """`topn` of a batch as an int of at least 0."""
    if (count := number_wanted(topn, restrict_vocab)) is None:
        raise TypeError("topn=None would be the scores of all words for each word; most_similar gives them")
    return max(0, count)


def as_list(name: str, items: Any) -> list[Any]:
    """Return a bare item as a list of one, and None as an empty list."""
    if items is None:
        return []
    if isinstance(items, (str, int, np.integer)) or (isinstance(items, np.ndarray) and items.ndim == 1):
        return [items]
    return check_list(name, items)


def _weigh(name: str, item: Any, weight: float) -> tuple[Any, float]:
    if isinstance(item, (str, int, np.integer, np.ndarray)):
        return item, weight
    refuse_bytes(name, item)
    try:
        key, own = item
    except (TypeError, ValueError):
        raise TypeError(f"{name}: {item!r:.80} is no word, row, vector, or pair of one and its weight") from None
    if isinstance(own, bool | np.bool_):
        raise TypeError(f"the weight of {key!r:.80} in {name} is {own!r}, which is no number")
    return key, checks.number(f"the weight of {key!r:.80} in {name}", own)


def check_space(space: Any) -> str:
    """Return the name of a space; ValueError if there is none of it."""
    return str(checks.one_of("space", space, SPACES))


def refuse_other_spaces(space: Any, indexer: Any = None) -> None:
    """ValueError for all spaces but the one that vectors alone have; TypeError for what is no indexer."""
    if indexer is not None and not callable(getattr(indexer, "most_similar", None)):
        raise TypeError(f"indexer={indexer!r:.80} has no method most_similar(vector, topn)")
    if check_space(space) != "in-in":
        raise ValueError(
            f"space={space!r} needs the output vectors too, and these are input vectors alone; load the whole model: "
            f"Word2Vec.load(path).most_similar(..., space={space!r})"
        )


def ask_indexer(
    indexer: Any, keys: Sequence[Any], rows: Iterable[int], vectors: Any, count: int
) -> list[list[tuple[Any, float]]]:
    """Ask for the nearest to each of some vectors, and for one more, since a word (with a row) may be found itself."""
    found = []
    for row, unit in zip(rows, queries.unit_rows(vectors, None), strict=True):
        near = indexer.most_similar(unit, count + 1)
        found.append([(key, cosine) for key, cosine in near if row < 0 or key != keys[row]][:count])
    return found


def of_known(values: Any, rows: Sequence[int]) -> Any:
    """Numbers of some rows; 0 for a row of -1."""
    return np.where(np.array(rows) >= 0, values[rows], values.dtype.type(0))


def scored(keys: Sequence[Any], rows: Any, cosines: Any) -> list[tuple[Any, float]]:
    """Arrays of rows and cosines as keys and cosines."""
    return Neighbors((keys[row], cosine) for row, cosine in zip(rows.tolist(), cosines.tolist(), strict=True))


def neighbors_at(rows: Iterable[int], keys: Sequence[Any], scores: Any, start: int) -> list[tuple[Any, float]]:
    """Rows, counted from `start`, as keys and their scores."""
    return Neighbors((keys[row + start], float(scores[row])) for row in rows)

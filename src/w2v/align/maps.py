"""Learnt maps: from pairs of words to a map from one space to another, and what can be asked of it."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from w2v.align import retrieval, solve
from w2v.align.pairs import Anchors, Pairs, frequency_weights, known_pairs, shared_rows
from w2v.common import checks
from w2v.terms import steps
from w2v.vectors import queries
from w2v.vectors.keyed import KeyedVectors

logger = logging.getLogger(__name__)

Array = NDArray[Any]
Words = Sequence[Any]
Scored = list[tuple[Any, float]]

METHODS = ("orthogonal", "least_squares", "ridge")
FOLDS = 5
# Of the words to which refinement gives new anchors, at most; the most frequent have the best vectors.
REFINED_WORDS = 20_000


class HeldOut(NamedTuple):
    """How well a map does on anchors that it was not fitted on.

    Attributes
    ----------
    anchors : int, how many
    cosine : float, the mean cosine of a mapped row with its partner
    precision : float, the share of anchors whose nearest target, by CSLS, is a partner
    """

    anchors: int
    cosine: float
    precision: float


@dataclass(frozen=True)
class Options:
    """How a map is fitted; see `fit`."""

    method: str = "orthogonal"
    center: bool = True
    unit: bool = True
    robust: bool = False
    refine: int = 0
    penalty: float | None = None

    def solver(self) -> solve.Solver:
        if self.method == "ridge":
            return lambda source, target, weights: solve.ridge(source, target, weights, self.penalty)
        return solve.orthogonal if self.method == "orthogonal" else solve.least_squares


class Side:
    """One of the two spaces, as the map sees it: rows of unit length, or as they are, less the mean of the anchors.

    Attributes
    ----------
    vectors : KeyedVectors
    mean : float32 [vector_size], what is subtracted
    """

    def __init__(self, vectors: KeyedVectors, options: Options) -> None:
        self.vectors, self.options = vectors, options
        self.mean = np.zeros(vectors.vector_size, np.float32)

    def anchored(self, rows: NDArray[np.int64], weights: NDArray[np.float64] | None = None) -> Array:
        """The prepared rows of the anchors, whose mean becomes that of the side, float32 [rows, vector_size]."""
        self.mean[:] = 0
        anchors = self.prepared(self.vectors.peek()[rows])
        if self.options.center:
            self.mean = np.average(anchors, axis=0, weights=weights).astype(np.float32)
            anchors -= self.mean
        return anchors

    def prepared(self, vectors: Array) -> Array:
        """Rows of any vectors of this space, float32 [rows, vector_size], a copy."""
        rows = np.array(vectors, np.float32)
        if self.options.unit:
            rows = queries.unit_rows(rows, queries.row_norms(rows))
        rows -= self.mean
        return rows


class Map:
    """A map from the space of one set of vectors to that of another; `fit` makes one.

    Attributes
    ----------
    source, target : KeyedVectors
    matrix : float64 [source vector_size, target vector_size]
        What prepared rows of the source are multiplied by; see `transform`.
    anchors : int64 [pairs, 2]
        Rows of source and target that it was fitted on, after refinement those found last.
    factors : float64 [pairs] or None
        With ``robust=True``, what each anchor weighed, 1 in the mean. Small ones do not fit the others.
    options : Options, as given to `fit`
    """

    def __init__(
        self,
        source: Side,
        target: Side,
        matrix: NDArray[np.float64],
        anchors: NDArray[np.int64],
        factors: NDArray[np.float64] | None,
        options: Options,
        refit: Callable[[Any], "Map"] | None = None,
    ) -> None:
        self._from, self._to, self._refit = source, target, refit
        self.matrix, self.anchors, self.factors, self.options = matrix, anchors, factors, options
        self._given = anchors  # before refinement
        self._kept: dict[str, Any] = {}

    @property
    def source(self) -> KeyedVectors:
        """Where it comes from."""
        return self._from.vectors

    @property
    def target(self) -> KeyedVectors:
        """Where it leads to."""
        return self._to.vectors

    def __repr__(self) -> str:
        sizes = " -> ".join(map(str, self.matrix.shape))
        return f"Map<{self.options.method}, {sizes}, {len(self.anchors):,} anchors>"

    def transform(self, vectors: Any) -> Any:
        """Bring vectors of the source into the space of the target.

        With ``unit`` they are scaled to length 1 first; with ``center`` the mean of the source's anchors is subtracted
        before the map and that of the target's added behind it.

        Parameters
        ----------
        vectors : ndarray [rows, vector_size] or [vector_size], or KeyedVectors

        Returns
        -------
        float32 ndarray, or KeyedVectors with the words and attributes of those given
        """
        if isinstance(vectors, KeyedVectors):
            attributes = {name: values.copy() for name, values in vectors.expandos.items()}
            made = KeyedVectors.from_arrays(list(vectors.index_to_key), self.transform(vectors.peek()), attributes)
            return steps.taken_over(made, vectors)
        rows = np.asarray(vectors)
        if rows.ndim not in (1, 2) or rows.shape[-1] != len(self.matrix):
            raise ValueError(f"vectors of shape {rows.shape}; this map takes [rows, {len(self.matrix)}]")
        mapped = self._from.prepared(np.atleast_2d(rows)) @ self.matrix.astype(np.float32) + self._to.mean
        return mapped.reshape(*rows.shape[:-1], -1)

    def inverse(self) -> "Map":
        """The map back: the transpose of an orthogonal one, the pseudo-inverse of any other."""
        turned = self.options.method == "orthogonal"
        matrix = self.matrix.T if turned else np.asarray(np.linalg.pinv(self.matrix), np.float64)
        refit = self._refit
        again = None if refit is None else lambda kept: refit(kept).inverse()
        back = Map(self._to, self._from, matrix, self.anchors[:, ::-1], self.factors, self.options, again)
        back._given = self._given[:, ::-1]
        return back

    def translate(
        self, words: Any, topn: int = 5, retrieval: str = "csls", restrict: int | None = None
    ) -> dict[Any, Scored]:
        """Find the target's words nearest to mapped words of the source.

        Parameters
        ----------
        words : str or list of str
        topn : int, default 5
        retrieval : {"csls", "nn", "inverted_softmax"}
            By the cosine less what both sides have with everybody (csls, Conneau et al. 2018), by the cosine (nn), or
            by the probability that a target has of being translated back (inverted_softmax, Smith et al. 2017). All but
            nn look at all source words once, which takes seconds for large vocabularies and is kept.
        restrict : int, optional
            Only this many of the first (most frequent) words of the target are answers.

        Returns
        -------
        dict of word to list of (word, score)
            Best first. Scores are comparable within a word's list.

        Raises
        ------
        KeyError
            A word is not in the source.
        """
        checks.one_of("retrieval", retrieval, _WAYS)
        count = checks.integer("topn", topn, 1)
        asked = [words] if isinstance(words, str) else list(words)
        rows = np.array(self.source.rows_of(asked), np.int64)
        found, scores = self._nearest(rows, count, retrieval, restrict)
        names = self.target.index_to_key
        return {
            word: [(names[row], float(score)) for row, score in zip(its_rows, its_scores, strict=True)]
            for word, its_rows, its_scores in zip(asked, found.tolist(), scores.tolist(), strict=True)
        }

    def _nearest(
        self, rows: NDArray[np.int64], count: int, way: str, restrict: int | None = None
    ) -> tuple[Array, Array]:
        asked, targets = self._mapped()[rows], self._targets()[:restrict]
        if way == "nn":
            return retrieval.nearest(asked, targets, count)
        slope, penalty = self._penalties(way)
        found, scores = retrieval.nearest(asked, targets, count, slope, penalty[:restrict])
        if way == "csls":
            scores = scores - retrieval.mean_of_nearest(asked, self._targets())[:, None]
        return found, scores

    def _mapped(self) -> Array:
        """Unit rows of the whole source, mapped, without the mean of the target."""
        if "mapped" not in self._kept:
            rows = self._from.prepared(self.source.peek()) @ self.matrix.astype(np.float32)
            self._kept["mapped"] = queries.unit_rows(rows, queries.row_norms(rows))
        return self._kept["mapped"]  # type: ignore[no-any-return]

    def _targets(self) -> Array:
        if "targets" not in self._kept:
            rows = self._to.prepared(self.target.peek())
            self._kept["targets"] = queries.unit_rows(rows, queries.row_norms(rows))
        return self._kept["targets"]  # type: ignore[no-any-return]

    def _penalties(self, way: str) -> tuple[float, Array]:
        if way not in self._kept:
            self._kept[way] = retrieval.penalties(way, self._mapped(), self._targets())
        return self._kept[way]  # type: ignore[no-any-return]

    def cosines(self, pairs: Iterable[tuple[Any, Any]] | None = None) -> Array:
        """Cosine of each pair's mapped row and its partner, float32 [pairs]; by default of the anchors."""
        rows = self.anchors if pairs is None else known_pairs(pairs, self.source, self.target).rows
        return self._cosines(rows)

    def _cosines(self, rows: NDArray[np.int64]) -> Array:
        found: Array = np.vecdot(self._mapped()[rows[:, 0]], self._targets()[rows[:, 1]])
        return found

    def held_out(self, folds: int = FOLDS) -> HeldOut:
        """Fit again without each fifth of the anchors in turn, and try each of these maps on the anchors left out.

        Parameters
        ----------
        folds : int, default 5

        Raises
        ------
        ValueError
            There are fewer anchors than folds, or this map was not fitted on anchors of its own.
        """
        folds = checks.integer("folds", folds, 2)
        if self._refit is None:
            raise ValueError("this map is one of several that were fitted together; fit one for itself")
        if len(self._given) < folds:
            raise ValueError(f"{len(self._given)} anchors for folds={folds}; give more anchors, or lower folds")
        cosines: list[float] = []
        right = 0
        words, place = np.unique(self._given[:, 0], return_inverse=True)
        for fold in range(folds):
            out = place % folds == fold  # all pairs of a word together
            other, tried = self._refit(~out), self._given[out]
            cosines += other._cosines(tried).tolist()
            asked = words[fold::folds]
            answers = other._nearest(asked, 1, "csls")[0][:, 0]
            partners = set(map(tuple, tried.tolist()))
            right += len(partners.intersection(zip(asked.tolist(), answers.tolist(), strict=True)))
        return HeldOut(len(self._given), float(np.mean(cosines)), right / len(words))

    def shifted(self, topn: int = 20, restrict: int | None = 10_000) -> Scored:
        """List the words whose two vectors disagree most: what changed its meaning, or its use, between the two.

        Source: Hamilton, Leskovec & Jurafsky 2016 (arXiv:1605.09096), section 2.3. A rare word's vector is uncertain,
        and disagrees for that alone; `w2v.stability` says how much is chance.

        Parameters
        ----------
        topn : int, default 20
        restrict : int or None, default 10000
            Only words that are among this many of the first (most frequent) of both sides; None for all.

        Returns
        -------
        list of (word, cosine)
            The lowest cosine first; of words that both sides have under the same name, or, if there are none, of the
            anchors.
        """
        rows = shared_rows(self.source, self.target)
        if not len(rows):
            rows = self.anchors
        if restrict is not None:
            rows = rows[(rows < restrict).all(axis=1)]
        cosines = self._cosines(rows)
        lowest = np.argsort(cosines, kind="stable")[: checks.integer("topn", topn, 1)]
        names = self.source.index_to_key
        return [(names[int(rows[place, 0])], float(cosines[place])) for place in lowest.tolist()]


_WAYS = retrieval.WAYS


def fit(
    source: KeyedVectors,
    target: KeyedVectors,
    anchors: Anchors = None,
    method: str = "orthogonal",
    *,
    center: bool = True,
    unit: bool = True,
    weights: str | ArrayLike | None = None,
    robust: bool = False,
    refine: int = 0,
    penalty: float | None = None,
) -> Map:
    """Fit a map from the space of one set of vectors to that of another.

    Parameters
    ----------
    source, target : KeyedVectors
    anchors : None, int, or iterable of (source word, target word)
        Words that mean the same on both sides: all that both have under the same name, so many of the most frequent of
        these, or pairs such as those of a dictionary.
    method : {"orthogonal", "least_squares", "ridge"}
        ``orthogonal`` turns (Schönemann 1966): lengths, angles and so all neighbours of the source stay as they are;
        what one wants for two models of one language, and safest with few anchors. ``least_squares`` also stretches and
        shears (Mikolov et al. 2013, arXiv:1309.4168), and needs many more anchors than dimensions. ``ridge`` is
        between them: it stretches no more than the anchors prove.
    center : bool, default True
        Subtract the mean of the anchors on each side: the direction in which all vectors of a model lean.
    unit : bool, default True
        Scale rows to length 1 first: what is fitted is then the cosine.
    weights : "frequency" or array_like [pairs], optional
        What an anchor counts. "frequency" is the logarithm of the smaller of its two counts: vectors of frequent words
        are more certain. An array belongs to pairs, or to the anchors in the order of `Map.anchors`.
    robust : bool, default False
        Make the sum of distances smallest, not of their squares: wrong pairs, and words that have changed, weigh
        little.
    refine : int, default 0
        So many times, take as new anchors the words that are each other's nearest by CSLS, among the 20,000 most
        frequent, and fit again (Conneau et al. 2018, arXiv:1710.04087, section 2.2). It helps with few anchors.
    penalty : float, optional
        Of ``ridge``, as a share of the mean variance of a direction; by default what predicts anchors that are left out
        best.

    Returns
    -------
    Map

    Raises
    ------
    ValueError
        No anchor is known on both sides, the pairs are the wrong way round, or a parameter is out of range.
    TypeError
        A side is no `KeyedVectors`, or anchors are no pairs.

    Notes
    -----
    Unknown and repeated pairs are left out, and fewer anchors than dimensions leave directions without a say; both are
    logged as warnings.
    """
    for name, side in (("source", source), ("target", target)):
        _check_space(name, side)
    if penalty is not None:
        checks.number("penalty", penalty, 0)
        if method != "ridge":
            raise ValueError(f"penalty={penalty!r} belongs to method='ridge', not to {method!r}")
    options = Options(
        checks.one_of("method", method, METHODS),
        bool(center),
        bool(unit),
        bool(robust),
        checks.integer("refine", refine, 0),
        penalty,
    )
    pairs = known_pairs(anchors, source, target)
    given = _weights_of(weights, pairs, source, target)
    least = source.vector_size
    if len(pairs.rows) < least:
        logger.warning(
            "%d anchors for vectors of %d numbers: they say nothing about %d directions; give more anchors, or refine=",
            *(len(pairs.rows), least, least - len(pairs.rows)),
        )

    def fitted(kept: Any = slice(None)) -> Map:
        """A map from a part of the anchors."""
        own = None if given is None else given[kept]
        return _refined(_fitted(source, target, pairs.rows[kept], own, options))

    found = fitted()
    found._given, found._refit = pairs.rows, fitted
    return found


def _fitted(
    source: KeyedVectors,
    target: KeyedVectors,
    rows: NDArray[np.int64],
    weights: NDArray[np.float64] | None,
    options: Options,
) -> Map:
    sides = Side(source, options), Side(target, options)
    left, right = (side.anchored(rows[:, number], weights) for number, side in enumerate(sides))
    if options.robust:
        matrix, factors = solve.robust(options.solver(), left, right, weights)
        return Map(*sides, matrix, rows, factors, options)
    return Map(*sides, options.solver()(left, right, weights), rows, None, options)


def _refined(made: Map) -> Map:
    """The map after so many rounds of anchors that it finds by itself."""
    for _ in range(made.options.refine):
        rows = _mutual(made)
        if len(rows) < 2:
            logger.warning("refine: the two spaces have no words that are each other's nearest; the map stays as it is")
            break
        made = _fitted(made.source, made.target, rows, None, made.options)
    return made


def _mutual(made: Map) -> NDArray[np.int64]:
    """Pairs of frequent words that are each other's nearest by CSLS."""
    mapped, targets = made._mapped()[:REFINED_WORDS], made._targets()[:REFINED_WORDS]
    there = retrieval.nearest(mapped, targets, 1, *retrieval.penalties("csls", mapped, targets))[0][:, 0]
    back = retrieval.nearest(targets, mapped, 1, *retrieval.penalties("csls", targets, mapped))[0][:, 0]
    rows = np.flatnonzero(back[there] == np.arange(len(mapped)))
    return np.stack([rows, there[rows]], axis=1)


def fit_many(
    spaces: Mapping[Any, KeyedVectors] | Sequence[KeyedVectors],
    anchors: int | Iterable[Any] | None = None,
    *,
    center: bool = True,
    unit: bool = True,
) -> list[Map]:
    """Fit orthogonal maps of several sets of vectors to one space, in which none of them is a pivot.

    Source: generalised Procrustes analysis (Gower 1975, Psychometrika).

    Parameters
    ----------
    spaces : sequence of KeyedVectors, or mapping with them as values
        Two or more, of one vector size.
    anchors : None, int, or iterable of str
        Words that all of them have: by default all of these; so many of the most frequent; or these words.
    center, unit
        As in `fit`.

    Returns
    -------
    list of Map
        In the order given. The target of each is the consensus: the mean of all mapped vectors, of the anchors.

    Raises
    ------
    ValueError
        Fewer than two spaces, of different sizes, or without a word in common.
    KeyError
        A word of `anchors` is missing in one.
    """
    several = list(spaces.values()) if isinstance(spaces, Mapping) else list(spaces)
    if len(several) < 2:
        raise ValueError(f"{len(several)} sets of vectors; it takes two to align")
    for number, space in enumerate(several):
        _check_space(f"spaces[{number}]", space)
    if len(sizes := {space.vector_size for space in several}) > 1:
        raise ValueError(f"vectors of {' and '.join(map(str, sorted(sizes)))} numbers; one size is needed for all")
    rows = _common_rows(several, anchors)
    options = Options(center=bool(center), unit=bool(unit))
    sides = [Side(space, options) for space in several]
    maps, mean = solve.consensus([side.anchored(rows[:, number]) for number, side in enumerate(sides)])
    names = several[0].index_to_key
    together = KeyedVectors.from_arrays([names[row] for row in rows[:, 0].tolist()], mean.astype(np.float32))
    target = Side(together, replace(options, center=False, unit=False))
    own = np.arange(len(rows))
    return [
        Map(side, target, matrix, np.stack([rows[:, number], own], axis=1), None, options)
        for number, (side, matrix) in enumerate(zip(sides, maps, strict=True))
    ]


def _common_rows(spaces: list[KeyedVectors], anchors: int | Iterable[Any] | None) -> NDArray[np.int64]:
    """Rows of words that all spaces have, int64 [words, spaces], the most frequent first."""
    count = anchors if isinstance(anchors, int) and not isinstance(anchors, bool) else None
    if anchors is None or count is not None:
        words = [word for word in spaces[0].index_to_key if all(word in space.key_to_index for space in spaces[1:])]
    else:
        words = list(dict.fromkeys(anchors))  # type: ignore[arg-type]
    rows = np.array([space.rows_of(words) for space in spaces], np.int64).reshape(len(spaces), -1).T
    if count is not None:
        rows = rows[np.argsort(rows.max(axis=1), kind="stable")[: checks.integer("anchors", count, 1)]]
    if len(rows) < 2:
        raise ValueError(f"{len(rows)} words are in all {len(spaces)} sets of vectors; there is nothing to align by")
    return rows


def _check_space(name: str, space: Any) -> None:
    if not isinstance(space, KeyedVectors):
        hint = f"; give {name}.wv" if hasattr(space, "wv") else ""
        raise TypeError(f"{name} is a {type(space).__name__}, and must be KeyedVectors{hint}")
    if len(space) < 2:
        raise ValueError(f"{name} has {len(space)} words; there is nothing to align")
    if not np.isfinite(space.peek()).all():
        raise ValueError(f"{name} has vectors with NaN or infinite values; train it again, or leave these words out")


def _weights_of(
    weights: str | ArrayLike | None, pairs: Pairs, source: KeyedVectors, target: KeyedVectors
) -> NDArray[np.float64] | None:
    if weights is None:
        return None
    if isinstance(weights, str):
        checks.one_of("weights", weights, ["frequency"])
        return frequency_weights(pairs.rows, source, target)
    given = np.asarray(weights, np.float64)
    if given.shape != (pairs.given,):
        raise ValueError(f"weights of shape {given.shape} for {pairs.given:,} anchors; give one for each")
    if not np.isfinite(given).all() or (given < 0).any() or not given.any():
        raise ValueError("weights must be numbers of at least 0, not all of them 0")
    return given[pairs.places]

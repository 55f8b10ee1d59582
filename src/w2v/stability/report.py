"""All measures over all pairs of runs: per word, by frequency band and in total, with bootstrap intervals."""

import csv
import io
import itertools
import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.common.checks import integer
from w2v.common.progress import progress_bar
from w2v.common.tables import format_table as format_table
from w2v.common.tables import without_nan
from w2v.files.reading import Pathlike
from w2v.files.writing import atomic_write
from w2v.stability import measures
from w2v.stability.neighbors import Array, Record, Runs, Space, name_runs, neighbor_tables

WORDS = 10_000  # measured by default: ten runs of 80,000 words then take a minute, not eight
FIT_WORDS = 10_000  # most frequent words, for rotations and whole spaces (as Leszczynski et al. 2020)
PAIRS = 10_000  # random pairs of words for the rank correlation
RESAMPLES = 1000  # of the bootstrap: enough for a 95 % interval (Efron & Tibshirani 1993, chapter 19)
CONFIDENCE = 0.95
BLOCK_WORDS = 4096  # words whose resampled values are in memory at a time

PER_WORD = ("overlap", "jaccard", "joint", "reliability", "rbo", "aligned_cosine", "raw_cosine", "raw_distance")
WHOLE = ("pip_loss", "eigenspace_overlap", "spearman")
ROTATION = ("raw_cosine", "raw_distance")  # measure rotation, not meaning


class Report(NamedTuple):
    """The result of `measure`.

    Attributes
    ----------
    runs : list of str
    k : int
        Neighbours per word.
    words : list
        The words measured, the most frequent first.
    counts : ndarray of int64 [words] or None
        Their counts in the corpus of the first run; None if its file has no counts.
    bands : list of str
        The frequency band of each word.
    values : dict of str to ndarray of float64 [words]
        For each measure of words its mean over the pairs of runs. ``joint`` compares all runs at once, and
        ``reliability`` (from three runs on) is the mean over the runs left out.
    low, high : dict of str to ndarray of float64 [words]
        Ends of the 95 % interval of each value, from resampled runs; for ``joint`` and ``reliability`` both ends are
        the value itself.
    pairs : list of dict
        For each pair of runs, ``first`` and ``second``: the three measures of whole spaces, and the means of the
        others over the words.
    summary : list of dict
        For each measure and band, and for ``band="all"``: ``measured``, the number of words, ``mean``, ``low`` and
        ``high``.
    """

    runs: list[str]
    k: int
    words: list[Any]
    counts: NDArray[np.int64] | None
    bands: list[str]
    values: dict[str, NDArray[np.float64]]
    low: dict[str, NDArray[np.float64]]
    high: dict[str, NDArray[np.float64]]
    pairs: list[Record]
    summary: list[Record]

    def total(self, measure: str) -> float:
        """Return the mean of a measure over the whole vocabulary.

        Raises
        ------
        KeyError
            No such measure.
        """
        for record in self.summary:
            if record["measure"] == measure and record["band"] == "all":
                return float(record["mean"])
        raise KeyError(f"no measure {measure!r}; there are {', '.join(PER_WORD + WHOLE)}")

    def word_records(self) -> list[Record]:
        """Return a plain record per word: its count and band, and for each measure the value and its interval."""
        records = []
        for place, word in enumerate(self.words):
            record: Record = {"word": word, "count": None if self.counts is None else int(self.counts[place])}
            record["band"] = self.bands[place]
            for name, values in self.values.items():
                record[name] = float(values[place])
                if name not in ("joint", "reliability"):
                    record[f"{name}_low"] = float(self.low[name][place])
                    record[f"{name}_high"] = float(self.high[name][place])
            records.append(record)
        return records


def measure(
    runs: Runs,
    k: int = 10,
    words: int | Sequence[Any] = WORDS,
    pairs: Sequence[tuple[Any, Any]] | None = None,
    seed: int = 1,
    progress: bool | None = None,
) -> Report:
    """Measure how far runs agree: every measure of `w2v.stability.measures`, over all pairs of runs.

    Neighbours come from all words of a run. Rotations, PIP loss and eigenspace overlap use the 10,000 most frequent
    words that all runs share.

    An interval comes from the percentiles of 1,000 bootstrap samples (Efron & Tibshirani 1993, section 13.3). The
    samples resample the runs for a word or a whole space, and both the runs and the words within each band for means
    over words. They resample the words alone for ``joint`` and ``reliability``, which have no pairs, and for two runs.

    `neighbor_tables` takes most of the time. Memory is the memory of `neighbor_tables`, 4 bytes per measured word, pair
    of runs and measure, and 24 bytes per dimension and run for each of 10,000 words: 0.3 GB for ten runs in 100
    dimensions.

    Parameters
    ----------
    runs : mapping of str to KeyedVectors, or a sequence of them
        Two runs or more, of one vector size: ours, gensim's, or read from anyone's files.
    k : int, default 10
    words : int or sequence of str, default 10,000
        The words to measure, or their number. A number draws a sample of the words that all runs share, with `seed`, as
        equally as possible from each frequency band. Totals over a sample weigh its bands as the vocabulary does.
    pairs : sequence of (str, str), optional
        For the rank correlation; by default 10,000 random pairs of the words measured.
    seed : int, default 1
        Seed of the sample, the pairs and the bootstrap. The same arguments give the same report.
    progress : bool, optional
        Bars on stderr; by default only if that is a terminal.

    Returns
    -------
    Report

    Raises
    ------
    KeyError
        One of `words` or `pairs` is not in every run. (`neighbor_tables` and `reliability` take such words.)
    ValueError
        Fewer than two runs, runs of different vector sizes, a run without k other words, or no words in common.

    Examples
    --------
    >>> import numpy as np
    >>> from w2v import KeyedVectors
    >>> words, vectors = list("abcdefgh"), np.random.default_rng(1).normal(size=(8, 4))
    >>> turned = vectors @ np.linalg.qr(np.random.default_rng(2).normal(size=(4, 4)))[0]
    >>> runs = [KeyedVectors.from_arrays(words, vectors), KeyedVectors.from_arrays(words, turned)]
    >>> report = measure(runs, k=3)
    >>> report.total("overlap"), round(report.total("aligned_cosine"), 6), report.total("raw_cosine") < 0.9
    (1.0, 1.0, True)
    """
    spaces = name_runs(runs)
    _check_sizes(spaces)
    first = next(iter(spaces.values()))
    shared = _shared_words(spaces)
    counts = _counts_of(first)
    rows = np.array([first.key_to_index[word] for word in shared])
    band, names = _bands(counts, rows)
    places = _choose_words(spaces, shared, words, band, seed)
    measured = [shared[place] for place in places]
    tables, _ = neighbor_tables(spaces, measured, k, progress)
    per_word = _joint_values(tables) | _pair_values(spaces, tables, shared[:FIT_WORDS], measured, progress)
    whole = _whole_values(spaces, shared[:FIT_WORDS], _word_pairs(spaces, pairs, measured, seed))
    # A list of words stands for itself, a sample for the vocabulary.
    sizes = np.bincount(band if isinstance(words, int | np.integer) else band[places], minlength=len(names))
    values, low, high, summary = _summarise(per_word, len(spaces), band[places], names, sizes, seed)
    summary += _summarised_whole(whole, len(spaces), len(shared[:FIT_WORDS]), seed)
    return Report(
        runs=list(spaces),
        k=k,
        words=measured,
        counts=None if counts is None else counts[rows[places]],
        bands=[names[number] for number in band[places]],
        values=values,
        low=low,
        high=high,
        pairs=_pair_records(list(spaces), per_word, whole),
        summary=summary,
    )


# --- which words --------------------------------------------------------------------------------------------------


def _check_sizes(spaces: Mapping[str, Space]) -> None:
    sizes = {space.vectors.shape[1] for space in spaces.values()}
    if len(sizes) > 1:
        raise ValueError(
            f"runs with vectors of {', '.join(map(str, sorted(sizes)))} dimensions; measure those of one size, or "
            "compare two with neighbor_tables, pip_loss and eigenspace_overlap"
        )


def _shared_words(spaces: Mapping[str, Space]) -> list[Any]:
    """Words of all runs, in the order of the first."""
    first, *others = spaces.values()
    shared = [word for word in first.index_to_key if all(word in space.key_to_index for space in others)]
    if not shared:
        raise ValueError(f"the {len(spaces)} runs have no word in common")
    return shared


def _counts_of(space: Space) -> NDArray[np.int64] | None:
    """The count of each word of a run; None if a loader made the counts up from the order of the rows."""
    counts = getattr(space, "expandos", {}).get("count")
    if counts is None or np.array_equal(counts, np.arange(len(counts), 0, -1)):
        return None
    return np.asarray(counts, np.int64)


def _bands(counts: NDArray[np.int64] | None, rows: Array) -> tuple[NDArray[np.int64], list[str]]:
    """The band of each of `rows`, two per power of ten, and the bands' names; by rank if counts are unknown.

    Bands of counts are numbered from the rarest words on, bands of ranks from the most frequent words on.
    """
    numbers = rows + 1 if counts is None else np.maximum(counts[rows], 1)
    edges = [1]
    while edges[-1] <= numbers.max():  # 1, 3, 10, 30, 100, ...
        edges.append(edges[-1] * 3 if len(edges) % 2 else edges[-1] // 3 * 10)
    band = np.searchsorted(edges, numbers, side="right") - 1
    used, band = np.unique(band, return_inverse=True)
    prefix = "rank " if counts is None else ""
    return band, [f"{prefix}{edges[number]}-{edges[number + 1] - 1}" for number in used]


def _choose_words(
    spaces: Mapping[str, Space], shared: list[Any], words: int | Sequence[Any], band: Array, seed: int
) -> NDArray[np.int64]:
    """Places in `shared` of the words to measure."""
    if isinstance(words, int | np.integer):
        return _sample(band, integer("words", words, 1), seed)
    if not words or isinstance(words, str):
        raise ValueError(f"words={words!r} must be how many words, or a list of words")
    place_of = {word: place for place, word in enumerate(shared)}
    for word in words:
        _check_shared(word, place_of, spaces)
    return np.array([place_of[word] for word in dict.fromkeys(words)])


def _check_shared(word: Any, shared: Mapping[Any, int] | set[Any], spaces: Mapping[str, Space]) -> None:
    if word not in shared:
        missing = next(name for name, space in spaces.items() if word not in space.key_to_index)
        raise KeyError(f"{word!r} is not in run {missing!r}; only words of all runs can be measured")


def _sample(band: Array, limit: int, seed: int) -> NDArray[np.int64]:
    """Places of at most `limit` words, equally many from each band that has enough."""
    sizes = np.bincount(band)
    quotas, left = np.zeros_like(sizes), limit
    for bands_left, number in zip(range(len(sizes), 0, -1), np.argsort(sizes, kind="stable"), strict=True):
        quotas[number] = min(sizes[number], -(-left // bands_left))
        left -= quotas[number]
    draw = np.random.default_rng([seed, 1])
    chosen = [draw.choice(np.flatnonzero(band == number), quota, replace=False) for number, quota in enumerate(quotas)]
    return np.sort(np.concatenate(chosen))


def _word_pairs(
    spaces: Mapping[str, Space], pairs: Sequence[tuple[Any, Any]] | None, measured: list[Any], seed: int
) -> list[tuple[Any, Any]]:
    if pairs is not None:
        shared = set(_shared_words(spaces))
        for word in itertools.chain.from_iterable(pairs):
            _check_shared(word, shared, spaces)
        return list(pairs)
    draw = np.random.default_rng([seed, 2])
    drawn = draw.integers(len(measured), size=(PAIRS, 2))
    return [(measured[left], measured[right]) for left, right in drawn.tolist() if left != right]


# --- values -------------------------------------------------------------------------------------------------------


def _joint_values(tables: Array) -> dict[str, Array]:
    """Measures of all runs together, [1, words]."""
    values = {"joint": measures.joint_jaccard(tables)[None]}
    if len(tables) > 2:
        values["reliability"] = measures.reliability(tables).mean(0, keepdims=True)
    return values


def _pair_values(
    spaces: Mapping[str, Space], tables: Array, fit: list[Any], measured: list[Any], progress: bool | None
) -> dict[str, Array]:
    """Measures of two runs, float32 [pairs of runs, words]."""
    pairs = list(itertools.combinations(range(len(spaces)), 2))
    names = [name for name in PER_WORD if name not in ("joint", "reliability")]
    values = {name: np.empty((len(pairs), len(measured)), np.float32) for name in names}
    fitted = [_matrix(space, fit) for space in spaces.values()]
    vectors = [_matrix(space, measured) for space in spaces.values()]
    with progress_bar(progress, total=len(pairs), desc="pairs of runs") as shown:
        for number, (i, j) in enumerate(pairs):
            turn = measures.rotation(fitted[i], fitted[j])
            values["overlap"][number] = measures.overlap(tables[i], tables[j])
            values["jaccard"][number] = measures.jaccard(tables[i], tables[j])
            values["rbo"][number] = measures.rank_biased_overlap(tables[i], tables[j])
            values["aligned_cosine"][number] = measures.raw_cosine(vectors[i] @ turn, vectors[j])
            values["raw_cosine"][number] = measures.raw_cosine(vectors[i], vectors[j])
            values["raw_distance"][number] = measures.raw_distance(vectors[i], vectors[j])
            shown.update()
    return values


def _whole_values(
    spaces: Mapping[str, Space], fit: list[Any], word_pairs: list[tuple[Any, Any]]
) -> dict[str, NDArray[np.float64]]:
    """Measures of whole spaces, [pairs of runs]; without two pairs of words the rank correlation is NaN."""
    both = list(itertools.combinations(range(len(spaces)), 2))
    matrices = [_matrix(space, fit) for space in spaces.values()]
    bases = [measures.basis(matrix) for matrix in matrices]
    in_pairs = list(dict.fromkeys(itertools.chain.from_iterable(word_pairs)))
    row_of = {word: row for row, word in enumerate(in_pairs)}
    rows = np.array([(row_of[left], row_of[right]) for left, right in word_pairs], np.int64).reshape(-1, 2)
    of_pairs = [_matrix(space, in_pairs) for space in spaces.values()]
    correlate = measures.pair_correlation if len(rows) > 1 else lambda *_: math.nan
    return {
        "pip_loss": np.array([measures.pip_loss(matrices[i], matrices[j]) for i, j in both]),
        "eigenspace_overlap": np.array([measures.basis_overlap(bases[i], bases[j]) for i, j in both]),
        "spearman": np.array([correlate(of_pairs[i], of_pairs[j], rows) for i, j in both]),
    }


def _matrix(space: Space, words: Sequence[Any]) -> NDArray[np.float64]:
    return space.vectors[[space.key_to_index[word] for word in words]].astype(np.float64)


def _pair_records(names: list[str], per_word: Mapping[str, Array], whole: Mapping[str, Array]) -> list[Record]:
    records = []
    for number, (first, second) in enumerate(itertools.combinations(names, 2)):
        record: Record = {"first": first, "second": second}
        record |= {name: float(values[number]) for name, values in whole.items()}
        for name, values in per_word.items():
            if name not in ("joint", "reliability"):
                record[name] = float(values[number].mean(dtype=np.float64))
        records.append(record)
    return records


# --- intervals ----------------------------------------------------------------------------------------------------


def _run_weights(runs: int, seed: int) -> NDArray[np.float64]:
    """Weights of the pairs of runs in each bootstrap sample of runs, [resamples, pairs]; a row sums to 1.

    A run drawn n times and another drawn m times have n * m pairs; a run is not paired with itself. A sample of one
    run alone says nothing and is replaced by all runs.
    """
    draws = np.random.default_rng([seed, 3]).integers(runs, size=(RESAMPLES, runs))
    counts = (draws[:, :, None] == np.arange(runs)).sum(1)
    first, second = np.array(list(itertools.combinations(range(runs), 2))).T
    weights = (counts[:, first] * counts[:, second]).astype(np.float64)
    weights[weights.sum(1) == 0] = 1.0
    return np.asarray(weights / weights.sum(1, keepdims=True))


def _summarise(
    per_word: Mapping[str, Array], runs: int, band: Array, names: list[str], sizes: Array, seed: int
) -> tuple[dict[str, Array], dict[str, Array], dict[str, Array], list[Record]]:
    """Means per word with their intervals, and the records by band and in total."""
    pair_weights = _run_weights(runs, seed)
    one = np.ones((1, 1))
    values, low, high, summary = {}, {}, {}, []
    for name in sorted(per_word, key=PER_WORD.index):
        weights = one if name in ("joint", "reliability") else pair_weights
        values[name] = per_word[name].mean(0, dtype=np.float64)
        low[name], high[name], resampled = _resample(per_word[name], weights, band, len(names), seed)
        summary += _band_records(name, values[name], resampled, band, names, sizes)
    return values, low, high, summary


def _resample(
    values: Array, weights: Array, band: Array, bands: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Interval of each word over resampled runs, and band means over resampled runs and words [resamples, bands].

    Words are resampled by giving each a Poisson(1) number of copies (Hanley & MacGibbon 2006), block by block.
    """
    words = values.shape[1]
    low, high = np.empty(words), np.empty(words)
    sums, copies = np.zeros((RESAMPLES, bands)), np.zeros((RESAMPLES, bands))
    for start in range(0, words, BLOCK_WORDS):
        block = slice(start, start + BLOCK_WORDS)
        by_runs = weights @ values[:, block].astype(np.float64)
        low[block], high[block] = _interval(by_runs)
        draw = np.random.default_rng([seed, 4, start])
        drawn = draw.poisson(1.0, size=(RESAMPLES, by_runs.shape[1])).astype(np.float64)
        members = (band[block, None] == np.arange(bands)).astype(np.float64)
        sums += (drawn * by_runs) @ members
        copies += drawn @ members
    # A sample without any word of a band says nothing about it.
    return low, high, np.divide(sums, copies, out=np.full_like(sums, np.nan), where=copies > 0)


def _interval(resampled: Array) -> Array:
    tail = 100 * (1 - CONFIDENCE) / 2
    ends: Array = np.percentile(resampled, [tail, 100 - tail], axis=0)
    return ends


def _band_records(
    name: str, values: Array, resampled: Array, band: Array, names: list[str], sizes: Array
) -> list[Record]:
    means = np.array([values[band == number].mean() if (band == number).any() else 0 for number in range(len(names))])
    resampled = np.where(np.isnan(resampled), means, resampled)
    measured = np.bincount(band, minlength=len(names))
    # A band weighs as many words as the vocabulary has in it; a band without measured words weighs nothing.
    share = sizes * (measured > 0)
    share = share / share.sum()
    low, high = _interval(np.column_stack([resampled @ share, resampled]))
    rows = [("all", len(values), float(means @ share)), *zip(names, measured.tolist(), means.tolist(), strict=True)]
    return [
        {
            "measure": name,
            "band": label,
            "measured": count,
            "mean": mean,
            "low": float(low[at]),
            "high": float(high[at]),
        }
        for at, (label, count, mean) in enumerate(rows)
        if count
    ]


def _summarised_whole(whole: Mapping[str, Array], runs: int, words: int, seed: int) -> list[Record]:
    weights = _run_weights(runs, seed)
    records = []
    for name, values in whole.items():
        low, high = _interval((weights @ values)[:, None])[:, 0] if not np.isnan(values).any() else (math.nan, math.nan)
        record = {"measure": name, "band": "all", "measured": words, "mean": float(values.mean())}
        records.append(record | {"low": float(low), "high": float(high)})
    return records


# --- records ------------------------------------------------------------------------------------------------------


def check_ending(path: Pathlike) -> str:
    """Return the ending of a name for records; ValueError if there is no such form."""
    ending = os.path.splitext(os.fspath(path))[1]
    if ending not in (".json", ".csv"):
        raise ValueError(f"{os.fspath(path)!r} must end in .json or .csv")
    return ending


def write_records(records: Sequence[Mapping[str, Any]], path: Pathlike) -> None:
    """Write records as JSON or CSV, by the ending of the name; a NaN becomes null, or an empty field.

    Parameters
    ----------
    records : sequence of dict
        With the same keys.
    path : path-like
        Ends in ``.json`` or ``.csv``. Replaced only once all is written.

    Raises
    ------
    ValueError
        Another ending.
    """
    ending = check_ending(path)
    cleaned = [{name: without_nan(value) for name, value in record.items()} for record in records]
    if ending == ".json":
        text = json.dumps(cleaned, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    else:
        file = io.StringIO()
        writer = csv.DictWriter(file, list(cleaned[0]) if cleaned else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(cleaned)
        text = file.getvalue()
    with atomic_write(path) as out:
        out.write(text.encode())

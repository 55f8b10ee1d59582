"""Are vectors of sequences worth anything? Classification beside controls that know less, or learn nothing.

A sum of k-mer vectors is a linear map of k-mer counts. So counts, their random projection, and composition alone are
what vectors have to beat; and where sequences are relatives, so is the nearest neighbour. All are given the same folds
and the same classifiers.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.bio.classifiers import Ridge, nearest, standardised, turned
from w2v.bio.clusters import clusters_of, dealt
from w2v.bio.counts import kmer_counts, read_sequences, shuffled
from w2v.bio.vectors import BioVectors
from w2v.common import checks
from w2v.common.tables import format_table
from w2v.evaluation import resampling

Array = NDArray[np.float64]

LINEAR, NEAREST = "linear", "1-NN"
OWN, COUNTS = "vectors", "3-mer counts"

# From this p on a difference is not told from chance.
ALPHA = 0.05


@dataclass(frozen=True)
class Result:
    """How well a representation tells the classes apart.

    Attributes
    ----------
    name, classifier : str
    control : bool, whether it is a control
    dimensions : int
    accuracy, low, high : float, the share of right answers over all folds, with its 95 % interval over sequences
    error : float, the standard error over sequences
    """

    name: str
    classifier: str
    control: bool
    dimensions: int
    accuracy: float
    low: float
    high: float
    error: float


@dataclass(frozen=True)
class Claim:
    """Vectors against a control.

    Attributes
    ----------
    name, control : str
    difference, low, high : float, accuracy of the vectors minus that of the control, with the 95 % interval
    p : float, of a paired test over groups of sequences: each group's answers could as well be the other's
    p_holm : float, corrected for the number of controls (Holm 1979)
    """

    name: str
    control: str
    difference: float
    low: float
    high: float
    p: float
    p_holm: float


@dataclass(frozen=True)
class Report:
    """The result of `evaluate`; prints as tables, and claims something against the strongest control only.

    Attributes
    ----------
    sequences, classes, groups, folds, repeats : int
        The groups are those of similar sequences that stay together, or single sequences.
    threshold : float or None, the identity from which sequences stay together
    alone : int, answers (of sequences times repeats) whose class was not among the sequences learnt from
    results : tuple of Result
    claims : tuple of Claim, the strongest control first
    """

    sequences: int
    classes: int
    groups: int
    folds: int
    repeats: int
    threshold: float | None
    alone: int
    results: tuple[Result, ...]
    claims: tuple[Claim, ...]

    def result(self, name: str, classifier: str = LINEAR) -> Result:
        """One result; KeyError if there is none."""
        for found in self.results:
            if (found.name, found.classifier) == (name, classifier):
                return found
        raise KeyError(f"no result {name!r} of the classifier {classifier!r}")

    @property
    def claim(self) -> Claim:
        """That against the strongest control."""
        return self.claims[0]

    def verdict(self) -> str:
        """One sentence, against the strongest control."""
        claim = self.claim
        numbers = f"{claim.difference:+.3f} [{claim.low:+.3f}, {claim.high:+.3f}], p={claim.p:.3g}"
        if claim.p > ALPHA:
            return f"{claim.name}: not told from the strongest control, {claim.control} ({numbers})"
        side = "above" if claim.difference > 0 else "below"
        return f"{claim.name}: {side} the strongest control, {claim.control} ({numbers})"

    def __str__(self) -> str:
        split = "at random" if self.threshold is None else f"whole groups of identity {self.threshold:g} and more"
        head = (
            f"{self.sequences:,} sequences, {self.classes} classes, {self.groups:,} groups; {self.repeats} times "
            f"{self.folds} folds, {split}; {self.alone:,} answers without their class among the learnt"
        )
        rows = [
            {
                "representation": found.name,
                "classifier": found.classifier,
                "numbers": found.dimensions,
                "accuracy": found.accuracy,
                "interval": (found.low, found.high),
                "s.e.": found.error,
            }
            for found in sorted(self.results, key=lambda found: -found.accuracy)
        ]
        return f"{head}\n\n{format_table(rows)}\n\n{self.verdict()}"

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON can hold it."""
        return asdict(self)


def evaluate(
    vectors: BioVectors | Callable[[list[tuple[str, str]]], BioVectors],
    sequences: Any,
    labels: Sequence[Any],
    *,
    how: str = "sum",
    folds: int = 5,
    repeats: int = 3,
    threshold: float | None = None,
    seed: int = 1,
    workers: int = -1,
) -> Report:
    """Tell classes of sequences apart by their vectors, and by controls, with the same folds and classifiers.

    The controls: the length alone; the composition of 1-, 2- and 3-mers; a random projection of 3-mer counts to as many
    numbers as vectors have; the nearest neighbour on raw counts of 3-mers; and, if `vectors` is a function, vectors
    that it has learnt from the same sequences with their letters shuffled.

    Parameters
    ----------
    vectors : BioVectors, or function from (id, sequence) pairs to BioVectors
        A function is called with all sequences, without their labels, and once more with them shuffled.
    sequences : path, binary file or iterable of sequences
        As in `w2v.Kmers`. Of equal sequences one is kept, and none if they have different labels.
    labels : sequence [sequences]
        The class of each one.
    how : {"sum", "mean", "sif"}, default "sum"
        As in `BioVectors.embed`; the random projection is of sums or of means, alike.
    folds, repeats : int, default 5 and 3
        Parts that are left out in turn, and how often they are dealt anew.
    threshold : float, optional
        Keep sequences of this identity and more in one fold (`clusters_of`), so that none is judged by a relative of
        it. By default only equal sequences are removed.
    seed : int, default 1
    workers : int, default -1

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If labels do not fit, or there are fewer classes than two.
    """
    checks.one_of("how", how, ("sum", "mean", "sif"))
    checks.integer("folds", folds, 2)
    checks.integer("repeats", repeats, 1)
    records, names = distinct(read_sequences(sequences), list(labels))
    classes, numbers = np.unique(names, return_inverse=True)
    if len(classes) < 2 or len(records) < folds:
        raise ValueError(f"{len(records):,} sequences of {len(classes)} classes cannot be dealt to {folds} folds")
    made = vectors if isinstance(vectors, BioVectors) else vectors(records)
    options: dict[str, Any] = made.scheme._asdict()
    options = {name: options[name] for name in ("alphabet", "masked", "ambiguous", "stops", "gaps")}
    features = representations(made, records, how, seed, workers, options)
    if not isinstance(vectors, BioVectors):
        other = vectors(shuffled(records, seed))
        features["vectors of shuffled sequences"] = _embedded(other, records, how, workers)
    groups = np.arange(len(records))
    if threshold is not None:
        groups = clusters_of(records, threshold, workers=workers, **options)
        if groups.max() + 1 < folds:
            raise ValueError(
                f"threshold={threshold} leaves {groups.max() + 1} groups for {folds} folds; raise it, or lower folds"
            )
    answers, alone = cross_validated(features, numbers, groups, folds, repeats, seed)
    dimensions = {name: part.shape[1] for name, part in features.items()}
    results = tuple(_result(name, kind, dimensions[name], right, seed) for (name, kind), right in answers.items())
    claims = _claims(answers, results, groups, seed)
    return Report(len(records), len(classes), len(np.unique(groups)), folds, repeats, threshold, alone, results, claims)


def distinct(records: list[tuple[str, str]], labels: list[Any]) -> tuple[list[tuple[str, str]], list[Any]]:
    """Sequences and labels with equal sequences once; of those with several labels none is kept."""
    if len(records) != len(labels):
        raise ValueError(f"{len(labels):,} labels for {len(records):,} sequences")
    of: dict[str, set[Any]] = {}
    for (_, sequence), label in zip(records, labels, strict=True):
        of.setdefault(sequence.upper(), set()).add(label)
    kept, names = [], []
    for record, label in zip(records, labels, strict=True):
        if len(of.pop(record[1].upper(), ())) == 1:
            kept.append(record)
            names.append(label)
    return kept, names


def representations(
    vectors: BioVectors, records: list[tuple[str, str]], how: str, seed: int, workers: int, options: dict[str, Any]
) -> dict[str, Array]:
    """What sequences are told apart by: the vectors, and the controls, float64 [sequences, numbers] each."""
    found = {OWN: _embedded(vectors, records, how, workers)}
    lengths = np.array([len(sequence) for _, sequence in records], np.float64)
    found["length"] = np.stack([lengths, np.log(np.maximum(lengths, 1))], axis=1)
    for k in (1, 2, 3):
        counts = kmer_counts(records, k, workers=workers, **options)[2].toarray().astype(np.float64)
        shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
        found[f"{k}-mer composition"] = shares[:, shares.any(axis=0)]
    size = found[OWN].shape[1]
    projection = np.random.default_rng(seed).standard_normal((counts.shape[1], size)) / np.sqrt(size)
    found["random projection of 3-mers"] = (counts if how == "sum" else shares) @ projection
    found[COUNTS] = counts[:, counts.any(axis=0)]
    return found


def _embedded(vectors: BioVectors, records: list[tuple[str, str]], how: str, workers: int) -> Array:
    return vectors.embed(records, how, workers=workers).vectors.astype(np.float64)


def cross_validated(
    features: dict[str, Array],
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    folds: int,
    repeats: int,
    seed: int,
) -> tuple[dict[tuple[str, str], Array], int]:
    """Right and wrong answers of each representation and classifier, float64 [repeats, sequences]; and `Report.alone`.

    Raw counts are for the nearest neighbour alone: their linear classifier would be that of the composition.
    """
    answers: dict[tuple[str, str], Array] = {}
    n_labels, alone = int(labels.max()) + 1, 0
    for_ridge = {name: turned(standardised(rows)) for name, rows in features.items() if name != COUNTS}
    for_nearest = {name: turned(features[name]) for name in (OWN, COUNTS)}
    for repeat in range(repeats):
        fold = dealt(groups, labels, folds, np.random.default_rng([seed, repeat]))
        for out in range(folds):
            test, learnt = np.flatnonzero(fold == out), np.flatnonzero(fold != out)
            alone += int((~np.isin(labels[test], labels[learnt])).sum())
            given = {
                (name, LINEAR): Ridge(rows[learnt], labels[learnt], n_labels).predict(rows[test])
                for name, rows in for_ridge.items()
            } | {
                (name, NEAREST): nearest(rows[learnt], labels[learnt], rows[test]) for name, rows in for_nearest.items()
            }
            for kind, answer in given.items():
                right = answers.setdefault(kind, np.zeros((repeats, len(labels))))
                right[repeat, test] = answer == labels[test]
    return answers, alone


def _result(name: str, kind: str, dimensions: int, right: Array, seed: int) -> Result:
    accuracy, low, high = resampling.mean_and_interval(right, seed)
    means = right.mean(axis=0)
    error = float(means.std(ddof=1) / np.sqrt(len(means)))
    return Result(name, kind, name != OWN, dimensions, accuracy, low, high, error)


def _claims(
    answers: dict[tuple[str, str], Array], results: Sequence[Result], groups: NDArray[np.int64], seed: int
) -> tuple[Claim, ...]:
    """The vectors' better classifier against every control, the strongest first."""
    own = max((found for found in results if not found.control), key=lambda found: found.accuracy)
    controls = sorted((found for found in results if found.control), key=lambda found: -found.accuracy)
    draw = np.random.default_rng([seed, 6])
    made = []
    for control in controls:
        mine, theirs = (answers[one.name, one.classifier].mean(axis=0) for one in (own, control))
        by_item = mine - theirs
        by_group: Array = np.bincount(groups, by_item).astype(np.float64)
        n = len(by_item)
        drawn = draw.multinomial(len(by_group), np.full(len(by_group), 1 / len(by_group)), resampling.RESAMPLES)
        low, high = resampling.difference_interval(float(by_item.mean()), drawn @ by_group / n)
        p = resampling.swap_items(by_group, seed)
        made.append((f"{control.name} ({control.classifier})", float(by_item.mean()), low, high, p))
    corrected = resampling.holm([p for *_, p in made])
    name = f"{own.name} ({own.classifier})"
    return tuple(Claim(name, *numbers, holm) for numbers, holm in zip(made, corrected, strict=True))

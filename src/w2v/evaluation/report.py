"""Scores of one or several models with intervals, and which model is better: records, table, JSON, figure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from w2v.common import checks, html
from w2v.common.public import public
from w2v.common.tables import format_table, without_nan
from w2v.evaluation import plots, resampling, tasks
from w2v.files.reading import Pathlike
from w2v.vectors import c_programs
from w2v.vectors.keyed import KeyedVectors
from w2v.vectors.lookup import whole_or_none

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

ALL = "all"


@dataclass(frozen=True)
class Score:
    """How a model does on a test, or a part of it.

    Attributes
    ----------
    model, task : str
    measure : str, ``"3CosAdd"``, ``"3CosMul"`` (share of right answers, 0 to 1) or ``"spearman"``
    part : str, ``"all"``, a section of analogies, or a frequency band such as ``"rank 1-1,000"``
    items, known : int, questions or pairs, and those of which all runs know every word
    runs : int
    value, low, high : float, over the known items, with the 95 % interval; NaN where nothing can be said
    value_all, low_all, high_all : float, over all items: unknown words make an answer wrong, and a cosine 0
    sd : float or None, standard deviation of the runs' values; None for one run
    """

    model: str
    task: str
    measure: str
    part: str
    items: int
    known: int
    runs: int
    value: float
    low: float
    high: float
    value_all: float
    low_all: float
    high_all: float
    sd: float | None

    @property
    def coverage(self) -> float:
        """The share of the items that are known."""
        return self.known / self.items if self.items else 0.0


@dataclass(frozen=True)
class Comparison:
    """How far one model is ahead of another, on the items that both know.

    Attributes
    ----------
    first, second, task, measure : str
    items : int
    difference, low, high : float, value of the first minus value of the second, with the 95 % interval
    p : float
        How often chance alone would make a difference as large, up or down. Between single runs, chance is which
        questions were asked, and trainings with other seeds are not in it. Between several runs of both, it is which
        run belongs to which model, with these questions.
    p_holm : float, corrected for the number of pairs of models (Holm 1979)
    least_p : float, the least that `p` can be with so few runs
    """

    first: str
    second: str
    task: str
    measure: str
    items: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    least_p: float


@public
@dataclass(frozen=True)
class Evaluation:
    """The result of `w2v.evaluate`; prints as tables.

    Attributes
    ----------
    scores : tuple of Score
    comparisons : tuple of Comparison, for all pairs of models and each measure of each test
    c_counts : dict of model to str, what the C program compute-accuracy prints; empty if it was not asked for
    """

    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...]
    c_counts: dict[str, str]

    def score(self, model: str, measure: str, task: str | None = None, part: str = ALL) -> Score:
        """Return one score; of the first test if no `task` is named. KeyError if there is none."""
        wanted = (model, measure, part)
        for found in self.scores:
            if (found.model, found.measure, found.part) == wanted and task in (None, found.task):
                return found
        raise KeyError(f"no score {wanted}" + ("" if task is None else f" on {task!r}"))

    def table(self, parts: bool = False) -> str:
        """Lay out the scores on whole tests, or with ``parts=True`` those by section and frequency band."""
        return format_table(self._rows(parts))

    def _rows(self, parts: bool = False) -> list[dict[str, Any]]:
        return [
            {
                "test": score.task,
                "measure": score.measure,
                **({"part": score.part} if parts else {}),
                "model": score.model,
                "known": f"{score.known:,} of {score.items:,}",
                "score": score.value,
                "95 %": _interval(score.low, score.high),
                "all": score.value_all,
                "95 % of all": _interval(score.low_all, score.high_all),
                "sd of runs": score.sd,
            }
            for score in self.scores
            if (score.part != ALL) == parts
        ]

    def __str__(self) -> str:
        return "\n\n".join([self.table(), *([format_table(self._differences())] if self.comparisons else [])])

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        tables = [self._rows(), self._differences()]
        return "".join(html.table((list(row.values()) for row in rows), list(rows[0])) for rows in tables if rows)

    def _differences(self) -> list[dict[str, Any]]:
        return [
            {
                "test": found.task,
                "measure": found.measure,
                "better?": f"{found.first} - {found.second}",
                "items": found.items,
                "difference": found.difference,
                "95 %": _interval(found.low, found.high),
                "p": found.p_holm,
            }
            for found in self.comparisons
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return all records in types that JSON holds; None for what is not known."""
        scores = [_plain(asdict(score)) | {"coverage": score.coverage} for score in self.scores]
        comparisons = [_plain(asdict(found)) for found in self.comparisons]
        return {"scores": scores, "comparisons": comparisons} | ({"c_counts": self.c_counts} if self.c_counts else {})

    def to_json(self) -> str:
        """Return `to_dict` as JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1, allow_nan=False)

    def plot(self) -> "Figure":
        """Draw the scores of whole tests with their intervals, a line for each test and measure.

        Raises
        ------
        ImportError
            matplotlib is not installed: it comes with ``w2v[plot]``.
        """
        return plots.draw_scores([score for score in self.scores if score.part == ALL])


def evaluate(
    models: Any,
    *,
    analogies: Pathlike | Sequence[Pathlike] = (),
    pairs: Pathlike | Sequence[Pathlike] = (),
    restrict_vocab: int | None = 30_000,
    case_insensitive: bool = True,
    c_counts: bool = False,
    seed: int = 1,
) -> Evaluation:
    """Score models on analogies and human similarity judgements: with intervals, and against each other.

    Every question and pair is asked once of each run, by both formulas for analogies. What follows is resampling; see
    `w2v.evaluation.resampling`. Questions of a section share words, which no interval here takes into account: they say
    what other questions of the kind would have given, not what other relations would.

    Parameters
    ----------
    models : KeyedVectors or Word2Vec; or a sequence of them; or a mapping of name to one of them or to a sequence
        A sequence within a mapping is runs of one model, trained with other seeds. Models without a name are called
        A, B, ...
    analogies : path or paths, optional
        Files of four words per line, in sections that a line ``: name`` opens.
    pairs : path or paths, optional
        Files of word, word, score.
    restrict_vocab : int or None, default 30,000
        Only this many of the most frequent words are known to analogies, and can answer, as in the demonstration of
        word2vec's C program; None for all. Pairs know all words.
    case_insensitive : bool, default True
        Compare upper-cased words; the most frequent spelling counts.
    c_counts : bool, default False
        Add what word2vec's compute-accuracy prints for the first run of each model and all `analogies`.
    seed : int, default 1
        Of all resampling: the same arguments give the same numbers.

    Returns
    -------
    Evaluation

    Raises
    ------
    ValueError
        No test, no model, a file that is none, or a test of which no model knows an item.
    """
    named = _named(models)
    checks.integer("seed", seed, 0)
    restrict_vocab = whole_or_none("restrict_vocab", restrict_vocab, 1)
    questions = [tasks.read_analogies(path, case_insensitive) for path in _paths(analogies)]
    tests = questions + [tasks.read_pairs(path, case_insensitive) for path in _paths(pairs)]
    if not tests:
        raise ValueError("give analogies=, pairs=, or both: files of questions, and of pairs of words")
    scores: list[Score] = []
    comparisons: list[Comparison] = []
    for task in tests:
        answers = {
            name: tasks.answers(task, runs, restrict_vocab, case_insensitive).values for name, runs in named.items()
        }
        if all(np.isnan(values).any(axis=0).all() for each in answers.values() for values in each.values()):
            raise ValueError(
                f"{task.name}: no item has only words that are known"
                + ("" if len(task.gold) else f" (restrict_vocab={restrict_vocab})")
                + ", so there is nothing to score; are they of the same language and case?"
            )
        parts = _parts(task, next(iter(named.values()))[0], case_insensitive)
        for measure in next(iter(answers.values())):
            for name, each in answers.items():
                scores += [_scored(name, task, measure, part, each[measure], chosen, seed) for part, chosen in parts]
            comparisons += _compared(task, measure, {name: each[measure] for name, each in answers.items()}, seed)
    counts = {}
    if c_counts:
        text = b"\n".join(_bytes_of(path) for path in _paths(analogies))
        counts = {name: c_programs.accuracy(runs[0], text, restrict_vocab) for name, runs in named.items()}
    return Evaluation(tuple(scores), tuple(comparisons), counts)


def _named(models: Any) -> dict[str, list[KeyedVectors]]:
    """The runs of each model, under its name."""
    if not isinstance(models, Mapping):
        several = list(models) if isinstance(models, Sequence) else [models]
        models = {_letters(place): model for place, model in enumerate(several)}
    named = {str(name): _runs(name, model) for name, model in models.items()}
    if not named:
        raise ValueError("there is no model to evaluate")
    return named


def _letters(place: int) -> str:
    return chr(ord("A") + place) if place < 26 else f"model {place + 1}"


def _runs(name: Any, model: Any) -> list[KeyedVectors]:
    runs = [vars(run).get("wv", run) if hasattr(run, "__dict__") else run for run in _listed(model)]
    for run in runs:
        if not isinstance(run, KeyedVectors):
            raise TypeError(f"{name}: {run!r:.80} is neither KeyedVectors nor a model; KeyedVectors.load reads a file")
    if not runs:
        raise ValueError(f"{name}: there are no runs of it")
    return runs


def _listed(model: Any) -> list[Any]:
    return list(model) if isinstance(model, list | tuple) else [model]


def _paths(given: Any) -> list[Any]:
    return list(given) if isinstance(given, list | tuple) else [given]


def _bytes_of(path: Pathlike) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _parts(task: tasks.Task, first: KeyedVectors, case_insensitive: bool) -> list[tuple[str, NDArray[np.bool_]]]:
    """The whole test, its sections, and its bands by the frequencies of the first model."""
    labels = [np.array(task.sections, object)] if task.sections else []
    labels.append(np.array(tasks.bands(task, first, case_insensitive), object))
    found = [(ALL, np.ones(len(task.items), bool))]
    for of_item in labels:
        names = sorted({name for name in of_item if name is not None}, key=lambda name: _order(of_item, name))
        found += [(name, of_item == name) for name in names]
    return found


def _order(of_item: NDArray[Any], name: str) -> tuple[float, int]:
    """Bands by rank, sections as they stand in the file."""
    low = name.removeprefix("rank ").partition("-")[0].replace(",", "")
    is_band = name.startswith("rank ") and low.isdecimal()
    return (float(low) if is_band else 0.0, int(np.flatnonzero(of_item == name)[0]))


def _scored(
    model: str, task: tasks.Task, measure: str, part: str, values: Array, chosen: NDArray[np.bool_], seed: int
) -> Score:
    of_part = values[:, chosen]
    known = ~np.isnan(of_part).any(axis=0)
    gold = task.gold[chosen] if len(task.gold) else None
    left_out = _value(of_part[:, known], None if gold is None else gold[known], seed)
    complete = np.where(np.isnan(of_part), 0.0, of_part)
    sd = None
    if len(values) > 1:
        each = _each(of_part[:, known], None if gold is None else gold[known])
        sd = float(each.std(ddof=1))
    whole = left_out if known.all() else _value(complete, gold, seed)
    return Score(
        model, task.name, measure, part, int(chosen.sum()), int(known.sum()), len(values), *left_out, *whole, sd
    )


def _value(values: Array, gold: Array | None, seed: int) -> tuple[float, float, float]:
    if gold is None:
        return resampling.mean_and_interval(values, seed)
    return resampling.correlation_and_interval(gold, values, seed)


def _each(values: Array, gold: Array | None) -> Array:
    """The value of each run."""
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    return values.mean(axis=1) if gold is None else resampling.spearman(gold, values)


def _compared(task: tasks.Task, measure: str, answers: Mapping[str, Array], seed: int) -> list[Comparison]:
    found = []
    for first, second in combinations(answers, 2):
        both = np.vstack([answers[first], answers[second]])
        known = ~np.isnan(both).any(axis=0)
        if known.sum() < 3:
            continue
        one, other = answers[first][:, known], answers[second][:, known]
        gold = task.gold[known] if len(task.gold) else None
        each = _each(one, gold), _each(other, gold)
        difference = float(each[0].mean() - each[1].mean())
        if np.isnan(difference):
            continue
        low, high = resampling.difference_interval(difference, _resampled(one, other, gold, each, seed))
        least = 0.0
        if min(len(one), len(other)) > 1:
            p, least = resampling.swap_runs(*each, seed)
        elif gold is None:
            p = resampling.swap_items(one.mean(axis=0) - other.mean(axis=0), seed)
        else:
            p = resampling.swap_similarities(gold, one.mean(axis=0), other.mean(axis=0), seed)
        found.append((first, second, task.name, measure, int(known.sum()), difference, low, high, p, least))
    corrected = resampling.holm([row[8] for row in found])
    return [Comparison(*row[:9], p_holm, row[9]) for row, p_holm in zip(found, corrected, strict=True)]


def _resampled(one: Array, other: Array, gold: Array | None, each: tuple[Array, Array], seed: int) -> Array:
    """Differences between the two models over the same resampled items, and other runs."""
    draw = np.random.default_rng([seed, 6])
    if gold is None:
        items = resampling.resampled_means((one.mean(axis=0) - other.mean(axis=0))[None], draw)
        errors = [resampling.run_error(one), resampling.run_error(other)]
    else:
        found = resampling.resampled_spearman(gold, np.vstack([one, other]), draw)
        items = found[:, : len(one)].mean(axis=1) - found[:, len(one) :].mean(axis=1)
        errors = [float(runs.std(ddof=1) / np.sqrt(len(runs))) if len(runs) > 1 else 0.0 for runs in each]
    for runs, error in zip(each, errors, strict=True):
        items = items + resampling.run_noise(runs, error, draw)
    return items


def _interval(low: float, high: float) -> str:
    return "-" if np.isnan(low) else f"{low:.3f} to {high:.3f}"


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    return {name: without_nan(value) for name, value in record.items()}

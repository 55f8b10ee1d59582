"""Tests that a user has as files, and how models do on each item of them: right or wrong, near or far."""

import math
import os
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.files.reading import Pathlike
from w2v.vectors import scores
from w2v.vectors.keyed import KeyedVectors

Array = NDArray[np.float64]

FORMULAS = {"3CosAdd": False, "3CosMul": True}  # Mikolov et al. 2013 (NAACL); Levy & Goldberg 2014 (CoNLL)
SPEARMAN = "spearman"
EDGES = (0, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)  # ranks between which a band lies


class Task(NamedTuple):
    """A test.

    Attributes
    ----------
    name : str, of its file
    items : list of tuple of str, four words or two
    sections : list of str, one for each item; of pairs none
    gold : float64 [items], human scores; of analogies none
    """

    name: str
    items: list[tuple[str, ...]]
    sections: list[str]
    gold: Array


class Answers(NamedTuple):
    """What the runs of a model make of a task.

    Attributes
    ----------
    values : dict of measure to float64 [runs, items]
        1 for right, 0 for wrong; or cosines. NaN for items with a word that the run does not know.
    """

    values: dict[str, Array]


def read_analogies(path: Pathlike, case_insensitive: bool) -> Task:
    """Read questions of four words in sections, as word2vec's questions-words.txt has them.

    Raises
    ------
    ValueError
        A question before the first section, or no question at all.
    """
    scores.check_asked("analogies", path, None)
    items, sections = [], []
    for name, questions in scores.read_analogies(path, case_insensitive):
        items += questions
        sections += [name] * len(questions)
    if not items:
        raise ValueError(f"{os.fspath(path)}: no question of four words")
    return Task(os.path.basename(os.fspath(path)), list(items), sections, np.empty(0))


def read_pairs(path: Pathlike, case_insensitive: bool) -> Task:
    """Read pairs of words with human scores: word, word, score, between tabs, commas, semicolons or blanks.

    Lines that begin with ``#`` are passed over, and so is a first line of names.

    Raises
    ------
    ValueError
        Another line that is no pair, or fewer than three pairs.
    """
    scores.check_asked("pairs", path, None)
    items, gold, first = list[tuple[str, ...]](), list[float](), True
    with open(path, encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip() or line.startswith("#"):
                continue
            separator = next((sign for sign in "\t,;" if sign in line), None)
            parts = [part.strip() for part in line.split(separator)]
            score = _score(parts[2]) if len(parts) == 3 and all(parts) else None
            if score is None and not first:
                raise ValueError(f"{os.fspath(path)}, line {number}: {line.strip()!r:.80} is not two words and a score")
            first = False
            if score is not None:
                items.append(tuple(part.upper() if case_insensitive else part for part in parts[:2]))
                gold.append(score)
    if len(items) < 3:
        raise ValueError(f"{os.fspath(path)}: {len(items)} pairs; a correlation takes at least 3, one per line")
    return Task(os.path.basename(os.fspath(path)), items, [], np.array(gold))


def _score(text: str) -> float | None:
    try:
        score = float(text)
    except ValueError:
        return None
    return score if math.isfinite(score) else None


def answers(task: Task, runs: Sequence[KeyedVectors], restrict_vocab: int | None, case_insensitive: bool) -> Answers:
    """Ask all runs of a model; analogies know, and are answered by, the first `restrict_vocab` words alone."""
    if len(task.gold):
        cosines = [_cosines(task, run, case_insensitive) for run in runs]
        return Answers({SPEARMAN: np.array(cosines)})
    each = [_verdicts(task, run, restrict_vocab, case_insensitive) for run in runs]
    return Answers({name: np.array([verdicts[place] for verdicts in each]) for place, name in enumerate(FORMULAS)})


def _rows(task: Task, row_of: Mapping[str, int]) -> NDArray[np.int64]:
    """The rows of the words of all items; -1 for unknown ones."""
    return np.array([[row_of.get(word, -1) for word in item] for item in task.items], np.int64)


def _verdicts(task: Task, run: KeyedVectors, restrict_vocab: int | None, case_insensitive: bool) -> Array:
    known = scores.known_words(run, restrict_vocab, case_insensitive)
    rows = _rows(task, known.row_of)
    asked = (rows >= 0).all(axis=1)
    found = np.full((len(FORMULAS), len(rows)), np.nan)
    if asked.any():
        found[:, asked] = scores.answer_analogies(run, known, rows[asked], list(FORMULAS.values())) == rows[asked, 3]
    return found


def _cosines(task: Task, run: KeyedVectors, case_insensitive: bool) -> Array:
    rows = _rows(task, scores.known_words(run, None, case_insensitive).row_of)
    found = scores.cosines_of_pairs(run.peek(), rows[:, 0], rows[:, 1])
    found[(rows < 0).any(axis=1)] = np.nan
    return found


def bands(task: Task, run: KeyedVectors, case_insensitive: bool) -> list[str | None]:
    """The band of each item: the rank of its rarest word among the words of a run; None if it does not know one."""
    rows = _rows(task, scores.known_words(run, None, case_insensitive).row_of)
    rarest = np.where((rows >= 0).all(axis=1), rows.max(axis=1), -1)
    names = [f"rank {low + 1:,}-{high:,}" for low, high in pairwise(EDGES)]
    names.append(f"rank {EDGES[-1] + 1:,}-")
    of_item = np.searchsorted(EDGES, rarest, side="right") - 1
    return [None if row < 0 else names[band] for row, band in zip(rarest.tolist(), of_item.tolist(), strict=True)]

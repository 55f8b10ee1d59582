"""What word2vec's C programs compute over vectors: classes, nearest words, answers to analogies."""

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from w2v.common.terminal import printable
from w2v.vectors import queries
from w2v.vectors.keyed import KeyedVectors
from w2v.vectors.lookup import Array

CLASS_ROUNDS = 10
# How many questions meet how many words at a time in compute-accuracy: 32 MiB of scores.
QUESTIONS_AT_ONCE = 2048
WORDS_AT_ONCE = 4096

SEMANTIC_SECTIONS = 5  # of questions-words.txt: the first ones ask for facts, the others for word forms

Section = tuple[str, list[list[bytes]]]


def classes(vectors: Array, count: int) -> Array:
    """K-means of the directions of vectors, from classes dealt out in turn; a class may lose all its words."""
    from scipy.cluster.vq import kmeans2  # takes a while to import; few want classes

    unit = queries.unit_rows(vectors, queries.row_norms(vectors))
    centres = np.zeros((count, vectors.shape[1]), np.float32)
    for i in range(min(count, len(unit))):
        centres[i] = unit[i::count].mean(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a class without words, which keeps its centre
        labels: Array = kmeans2(unit, centres, iter=CLASS_ROUNDS, minit="matrix")[1]
    return labels


def nearest(
    vectors: Array, rows: Sequence[int], signs: Sequence[int], count: int, above: float
) -> list[tuple[int, float]]:
    """Find the rows nearest to a signed sum of unit rows: ``[(row, cosine), ...]``, best first.

    The rows themselves are left out, and so is what is not nearer than `above`. A zero vector has no direction: in C it
    gives NaN, which is never near, nor is anything near to it.
    """
    norms = queries.row_norms(vectors)
    units = queries.unit_rows(vectors[list(rows)].astype(np.float32, copy=False), norms[list(rows)])
    total = sum(sign * unit for sign, unit in zip(signs, units, strict=True))
    scores = queries.cosines(vectors, norms, queries.unit(np.asarray(total)))
    scores[(norms == 0) | (not norms[list(rows)].all())] = -np.inf
    best = queries.top_rows(scores, count, set(rows))
    return [(row, float(scores[row])) for row in best if scores[row] > above]


def answers(vectors: Array, questions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Answer questions [n, 3], rows a, b, c: the row with the greatest dot product with b - a + c, unit vectors all.

    The three rows themselves are no answers, nor is a product that is not above 0; -1 is no answer. Of equal
    products the first row has the answer.
    """
    norms = queries.row_norms(vectors)
    a, b, c = (queries.unit_rows(vectors[rows].astype(np.float32), norms[rows]) for rows in questions.T)
    asked = b - a + c
    asked[(norms[questions] == 0).any(axis=1)] = 0  # in C, NaN: no answer
    best = np.zeros(len(questions), np.float32)
    answers = np.full(len(questions), -1)
    for start in range(0, len(vectors), WORDS_AT_ONCE):
        block = slice(start, start + WORDS_AT_ONCE)
        units = queries.unit_rows(vectors[block].astype(np.float32, copy=False), norms[block])
        for first in range(0, len(questions), QUESTIONS_AT_ONCE):
            part = slice(first, first + QUESTIONS_AT_ONCE)
            scores = asked[part] @ units.T
            places = questions[part] - start
            inside = (places >= 0) & (places < len(units))
            scores[np.nonzero(inside)[0], places[inside]] = -np.inf
            nearest = scores.argmax(axis=1)
            nearness = scores[np.arange(len(scores)), nearest]
            better = nearness > best[part]
            best[part][better] = nearness[better]
            answers[part][better] = start + nearest[better]
    return answers


def check_questions(text: bytes) -> None:
    """ValueError if the text ends within a question."""
    _sections(text)


def accuracy(vectors: KeyedVectors, questions: bytes, limit: int | None) -> str:
    """What the C program compute-accuracy prints, to the last byte.

    Parameters
    ----------
    vectors : KeyedVectors
    questions : bytes, of a file such as questions-words.txt
    limit : int or None
        Only this many of the first words are known and can answer.
    """
    sections = _sections(questions)
    return "".join(f"{line}\n" for line in _lines(sections, _verdicts(vectors, limit, sections)))


def _sections(text: bytes) -> list[Section]:
    """Divide questions into sections; the first has no name, and holds the questions before any section.

    As in C, line ends mean nothing: a word ``:`` where a question could begin opens a section (so does ``EXIT``, in
    any case), the next word is its name, and else four words are a question.
    """
    sections: list[Section] = [("", [])]
    words, at = text.split(), 0  # bytes: white space and upper case are those of ASCII
    while at < len(words):
        if words[at].upper() in (b":", b"EXIT"):
            if at + 1 < len(words):
                sections.append((words[at + 1].decode(errors="backslashreplace"), []))
            at += 2
            continue
        question = [word.upper() for word in words[at : at + 4]]
        if len(question) < 4:
            found = b" ".join(words[at:]).decode(errors="backslashreplace")
            raise ValueError(f"the questions end with {found!r:.80}; a question has four words")
        sections[-1][1].append(question)
        at += 4
    return sections


def _verdicts(vectors: KeyedVectors, limit: int | None, sections: Sequence[Section]) -> list[bool | None]:
    """Say of each question whether the first `limit` words answer it rightly; None where a word is unknown."""
    row_of: dict[bytes, int] = {}
    first_row = np.array(  # the first of all rows with the same spelling in upper case
        [row_of.setdefault(word.encode().upper(), row) for row, word in enumerate(vectors.index_to_key[:limit])],
        np.int64,
    )
    asked = [[row_of.get(word, -1) for word in question] for _, questions in sections for question in questions]
    rows = np.array(asked, np.int64).reshape(-1, 4)
    known = (rows >= 0).all(axis=1)
    found = answers(vectors.peek()[:limit], rows[known, :3])
    right = (found >= 0) & (first_row[found] == rows[known, 3])
    verdicts = np.full(len(rows), None)
    verdicts[known] = right
    return list(verdicts.tolist())


def _lines(sections: Sequence[Section], verdicts: Sequence[bool | None]) -> Iterator[str]:
    right, seen, total = [0, 0], [0, 0], 0  # two numbers: facts, word forms
    for number, (name, questions) in enumerate(sections):
        found = verdicts[total : total + len(questions)]
        good, known = found.count(True), len(found) - found.count(None)
        kind = int(number > SEMANTIC_SECTIONS)
        right[kind] += good
        seen[kind] += known
        total += len(found)
        if number == 0:  # before the first section
            continue
        yield f"{printable(name)}:"
        known = max(1, known)  # as C prints it
        yield f"ACCURACY TOP1: {_percent(good, known)} %  ({good} / {known})"
        shares = [_percent(sum(right), sum(seen)), _percent(right[0], seen[0]), _percent(right[1], seen[1])]
        yield "Total accuracy: {} %   Semantic accuracy: {} %   Syntactic accuracy: {} % ".format(*shares)
    yield f"Questions seen / total: {sum(seen)} {total}   {_percent(sum(seen), total)} % "


def _percent(part: int, whole: int) -> str:
    """Format a share as C does, in float32; 0 of 0 has the sign that the processor gives it, -nan on x86-64."""
    with np.errstate(invalid="ignore"):
        share = np.float32(part) / np.float32(whole) * np.float32(100)
    return "-nan" if np.isnan(share) and np.signbit(share) else f"{share:.2f}"

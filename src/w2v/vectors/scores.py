"""Scores for word vectors: human similarity judgements, and analogies in blocked matrix products.

Works on anything with `index_to_key`, `peek()`, `over_rows()` and, for similarity functions other than gensim's two,
a method of that name. Both give gensim's scores on equal vectors.
"""

import logging
import math
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from w2v.files.reading import Pathlike
from w2v.vectors import _analogies, queries
from w2v.vectors.lookup import whole_or_none

logger = logging.getLogger(__name__)

_BLOCK_BYTES = 8 << 20  # bytes of scores in memory at a time
_TOP = 5  # nearest words to skip before an answer counts as missing

Section = dict[str, Any]
Question = tuple[str, str, str, str]


class Vectors(Protocol):
    """The part of KeyedVectors that an evaluation uses."""

    index_to_key: list[Any]

    def peek(self) -> NDArray[Any]: ...

    def over_rows(self, question: Callable[[NDArray[Any], NDArray[Any] | None], NDArray[Any]]) -> NDArray[Any]: ...


class Known(NamedTuple):
    """The rows that can answer: the first of each folded spelling among the `limit` most frequent."""

    row_of: dict[str, int]
    first_row: NDArray[np.int64]  # [limit], for each row the first row of the same folded spelling


def known_words(kv: Vectors, restrict_vocab: int | None, case_insensitive: bool) -> Known:
    keys = kv.index_to_key[:restrict_vocab]
    row_of: dict[str, int] = {}
    first_row = np.empty(len(keys), np.int64)
    for row, key in enumerate(keys):
        folded = key.upper() if case_insensitive and isinstance(key, str) else key
        first_row[row] = row_of.setdefault(folded, row)
    return Known(row_of, first_row)


def check_asked(name: str, path: Any, restrict_vocab: Any) -> None:
    if not isinstance(path, str | os.PathLike):  # `open` would take a number such as 0 for an open file
        raise TypeError(f"{name}={path!r:.80} is not a path; questions are read from a file")
    whole_or_none("restrict_vocab", restrict_vocab, 0)


def _units(vectors: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[Any]:
    return queries.unit_rows(vectors[rows], None)


def cosines_of_pairs(vectors: NDArray[Any], left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cosines of pairs of rows, float64 [pairs]."""
    found: NDArray[np.float64] = np.einsum("ij,ij->i", _units(vectors, left), _units(vectors, right), dtype=np.float64)
    return found


def evaluate_word_pairs(
    kv: Vectors,
    pairs: Pathlike,
    delimiter: str = "\t",
    encoding: str = "utf8",
    restrict_vocab: int | None = 300000,
    case_insensitive: bool = True,
    dummy4unknown: bool = False,
) -> tuple[Any, Any, float]:
    """Correlate cosine similarities with human judgements.

    Parameters
    ----------
    kv : KeyedVectors
    pairs : path-like
        Lines of word, word, score. Lines that begin with ``#`` or do not parse are passed over.
    delimiter, encoding : str
    restrict_vocab : int, default 300000
        Only this many of the first (most frequent) words are known; None for all.
    case_insensitive : bool, default True
        Compare upper-cased words; the most frequent spelling counts.
    dummy4unknown : bool, default False
        Give pairs with an unknown word the similarity 0 instead of leaving them out.

    Returns
    -------
    pearson, spearman : scipy results
        With ``.statistic`` and ``.pvalue``, in this order as items too; NaN where all scores, or all
        similarities, are equal.
    oov : float
        Per cent of the pairs with an unknown word.

    Raises
    ------
    ValueError
        Fewer than two pairs can be compared.
    """
    check_asked("pairs", pairs, restrict_vocab)
    if not isinstance(delimiter, str) or not delimiter:
        raise ValueError(f"delimiter={delimiter!r} must be a string of at least one character")
    from scipy import stats  # a second to import; only needed here

    known = known_words(kv, restrict_vocab, case_insensitive)
    gold, rows, unknown = [], [], 0
    with open(pairs, encoding=encoding) as file:
        for number, line in enumerate(file, 1):
            if not line.strip() or line.startswith("#"):
                continue
            try:
                first, second, text = line.split(delimiter)
                score = float(text)
            except ValueError:
                score = math.nan
            if not math.isfinite(score):
                logger.info("%s, line %d: not two words and a score; passed over", os.fspath(pairs), number)
                continue
            if case_insensitive:
                first, second = first.upper(), second.upper()
            if first in known.row_of and second in known.row_of:
                rows.append((known.row_of[first], known.row_of[second]))
            else:
                unknown += 1
                if not dummy4unknown:
                    continue
                rows.append((-1, -1))
            gold.append(score)
    if len(gold) < 2:
        raise ValueError(
            f"{os.fspath(pairs)}: {len(gold)} pairs to compare, {unknown} with an unknown word; at least 2 "
            f"are needed, one per line: word{delimiter!r}word{delimiter!r}score"
        )
    left, right = np.array(rows).T
    vectors = kv.peek()
    similarities = cosines_of_pairs(vectors, left, right)
    similarities[left < 0] = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # the NaN in the result says it
        pearson = stats.pearsonr(gold, similarities)
        spearman = stats.spearmanr(gold, similarities)
    oov = unknown / (len(gold) if dummy4unknown else len(gold) + unknown) * 100
    log_evaluate_word_pairs(pearson, spearman, oov, pairs)
    return pearson, spearman, oov


def log_evaluate_word_pairs(pearson: Any, spearman: Any, oov: float, pairs: Pathlike) -> None:
    """Log the result of `evaluate_word_pairs`."""
    logger.info("Pearson correlation with %s: %.4f", os.fspath(pairs), pearson[0])
    logger.info("Spearman rank correlation with %s: %.4f", os.fspath(pairs), spearman[0])
    logger.info("pairs with unknown words: %.1f%%", oov)


def evaluate_word_analogies(
    kv: Vectors,
    analogies: Pathlike,
    restrict_vocab: int | None = 300000,
    case_insensitive: bool = True,
    dummy4unknown: bool = False,
    similarity_function: str = "most_similar",
) -> tuple[float, list[Section]]:
    """Ask "a is to b as c is to ?" and count the right answers.

    The answer is the first of the 5 words nearest to b - a + c that differs, folded to upper case, from a, b and c;
    without such a word the answer is wrong (Mikolov et al. 2013, arXiv:1301.3781, section 4).

    Parameters
    ----------
    kv : KeyedVectors
    analogies : path-like
        Lines of four words, in sections that a line ``: name`` opens. UTF-8.
    restrict_vocab : int, default 300000
        Only this many of the first (most frequent) words are known and can be answers; None for all.
    case_insensitive : bool, default True
        Compare upper-cased words; the most frequent spelling counts.
    dummy4unknown : bool, default False
        Count questions with an unknown word as wrong instead of leaving them out.
    similarity_function : str, default "most_similar"
        ``"most_similar_cosmul"``, or the name of any other method with the same parameters.

    Returns
    -------
    score : float
        Share of right answers, 0 if no question could be asked.
    sections : list of dict
        Each with ``section``, and the questions as tuples of (folded) words in ``correct`` and ``incorrect``;
        the last is ``"Total accuracy"``.

    Raises
    ------
    ValueError
        A question stands before the first section, the file has no question, or the similarity function is unknown.
    """
    check_asked("analogies", analogies, restrict_vocab)
    multiply, method = similarity_function == "most_similar_cosmul", None
    if not multiply and similarity_function != "most_similar":
        method = getattr(kv, similarity_function, None) if isinstance(similarity_function, str) else None
        if not callable(method):
            raise ValueError(
                f"similarity_function={similarity_function!r} is not the name of a method of these vectors"
            )
    known = known_words(kv, restrict_vocab, case_insensitive)
    parsed = list(read_analogies(analogies, case_insensitive))
    questions = [question for _, asked in parsed for question in asked]
    if not questions:
        raise ValueError(f"{os.fspath(analogies)}: no question of four words")
    rows = np.array(
        [
            [known.row_of[word] for word in question]
            for question in questions
            if all(word in known.row_of for word in question)
        ],
        np.int64,
    ).reshape(-1, 4)
    if method is None:
        answers = answer_analogies(kv, known, rows, (multiply,))[0]
    else:
        answers = _answers_of(method, kv, known, rows, restrict_vocab)
    right = iter((answers == rows[:, 3]).tolist())

    sections: list[Section] = []
    for name, asked in parsed:
        section: Section = {"section": name, "correct": [], "incorrect": []}
        for question in asked:
            if all(word in known.row_of for word in question):
                section["correct" if next(right) else "incorrect"].append(question)
            elif dummy4unknown:
                section["incorrect"].append(question)
        sections.append(section)
    total: Section = {"section": "Total accuracy"}
    for verdict in ("correct", "incorrect"):
        total[verdict] = [question for section in sections for question in section[verdict]]
    sections.append(total)
    for section in sections:
        log_accuracy(section)
    logger.info("questions with unknown words: %.1f%%", (1 - len(rows) / len(questions)) * 100)
    count = len(total["correct"]) + len(total["incorrect"])
    return (len(total["correct"]) / count if count else 0.0), sections


def log_accuracy(section: Section) -> None:
    """Log the score of one section of `evaluate_word_analogies`."""
    correct, count = len(section["correct"]), len(section["correct"]) + len(section["incorrect"])
    if count:
        logger.info("%s: %.1f%% (%d/%d)", section["section"], 100 * correct / count, correct, count)


def read_analogies(path: Pathlike, case_insensitive: bool) -> Iterator[tuple[str, list[Question]]]:
    name, asked = None, list[Question]()
    with open(path, encoding="utf8") as file:
        for number, line in enumerate(file, 1):
            if line.startswith(":"):
                if name is not None:
                    yield name, asked
                name, asked = line[1:].strip(), []
                continue
            words = (line.upper() if case_insensitive else line).split()
            if words and name is None:
                raise ValueError(f"{os.fspath(path)}, line {number}: a question before the first ': section'")
            if len(words) == 4:
                asked.append((words[0], words[1], words[2], words[3]))
            elif words:
                logger.info("%s, line %d: not four words; passed over", os.fspath(path), number)
    if name is not None:
        yield name, asked


def answer_analogies(
    kv: Vectors, known: Known, questions: NDArray[np.int64], formulas: Sequence[bool]
) -> NDArray[np.int64]:
    """Answer questions by one or several formulas, from one pass over the similarities.

    The score of a word is linear in b, c and a (or a product over them), and a file of questions has few different
    words: one product with the vocabulary, a block of it at a time, serves all questions. The additive score leaves out
    the length of b - a + c, which does not change an order.

    Parameters
    ----------
    kv : KeyedVectors
    known : Known, from `known_words`
    questions : int64 [n, 3 or more], rows of a, b and c
    formulas : sequence of bool
        True for 3CosMul (Levy & Goldberg 2014, CoNLL, section 6), False for 3CosAdd.

    Returns
    -------
    int64 [formulas, n]
        Rows of the answers; -1 means no answer.
    """

    def ask(vectors: NDArray[Any], norms: NDArray[Any] | None) -> NDArray[np.int64]:
        asked, where = np.unique(questions[:, :3], return_inverse=True)
        where = where.reshape(-1, 3)
        units = _units(vectors, asked).astype(np.float32, copy=False)
        answers = np.full((len(formulas), len(questions)), -1)
        best = np.full(answers.shape, -np.inf, np.float32)
        passed = np.full((*answers.shape, _TOP), -np.inf, np.float32)
        step = max(1, _BLOCK_BYTES // (4 * max(1, len(asked))))
        for start in range(0, len(known.first_row), step):
            block = slice(start, min(start + step, len(known.first_row)))
            similarities = np.empty((len(asked), block.stop - start), np.float32)
            of_block = None if norms is None else norms[block]
            for place, rows, lengths in queries.blocks_with_norms(vectors[block], of_block, queries.MATRIX_VALUES):
                part = np.matmul(units, rows.T.astype(np.float32, copy=False), out=similarities[:, place])
                np.divide(part, lengths, out=part, where=lengths > 0)
            for formula, multiply in enumerate(formulas):
                epsilon = queries.COSMUL_EPSILON if multiply else 0.0
                _analogies.better_answers(
                    similarities, where, known.first_row[block], asked, start, epsilon,
                    best[formula], answers[formula], passed[formula],
                )  # fmt: skip
        answers[(passed >= best[..., None]).all(axis=-1)] = -1
        return answers

    return kv.over_rows(ask)


def _answers_of(
    method: Callable[..., Sequence[tuple[Any, float]]],
    kv: Vectors,
    known: Known,
    questions: NDArray[np.int64],
    restrict_vocab: int | None,
) -> NDArray[np.int64]:
    """Answer questions [n, 4] one by one with the user's similarity function."""
    keys = kv.index_to_key
    first_row = {key: int(row) for key, row in zip(keys, known.first_row, strict=False)}
    answers = np.full(len(questions), -1)
    for i, (a, b, c, _) in enumerate(questions.tolist()):
        nearest = method(positive=[keys[b], keys[c]], negative=[keys[a]], topn=_TOP, restrict_vocab=restrict_vocab)
        rows = [first_row[key] for key, _ in nearest if key in first_row]
        answers[i] = next((row for row in rows if row not in (a, b, c)), -1)
    return answers

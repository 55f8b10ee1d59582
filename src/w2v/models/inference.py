"""Vectors of documents that a model was not trained on."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.common import checks
from w2v.common.cores import core_count
from w2v.common.public import public
from w2v.tokens.encode import Encoded
from w2v.tokens.stream import whole_batches
from w2v.training import epoch, matrices
from w2v.training.schedule import derived_key
from w2v.training.settings import MOST_ALPHA, Settings
from w2v.training.workers import Workers
from w2v.vectors import queries

# Of `derived_key`: what the draws of inference are for.
INFERENCE = 3


@public
class Inferred(NamedTuple):
    """The result of `Doc2Vec.infer_vectors`.

    Attributes
    ----------
    vectors : float32 [documents, vector_size]
    unknown : int64, the numbers of the documents without a known word, ascending; their vectors are zero
    epochs : int32 [documents], for how many epochs each was trained: fewer than asked for where `tol` ended it
    spread : float32 [documents] or None
        With `restarts`: 1 less the mean cosine of the vectors that all starts gave, over all pairs of them. 0 says that
        the start does not matter; the more it is, the less the vector says.
    """

    vectors: NDArray[np.float32]
    unknown: NDArray[np.int64]
    epochs: NDArray[np.int32]
    spread: NDArray[np.float32] | None


class Plan(NamedTuple):
    """How documents are inferred."""

    epochs: int
    alpha: float
    min_alpha: float
    tol: float = 0.0

    @classmethod
    def of(cls, model: Any, epochs: int | None, alpha: float | None, min_alpha: float | None, tol: Any) -> "Plan":
        """The settings of a model, but for what is given; checked."""
        return cls(
            checks.integer("epochs", model.epochs if epochs is None else epochs, 1),
            checks.number("alpha", model.alpha if alpha is None else alpha, 0, MOST_ALPHA),
            checks.number("min_alpha", model.min_alpha if min_alpha is None else min_alpha, 0, MOST_ALPHA),
            0.0 if tol is None else checks.number("tol", tol, 0, 1),
        )


def new_kernel(model: Any, settings: Settings) -> epoch.Kernel:
    """A kernel that changes nothing of a model: words and outputs are read alone, and rows of documents are given."""
    if settings.dm_tag_count != 1 and settings.dm_concat:  # type: ignore[attr-defined]
        raise RuntimeError(
            f"dm_tag_count={model.dm_tag_count}: a document that is inferred has one vector, not several"
        )
    if not settings.negative and not settings.hs:
        raise RuntimeError("hs=0 and negative=0 leave nothing to infer from; set negative=5 or hs=1, and train")
    some = matrices.whole_rows(matrices.new_matrix(1, settings.vector_size))
    made: epoch.Kernel = model.kernel(
        replace(settings, compute_loss=False),
        documents=some,
        document_locks=None,
        learn_words=False,
        learn_outputs=False,
        words=not settings.sg,  # which would only be read: in PV-DBOW they have no part in a document's row
    )
    return made


def words_of(documents: Iterable[Any]) -> Iterator[Sequence[str]]:
    """The words of each document: a list of them, or an object that has `words`."""
    for number, document in enumerate(documents):
        words = getattr(document, "words", document)
        if isinstance(words, str | bytes):
            raise TypeError(f"document {number:,} is {words!r:.60}, a string, not a list of words; split it")
        yield words


class Batch(NamedTuple):
    """Documents that are inferred together, and where their results go."""

    encoded: Encoded
    rows: list[NDArray[np.float32]]  # of each start
    epochs: list[NDArray[np.int32]]
    cursors: list[NDArray[np.int64]]

    @classmethod
    def of(cls, encoded: Encoded, stride: int, restarts: int) -> "Batch":
        n = len(encoded.offsets) - 1
        rows = [np.zeros((n, stride), np.float32) for _ in range(restarts)]
        epochs = [np.zeros(n, np.int32) for _ in range(restarts)]
        return cls(encoded, rows, epochs, [np.zeros(1, np.int64) for _ in range(restarts)])

    def infer(self, kernel: epoch.Kernel, plan: Plan, seed: int, stop: NDArray[np.int32]) -> None:
        """Infer what nobody has inferred yet, together with others who call this."""
        for start, (rows, epochs, cursor) in enumerate(zip(self.rows, self.epochs, self.cursors, strict=True)):
            kernel.infer(
                self.encoded.tokens,
                self.encoded.offsets,
                rows,
                epochs,
                cursor,
                stop,
                key=derived_key(seed, INFERENCE, start),
                **plan._asdict(),
            )


def infer_one(kernel: epoch.Kernel, words: NDArray[np.int32], plan: Plan, size: int, seed: int) -> NDArray[np.float32]:
    """The vector of one document, by the calling thread."""
    encoded = Encoded(words, np.array([0, len(words)], np.int64), len(words))
    batch = Batch.of(encoded, matrices.padded_size(size), 1)
    batch.infer(kernel, plan, seed, np.zeros(1, np.int32))
    return batch.rows[0][0, :size].copy()


def infer(
    model: Any, kernel: epoch.Kernel, documents: Iterable[Any], plan: Plan, workers: int, restarts: int
) -> Inferred:
    """Infer the vectors of documents, which are read while others are inferred."""
    size, seed = model.wv.vector_size, model.seed
    held: list[Batch] = []

    def work(number: int, batch: tuple[Batch], *counts: Any) -> None:
        batch[0].infer(kernel, plan, seed, crew.stop)

    def handed_out() -> Iterator[tuple[Batch]]:
        for encoded in whole_batches(words_of(documents), False, model.wv.key_to_index, kernel.batch_words):
            kernel.check_tokens(encoded.tokens)
            kernel.longest_sentence(encoded.offsets, len(encoded.tokens))
            held.append(Batch.of(encoded, matrices.padded_size(size), restarts))
            yield (held[-1],)

    threads = core_count() if workers == -1 else workers
    crew = Workers(work, threads if kernel.uses_threads else 1)
    with kernel.inferring():
        crew.train(handed_out(), model.heed)
    lengths = [np.diff(batch.encoded.offsets) for batch in held]
    total = sum(map(len, lengths))
    starts = np.zeros((restarts, total, size), np.float32)
    epochs = np.zeros(total, np.int32)
    begin = 0
    for batch in held:
        end = begin + len(batch.epochs[0])
        epochs[begin:end] = batch.epochs[0]
        for start, rows in enumerate(batch.rows):
            starts[start, begin:end] = rows[:, :size]
        begin = end
    unknown = np.flatnonzero(np.concatenate([np.zeros(0, np.int64), *lengths]) == 0)
    return Inferred(starts[0], unknown, epochs, None if restarts == 1 else spread_of(starts))


def spread_of(starts: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 less the mean cosine between the vectors [start, document, size] of a document, over all pairs of starts."""
    n = len(starts)
    total = np.zeros(starts.shape[1:])
    for rows in starts:
        total += queries.unit_rows(rows, None)
    # The squared length of a sum of n unit vectors is n and twice the cosines of all pairs.
    mean = ((total * total).sum(axis=1) - n) / (n * (n - 1))
    spread: NDArray[np.float32] = np.where((total == 0).all(axis=1), 0, np.clip(1 - mean, 0, 2)).astype(np.float32)
    return spread

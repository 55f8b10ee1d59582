"""The trained model, brought together from the workers: rows from one of them, documents from each."""

from collections.abc import Sequence
from dataclasses import replace

from w2v.distributed import policy
from w2v.distributed.engine import Engine
from w2v.distributed.replica import frequent_first
from w2v.models.tagged import Tagged
from w2v.models.word2vec import Word2Vec
from w2v.training import matrices
from w2v.training.weights import Weights


def collect_rows(engine: Engine, model: Word2Vec) -> None:
    """Give a model new matrices, with the rows of the first worker as of their last sync."""
    shapes = {name: rows.shape for name, rows in model.weights.named().items() if name != "documents"}
    fresh = {name: matrices.new_matrix(*shape) for name, shape in shapes.items()}  # the old ones may be shared
    targets = [frequent_first(name, rows) for name, rows in fresh.items()]
    for low, high in policy.windows(len(model.vocabulary), model.vector_size):
        for target, rows in zip(targets, engine.one(engine.ranks[0], "values", low, high), strict=True):
            target[low:high] = rows
    made = Weights.of_named(fresh, model.tied)
    model.weights = replace(model.weights, inputs=made.inputs, outputs=made.outputs, nodes=made.nodes)


def collect_documents(engine: Engine, model: Tagged, owned: Sequence[Sequence[int]], firsts: Sequence[int]) -> None:
    """Give a model the vectors of its documents, of which each worker has those of its blocks.

    Parameters
    ----------
    owned : sequence of sequence of int, the blocks of each rank
    firsts : sequence of int, the first document of each block, and the number of all
    """
    vectors = matrices.new_matrix(firsts[-1], model.vector_size)
    for rank in engine.ranks:
        rows, at = engine.one(rank, "document_rows"), 0
        for number in owned[rank]:
            first, last = firsts[number], firsts[number + 1]
            vectors[first:last] = rows[at : at + last - first]
            at += last - first
    model.dv.vectors, model.dv.norms = vectors, None

"""The matrices that training changes, and the factors of their gradients: made, grown, checked and named here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.files import arrays
from w2v.training import matrices
from w2v.training.schedule import derived_key
from w2v.vocabulary import huffman

Matrix = NDArray[np.float32]

# Of `derived_key`: what rows are drawn for, besides `matrices.WORDS`.
DOCUMENTS = 2
SUBWORDS = 4


@dataclass(frozen=True)
class Weights:
    """The matrices of a model. A change of their shape makes another `Weights`; training changes their numbers.

    Attributes
    ----------
    inputs : float32 [words, vector_size]
    outputs : float32 [words, vector_size] or None, of negative sampling; `inputs` itself where both are tied
    nodes : float32 [words, vector_size] or None, the inner nodes of hierarchical softmax; the last row is not used
    documents : float32 [documents, vector_size] or None, input rows of documents
    locks : float32 [words] or [1], how much of its gradient each input row takes
    document_locks : float32 [documents] or [1], the same of each row of documents
    subwords : int, how many of the input rows, the last ones, are those of parts of words
    """

    inputs: Matrix
    outputs: Matrix | None = None
    nodes: Matrix | None = None
    documents: Matrix | None = None
    locks: NDArray[Any] = field(default_factory=lambda: np.ones(1, np.float32))
    document_locks: NDArray[Any] = field(default_factory=lambda: np.ones(1, np.float32))
    subwords: int = 0

    @classmethod
    def new(
        cls,
        words: int,
        vector_size: int,
        seed: int,
        *,
        negative: bool,
        hs: bool,
        documents: int = 0,
        tied: bool = False,
        output_size: int | None = None,
    ) -> "Weights":
        """Input rows of words and documents from the seed; outputs of zeros, or with `tied` the input rows.

        Outputs may be of another size.
        """
        output_size = vector_size if output_size is None else output_size
        inputs = matrices.first_vectors(words, vector_size, seed)
        return cls(
            inputs,
            (inputs if tied else matrices.new_matrix(words, output_size)) if negative else None,
            matrices.new_matrix(words, output_size) if hs else None,
            matrices.first_vectors(documents, vector_size, seed, purpose=DOCUMENTS) if documents else None,
        )

    def grown(self, words: int, seed: int, former: huffman.Paths | None, paths: huffman.Paths | None) -> "Weights":
        """With rows for new words: inputs from the seed, outputs of zeros; every old word keeps its own.

        `former` and `paths` are the Huffman trees before and after, needed where there are nodes.
        """
        known = len(self.inputs) - self.subwords
        inputs = matrices.new_matrix(words + self.subwords, self.inputs.shape[1])
        inputs[:known], inputs[words:] = self.inputs[:known], self.inputs[known:]
        matrices.fill(inputs, known, words, derived_key(seed, matrices.WORDS), known)
        locks, nodes = self.locks, self.nodes
        if len(locks) > 1:
            locks = np.concatenate([locks[:known], np.ones(words - known, np.float32), locks[known:]])
        if nodes is not None and former is not None and paths is not None:
            nodes = matrices.grown(huffman.carried_over(nodes, former, paths)[0], words)
        outputs = inputs if self.tied else self.outputs
        if outputs is not None and not self.tied:
            outputs = matrices.grown(outputs, words)
        return replace(self, inputs=inputs, outputs=outputs, nodes=nodes, locks=locks)

    def with_subwords(self, subwords: int, seed: int) -> "Weights":
        """With so many input rows of parts of words behind those of words, from the seed."""
        words = len(self.inputs)
        inputs = matrices.grown(self.inputs, words + subwords)
        matrices.fill(inputs, words, words + subwords, derived_key(seed, SUBWORDS), 0)
        return replace(self, inputs=inputs, subwords=subwords)

    def trainable(self) -> "Weights":
        """The same numbers in matrices that the kernel can work on: their rows are padded, and can be written."""
        ready: dict[str, Any] = {name: matrices.trainable(matrix) for name, matrix in self._matrices()}
        if self.tied:
            ready["outputs"] = ready["inputs"]
        return replace(self, **ready)

    @property
    def tied(self) -> bool:
        """Whether a word's input and output row are one and the same."""
        return self.outputs is self.inputs

    def _matrices(self) -> Iterator[tuple[str, Matrix]]:
        for name in ("inputs", "outputs", "nodes", "documents"):
            matrix = getattr(self, name)
            if matrix is not None and not (name == "outputs" and self.tied):
                yield name, matrix

    def named(self) -> dict[str, Matrix]:
        """The matrices under the names that they have in files."""
        nodes = None if self.nodes is None else self.nodes[: max(len(self.inputs) - self.subwords - 1, 0)]
        found = {
            "rows" if self.subwords else "vectors": self.inputs,
            "outputs.negative": None if self.tied else self.outputs,
            "outputs.hierarchical": nodes,
            "documents": self.documents,
        }
        return {name: matrix for name, matrix in found.items() if matrix is not None}

    @classmethod
    def of_named(cls, arrays: Mapping[str, NDArray[Any]], tied: bool = False) -> "Weights":
        """The inverse of `named`, from all arrays of a file; `tied` as the settings beside them say."""
        words, nodes = len(arrays["vectors"]), arrays.get("outputs.hierarchical")
        inputs = arrays.get("rows", arrays["vectors"])
        return cls(
            inputs,
            inputs if tied else arrays.get("outputs.negative"),
            None if nodes is None else matrices.grown(nodes, words),
            arrays.get("documents"),
            arrays.get("vectors.locks", np.ones(1, np.float32)),
            arrays.get("documents.locks", np.ones(1, np.float32)),
            len(inputs) - words,
        )

    def is_finite(self, rows: int | None = None) -> bool:
        """Whether the first rows of every matrix, or all, are numbers still."""
        for _, matrix in self._matrices():
            whole = matrices.padded(matrix)
            if arrays.check_finite((matrix if whole is None else whole)[:rows]) is not None:
                return False
        return True

    def factors(self) -> NDArray[np.float32] | None:
        """The factor of each input row's gradient, or None where all are 1."""
        return arrays.row_factors("wv.vectors_lockf", self.locks, "word", len(self.inputs))

    def document_factors(self) -> NDArray[np.float32] | None:
        """The factor of the gradient of each row of documents, or None where all are 1."""
        if self.documents is None:
            return None
        return arrays.row_factors("dv.vectors_lockf", self.document_locks, "document", len(self.documents))


def estimated(
    words: int, vector_size: int, output_size: int, negative: bool, hs: bool, segments: int | None
) -> dict[str, int]:
    """Bytes of matrices, by gensim's names, and of what deterministic training in so many segments notes of rows."""
    matrix, output = (words * matrices.padded_size(size) * 4 for size in (vector_size, output_size))
    found = {"vectors": matrix} | ({"syn1": output} if hs else {}) | ({"syn1neg": output} if negative else {})
    if segments is not None:
        slots = 4 * segments
        found["rounds"] = words * ((16 + slots) * (2 if hs else 1) + (slots + 12 if negative else 0))
    return found

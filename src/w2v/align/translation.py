"""gensim's translation matrices, under its names, on the maps of this room.

They are least squares maps of unit rows, neither centred nor orthogonal: `w2v.align.fit` has better ones.
"""

import os
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from w2v.align import retrieval, solve
from w2v.common import checks
from w2v.common.public import public
from w2v.files import native
from w2v.files.errors import FormatError
from w2v.files.reading import Pathlike
from w2v.vectors import queries

Array = NDArray[Any]


class Space:
    """Some words and their rows.

    Attributes
    ----------
    mat : ndarray [words, vector_size]
    index2word : list
    word2index : dict
    """

    def __init__(self, matrix: Array, index2word: Sequence[Any]) -> None:
        self.mat = matrix
        self.index2word = list(index2word)
        self.word2index = {word: row for row, word in enumerate(self.index2word)}

    @classmethod
    def build(cls, lang_vec: Any, lexicon: Iterable[Any] | None = None) -> "Space":
        """The space of all words of some `KeyedVectors`, or of those of a lexicon; KeyError for an unknown one."""
        words = list(lang_vec.index_to_key if lexicon is None else lexicon)
        return cls(np.asarray(lang_vec.vectors)[[lang_vec.get_index(word) for word in words]], words)

    def normalize(self) -> None:
        """Scale the rows to length 1."""
        self.mat = queries.unit_rows(self.mat, queries.row_norms(self.mat))


class _Saved:
    """What both kinds keep in a file: the matrix, in w2v's own format, without a pickle."""

    translation_matrix: NDArray[np.float32] | None

    def save(self, fname: Pathlike, *ignored: Any, **options: Any) -> None:
        """Write the matrix, atomically; the vectors are not saved. Other parameters are accepted and ignored."""
        if self.translation_matrix is None:
            raise RuntimeError("there is no matrix to save yet; call train first")
        rows = list(map(str, range(len(self.translation_matrix))))
        meta = {"translation": type(self).__name__}
        native.write_native(fname, "vectors", rows, {"vectors": self.translation_matrix}, meta)

    @classmethod
    def load(cls, fname: Pathlike, **options: Any) -> Self:
        """Read a matrix that `save` wrote; FormatError for any other file."""
        _, _, arrays, meta = native.read_native(os.fspath(fname))
        if meta.get("translation") != cls.__name__:
            raise FormatError(f"{os.fspath(fname)}: not a saved {cls.__name__}")
        made = cls.__new__(cls)
        made.__dict__.update(made._empty(), translation_matrix=np.array(arrays["vectors"]))
        return made

    @staticmethod
    def _empty() -> dict[str, Any]:
        raise NotImplementedError


@public
class TranslationMatrix(_Saved):
    """A linear map from the words of one language to those of another (Mikolov et al. 2013, arXiv:1309.4168).

    gensim's class: least squares between unit rows. `w2v.align.fit` offers orthogonal maps, ridge, centring and CSLS.

    Parameters
    ----------
    source_lang_vec, target_lang_vec : KeyedVectors
    word_pairs : list of (source word, target word), optional
        Train on these at once.
    random_state : int or numpy.random.RandomState, optional
        Of the words that ``gc=1`` samples.

    Attributes
    ----------
    translation_matrix : float32 [source vector_size, target vector_size] or None
    """

    def __init__(
        self,
        source_lang_vec: Any,
        target_lang_vec: Any,
        word_pairs: Sequence[tuple[Any, Any]] | None = None,
        random_state: Any = None,
    ) -> None:
        self.__dict__.update(self._empty())
        self.source_lang_vec, self.target_lang_vec = source_lang_vec, target_lang_vec
        self.random_state = _generator(random_state)
        if word_pairs is not None:
            self.train(word_pairs)

    @staticmethod
    def _empty() -> dict[str, Any]:
        names = ("source_lang_vec", "target_lang_vec", "source_word", "target_word", "source_space", "target_space")
        return dict.fromkeys([*names, "translation_matrix"]) | {"random_state": _generator(None)}

    def train(self, word_pairs: Sequence[tuple[Any, Any]]) -> None:
        """Fit the matrix to pairs of words; KeyError for an unknown one."""
        pairs = list(word_pairs)
        if not pairs or any(isinstance(pair, str) or len(pair) != 2 for pair in pairs):
            raise ValueError(f"word_pairs={word_pairs!r:.80} must be pairs of a source word and a target word")
        sides = [list(words) for words in zip(*pairs, strict=True)]
        self.source_word, self.target_word = sides
        self.source_space = Space.build(self.source_lang_vec, self.source_word)
        self.target_space = Space.build(self.target_lang_vec, self.target_word)
        self.source_space.normalize()
        self.target_space.normalize()
        self.translation_matrix = solve.least_squares(self.source_space.mat, self.target_space.mat).astype(np.float32)

    def apply_transmat(self, words_space: Space) -> Space:
        """Map a space of source words."""
        if self.translation_matrix is None:
            raise RuntimeError("there is no matrix yet; call train first")
        return Space(words_space.mat @ self.translation_matrix, words_space.index2word)

    def translate(
        self,
        source_words: Any,
        topn: int = 5,
        gc: int = 0,
        sample_num: int | None = None,
        source_lang_vec: Any = None,
        target_lang_vec: Any = None,
    ) -> "OrderedDict[Any, list[Any]]":
        """Find the target words nearest to mapped source words.

        Parameters
        ----------
        source_words : str or list of str
        topn : int, default 5
        gc : {0, 1}, default 0
            1 corrects for hubs: a target is scored by the rank that the asked word has among its own nearest, counted
            with `sample_num` further source words, equal ranks by cosine (Dinu, Lazaridou & Baroni 2015,
            arXiv:1412.6568).
        sample_num : int, optional
            Needed with ``gc=1``.
        source_lang_vec, target_lang_vec : KeyedVectors, optional
            Others than those trained with.

        Returns
        -------
        OrderedDict of word to list of words, best first

        Raises
        ------
        RuntimeError
            ``gc=1`` without `sample_num`, or no matrix yet.
        """
        words = [source_words] if isinstance(source_words, str) else list(source_words)
        source = self.source_lang_vec if source_lang_vec is None else source_lang_vec
        target = self.target_lang_vec if target_lang_vec is None else target_lang_vec
        count = checks.integer("topn", topn, 1)
        asked, answers = _unit_space(self, source, words), Space.build(target)
        answers.normalize()
        if gc:
            if sample_num is None:
                raise RuntimeError("gc=1 needs sample_num=, the number of source words to sample")
            others = [word for word in source.index_to_key if word not in set(words)]
            found = self._corrected(asked, source, others, answers.mat, sample_num, count)
        else:
            found = retrieval.nearest(asked, _exact(answers.mat), count)[0]
        names = answers.index2word
        return OrderedDict(
            (word, [names[row] for row in rows]) for word, rows in zip(words, found.tolist(), strict=True)
        )

    def _corrected(
        self, asked: Array, source: Any, others: list[Any], targets: Array, sample_num: int, count: int
    ) -> NDArray[np.int64]:
        most = checks.integer("sample_num", sample_num, 0)
        sampled = self.random_state.permutation(len(others))[:most]
        everybody = np.concatenate([asked, _unit_space(self, source, [others[place] for place in sampled.tolist()])])
        found = np.empty((len(asked), min(count, len(targets))), np.int64)
        ranks = np.zeros((len(asked), len(targets)), np.float32)
        step = max(1, retrieval.BLOCK_BYTES // (4 * len(everybody)))
        cosines = np.empty_like(ranks)
        for start in range(0, len(targets), step):
            scores = _exact(targets[start : start + step]) @ everybody.T
            order = np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1)
            ranks[:, start : start + step] = order[:, : len(asked)].T
            cosines[:, start : start + step] = scores[:, : len(asked)].T
        found[...] = np.argsort(ranks - cosines, axis=1, kind="stable")[:, : found.shape[1]]
        return found


@public
class BackMappingTranslationMatrix(_Saved):
    """A linear map from the document vectors of one model back to those of another; gensim's class.

    Parameters
    ----------
    source_lang_vec, target_lang_vec : models of documents, with ``dv``
    tagged_docs : list of documents with ``tags``, optional
        Train on these at once; both models know them.
    random_state : ignored

    Attributes
    ----------
    translation_matrix : float32 [target vector_size, source vector_size] or None
    """

    def __init__(
        self,
        source_lang_vec: Any,
        target_lang_vec: Any,
        tagged_docs: Sequence[Any] | None = None,
        random_state: Any = None,
    ) -> None:
        self.__dict__.update(self._empty())
        self.source_lang_vec, self.target_lang_vec = source_lang_vec, target_lang_vec
        self.random_state = _generator(random_state)
        if tagged_docs is not None:
            self.train(tagged_docs)

    @staticmethod
    def _empty() -> dict[str, Any]:
        names = ("source_lang_vec", "target_lang_vec", "tagged_docs", "translation_matrix")
        return dict.fromkeys(names) | {"random_state": _generator(None)}

    def train(self, tagged_docs: Sequence[Any]) -> NDArray[np.float32]:
        """Fit the matrix to documents that both models know, and return it."""
        self.tagged_docs = list(tagged_docs)
        if not self.tagged_docs:
            raise ValueError("tagged_docs is empty; there is nothing to learn from")
        sides = [
            np.stack([np.ravel(model.dv[document.tags]) for document in self.tagged_docs])
            for model in (self.target_lang_vec, self.source_lang_vec)
        ]
        self.translation_matrix = solve.least_squares(*sides).astype(np.float32)
        return self.translation_matrix

    def infer_vector(self, target_doc_vec: ArrayLike) -> Array:
        """Map a document vector of the target model into the space of the source model."""
        if self.translation_matrix is None:
            raise RuntimeError("there is no matrix yet; call train first")
        mapped: Array = np.asarray(target_doc_vec) @ self.translation_matrix
        return mapped


def _unit_space(model: TranslationMatrix, vectors: Any, words: list[Any]) -> Array:
    space = Space.build(vectors, words)
    space.normalize()
    mapped = model.apply_transmat(space).mat
    return _exact(queries.unit_rows(mapped, queries.row_norms(mapped)))


def _exact(rows: Array) -> NDArray[np.float32]:
    return np.ascontiguousarray(rows, np.float32)


def _generator(random_state: Any) -> Any:
    return random_state if hasattr(random_state, "permutation") else np.random.RandomState(random_state)

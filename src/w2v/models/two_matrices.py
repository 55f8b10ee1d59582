"""What a model with an input and an output vector for each word can be asked, beyond what its `wv` can."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from w2v.atlas.atlas import Atlas
from w2v.common.cores import thread_count
from w2v.files.reading import Pathlike
from w2v.models import explain
from w2v.models.building import Buildable
from w2v.text.corpus import Corpus
from w2v.tokens.cache import TokenCache
from w2v.tokens.encode import Encoded
from w2v.tokens.words import Sentences
from w2v.training.settings import Settings
from w2v.vectors import mapping, spaces
from w2v.vectors.asked import check_space
from w2v.vectors.keyed import KeyedVectors, Scored
from w2v.vectors.lookup import Key
from w2v.vectors.runs import agreed_neighbors


class TwoMatrices(Buildable):
    """Queries in five spaces, named after the vectors of the word that asks and of the words that answer.

    ``"in-in"`` finds words that are used alike, as `wv` does; ``"in-out"`` finds words that stand together with the
    word asked about, and ``"out-in"`` words with which it stands; ``"out-out"`` compares words as contexts; ``"sum"``
    takes the sum of both vectors at unit length.
    """

    def most_similar(
        self,
        positive: Any = None,
        negative: Any = None,
        topn: int | None = 10,
        clip_start: int = 0,
        clip_end: int | None = None,
        restrict_vocab: int | None = None,
        indexer: Any = None,
        *,
        space: str = "in-in",
        runs: Sequence[Any] | None = None,
    ) -> Any:
        """Find the words nearest to a weighted mean of words, in one of five spaces.

        Parameters
        ----------
        positive, negative, topn, clip_start, clip_end, restrict_vocab, indexer
            As in `KeyedVectors.most_similar`; an indexer answers in-in alone.
        space : {"in-in", "in-out", "out-in", "out-out", "sum"}
        runs : sequence of Word2Vec, optional
            The same training with other seeds. A neighbour then comes with mean and standard deviation of its cosine,
            and with the number of runs that agree on it.

        Returns
        -------
        list of (key, float), ndarray, or with `runs` list of AgreedNeighbor
            As in `KeyedVectors.most_similar`: descending, equal scores in row order, without the words asked about.

        Raises
        ------
        ValueError
            No such space, or a space that needs output vectors, which hierarchical softmax alone has none of.
        """
        if check_space(space) == "in-in":
            given = (positive, negative, topn, clip_start, clip_end, restrict_vocab, indexer)
            return self.wv.most_similar(*given, runs=runs)
        if indexer is not None:
            raise ValueError(f"an indexer answers from the input vectors; use space='in-in', not space={space!r}")
        if runs is not None:
            return agreed_neighbors([self, *runs], positive, negative, topn, restrict_vocab, space=space)
        sides = self.sides(space)
        return spaces.most_similar(sides, positive, negative, topn, clip_start, clip_end, restrict_vocab)

    def most_similar_batch(
        self, words: Sequence[Key], topn: int = 10, restrict_vocab: int | None = None, *, space: str = "in-in"
    ) -> list[Scored]:
        """Answer ``most_similar(word, space=space)`` for many words; see `KeyedVectors.most_similar_batch`."""
        return spaces.most_similar_batch(self.sides(space), words, topn, restrict_vocab)

    def similar_by_vector(
        self, vector: ArrayLike, topn: int | None = 10, restrict_vocab: int | None = None, *, space: str = "in-in"
    ) -> Any:
        """Find the words nearest to a vector [vector_size], which is taken for one of the asking side.

        The word whose vector it is, is one of the answers: in ``"in-in"`` it is the first, with a cosine of 1.
        """
        return self.most_similar([np.asarray(vector)], topn=topn, restrict_vocab=restrict_vocab, space=space)

    def similarity(self, w1: Key, w2: Key, *, space: str = "in-in") -> np.float32:
        """Cosine of two words; in ``"in-out"`` of the input vector of `w1` and the output vector of `w2`."""
        return spaces.similarity(self.sides(space), w1, w2)

    def map(self, most: int | None = mapping.MOST, *, neighbors: int = mapping.NEIGHBORS, **options: Any) -> Atlas:
        """Put words on a map, with their neighbours in two spaces: used alike (in-in), standing together (in-out).

        Parameters
        ----------
        most, neighbors, options
            As in `KeyedVectors.map`. A model without negative sampling has the first space alone.
        """
        made = self.wv.map(most, neighbors=neighbors, **options)
        if self.syn1neg is not None and not self.tied:
            asked, answers = self.sides("in-out")
            made.sheets[0].spaces.append(
                mapping.space_across(
                    "stand together", asked.peek()[: len(made)], answers.peek()[: len(made)], neighbors
                )
            )
        return made

    @property
    def output_vectors(self) -> KeyedVectors:
        """The output vectors of negative sampling under the same words; the numbers share memory with the model."""
        if self.syn1neg is None:
            raise AttributeError("only negative sampling has an output vector per word; train with negative > 0")
        counts = self.wv.expandos["count"]
        return KeyedVectors.from_arrays(list(self.wv.index_to_key), self.syn1neg, {"count": counts})

    def _check_matrices(self, settings: Settings) -> None:
        """Also that there is one matrix where there should be, and not where there should be two."""
        super()._check_matrices(settings)
        if settings.tied != self.weights.tied:
            raise RuntimeError(
                f"tied={settings.tied}, but model.syn1neg is {'' if self.weights.tied else 'not '}wv.vectors itself; "
                "was one of them, or tied, assigned? init_weights starts again"
            )

    def sides(self, space: str) -> spaces.Sides:
        """The vectors that ask and that answer in a space; see `w2v.vectors.spaces.sides`."""
        if check_space(space) == "in-in":
            return spaces.Sides(self.wv, self.wv)
        if self.syn1neg is None:
            raise ValueError(
                f"space={space!r} needs an output vector for each word, which negative sampling alone has; train with "
                "negative > 0"
            )
        if len(self.syn1neg) != len(self.wv):
            raise RuntimeError(f"{len(self.wv):,} words, but {len(self.syn1neg):,} output vectors; was wv replaced?")
        outputs = KeyedVectors(self.wv.vector_size)
        outputs.vectors = self.syn1neg
        outputs.index_to_key, outputs.key_to_index = self.wv.index_to_key, self.wv.key_to_index
        outputs.__dict__["steps"] = self.steps
        return spaces.sides(self.wv, outputs, space)

    def explain(
        self,
        a: str,
        b: str,
        corpus_iterable: Sentences | None = None,
        corpus_file: Pathlike | None = None,
        *,
        topn: int = 10,
        examples: int = 3,
    ) -> explain.Explanation:
        """Explain why two words are near: used alike, or standing together?

        Parameters
        ----------
        a, b : str
        corpus_iterable, corpus_file : optional
            The corpus, for what the vectors alone do not say: how often the words meet, their contexts, and examples.
            A model that has just been trained has it still; one that was loaded has not.
        topn : int, default 10
            How many neighbours and contexts to name.
        examples : int, default 3
            How many windows of the corpus to show.

        Returns
        -------
        Explanation
            Prints as a page; see `w2v.models.explain.Explanation`.

        Raises
        ------
        KeyError
            An unknown word.
        RuntimeError
            Another corpus is given while the model is busy.
        """
        together = None if self.syn1neg is None else self.sides("in-out")
        return explain.explain(
            self.wv,
            None if together is None else together.answering,
            (a, b),
            self._corpus_at_hand(corpus_iterable, corpus_file),
            window=self.settings().window,
            exponent=self.ns_exponent,
            topn=topn,
            examples=examples,
        )

    def _corpus_at_hand(self, corpus_iterable: Sentences | None, corpus_file: Pathlike | None) -> Encoded | None:
        """The corpus as integers: the one that is given, or else the one that is kept since training."""
        index, settings = self.wv.key_to_index, self.settings()
        if corpus_iterable is None and corpus_file is None:
            return self.tokens.of(index)
        corpus = Corpus.from_arguments(corpus_iterable, corpus_file, self.tokens.corpus_identity, settings.tokenizer)
        with self.activity.only("explain"):
            self.record_digests()
            kept, cache = self.tokens, settings.cache
            if cache == "none":
                kept, cache = TokenCache(kept.terms), "auto"
            threads = thread_count(settings.workers)
            return kept.encode(corpus, self.provenance.train_count, index, cache, threads, self.heed)

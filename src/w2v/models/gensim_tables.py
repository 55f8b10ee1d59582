"""What gensim's programs ask of a model besides its vectors: a generator, a cumulated table, empty steps."""

import numpy as np
from numpy.typing import NDArray

from w2v.vectors.keyed import KeyedVectors
from w2v.vocabulary import noise
from w2v.vocabulary.vocabulary import Vocabulary


class GensimTables:
    """Members of gensim's models that ours do without."""

    seed: int
    negative: int
    hs: int
    ns_exponent: float
    vocabulary: Vocabulary
    wv: KeyedVectors
    _random: np.random.RandomState | None = None

    @property
    def random(self) -> np.random.RandomState:
        """A generator from the seed, for programs that ask gensim's model for one; training does not use it."""
        if self._random is None:
            self._random = np.random.RandomState(self.seed % 2**32)
        return self._random

    @random.setter
    def random(self, generator: np.random.RandomState) -> None:
        self._random = generator

    def _make_tables(self) -> None:
        if self.negative:
            self.vocabulary.noise(self.ns_exponent)
        if self.hs:
            self.vocabulary.paths()

    def make_cum_table(self, domain: int = 2**31 - 1) -> None:
        """Make the tables of the vocabulary; gensim's step for negative sampling. `cum_table` is made when read."""
        self._make_tables()

    def create_binary_tree(self) -> None:
        """Make the tables of the vocabulary; gensim's step for hierarchical softmax."""
        self._make_tables()

    @property
    def cum_table(self) -> NDArray[np.uint32]:
        """The noise distribution as gensim keeps it: running sums of ``counts ** ns_exponent``, 2^31 - 1 in all."""
        sums = np.cumsum(noise.weights(self.wv.expandos["count"], self.ns_exponent))
        table: NDArray[np.uint32] = np.rint(sums / sums[-1] * (2**31 - 1)).astype(np.uint32)
        return table

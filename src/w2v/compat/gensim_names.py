"""Functions of gensim's ``keyedvectors`` and ``fasttext`` that programs call and w2v itself has no use for."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from w2v.vocabulary._ngrams import ngram_rows


def pseudorandom_weak_vector(
    size: int, seed_string: str | None = None, hashfxn: Callable[[str], int] = hash
) -> NDArray[np.float32]:
    """A vector of small values, [-0.5, 0.5) / size; the same for the same `seed_string` and `hashfxn`."""
    rng = np.random.default_rng() if seed_string is None else np.random.default_rng(hashfxn(seed_string) % 2**32)
    return (rng.random(size, dtype=np.float32) - np.float32(0.5)) / np.float32(size)


def prep_vectors(
    target_shape: tuple[int, int],
    prior_vectors: NDArray[Any] | None = None,
    seed: int = 0,
    dtype: DTypeLike = np.float32,
) -> NDArray[Any]:
    """A matrix of `target_shape` that begins with the old rows; new rows are uniform in [-1, 1) / row size."""
    prior = np.zeros((0, target_shape[1]), dtype) if prior_vectors is None else prior_vectors
    if prior.shape == target_shape:
        return prior
    values = np.random.default_rng(seed).random(target_shape, np.float32).astype(dtype)
    values = (values * 2 - 1) / target_shape[1]
    values[: len(prior)] = prior
    return values


def ft_ngram_hashes(word: str, minn: int, maxn: int, num_buckets: int) -> list[int]:
    """The buckets of a word's n-grams, from 0 to `num_buckets` - 1, as fastText hashes them."""
    _, rows = ngram_rows([word], minn, maxn, num_buckets, first_row=0, own=False)
    return list(map(int, rows))

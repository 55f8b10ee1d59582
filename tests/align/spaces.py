"""Spaces whose right maps are known by construction."""

import numpy as np

from w2v import KeyedVectors


def rotation(size, seed=1):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))[0]


def named(rows, prefix="w", counts=None):
    attributes = None if counts is None else {"count": np.asarray(counts, np.int64)}
    words = [f"{prefix}{number}" for number in range(len(rows))]
    return KeyedVectors.from_arrays(words, np.asarray(rows, np.float32), attributes)


def rotated_pair(words=600, size=20, noise=1e-6, seed=0):
    """(source, target, Q): the target is the source, rotated, and a little noise."""
    rng = np.random.default_rng(seed)
    rows, turn = rng.normal(size=(words, size)), rotation(size)
    return named(rows), named(rows @ turn + noise * rng.normal(size=rows.shape)), turn

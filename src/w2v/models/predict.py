"""What a trained model says of text: how likely sentences are, and which word fits a context. Arrays in, arrays out."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.vocabulary.huffman import Paths

Array = NDArray[Any]


def sentence_scores(
    sentences: Iterable[Sequence[int]],
    inputs: Array,
    nodes: Array,
    paths: Paths,
    *,
    window: int,
    cbow: bool,
    mean: bool,
) -> NDArray[np.float32]:
    """Log-probability of each sentence under hierarchical softmax, float32 [sentences].

    Summed over all words and their full windows, without subsampling; in skip-gram over all pairs. Source: Taddy 2015,
    "Document Classification by Inversion of Distributed Language Representations" (arXiv:1504.07295), section 2.

    Parameters
    ----------
    sentences : iterable of row numbers
    inputs, nodes : float32 [V, vector_size], [V - 1, vector_size]
    paths : Paths
    window : int
    cbow, mean : bool
        With `cbow` a word is predicted from the mean (or sum) of its context words, else from each of them.
    """
    scores = []
    for rows in sentences:
        total = 0.0
        for i, word in enumerate(rows):
            context = inputs[[*rows[max(0, i - window) : i], *rows[i + 1 : i + 1 + window]]]
            if cbow:
                context = context.sum(axis=0, keepdims=True) / (max(1, len(context)) if mean else 1)
            way = slice(paths.offsets[word], paths.offsets[word + 1])
            signs = 2.0 * paths.labels[way] - 1
            total -= float(np.logaddexp(0, -signs * (context @ nodes[paths.points[way]].T)).sum())
        scores.append(total)
    return np.array(scores, np.float32)


def output_probabilities(rows: Sequence[int], inputs: Array, outputs: Array, mean: bool) -> NDArray[np.float32]:
    """Softmax over all words, given context words, float32 [V]: ``outputs @ hidden``, as if trained with softmax."""
    hidden = inputs[list(rows)].sum(axis=0) / (len(rows) if mean else 1)
    scores = outputs @ hidden
    likelihood = np.exp(scores - scores.max())
    probabilities: NDArray[np.float32] = likelihood / likelihood.sum()
    return probabilities

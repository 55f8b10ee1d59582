"""Small corpora whose right answers are known by construction."""

import numpy as np

TOPICS = (["sun", "moon", "star", "comet", "orbit", "planet"], ["bread", "cheese", "butter", "soup", "salt", "onion"])


def two_topics(sentences=600, seed=0):
    """Every sentence is about one of two topics; words of one are near each other and far from the other's."""
    rng = np.random.default_rng(seed)
    return [[TOPICS[s % 2][i] for i in rng.integers(0, 6, 8)] for s in range(sentences)]


def planted_analogy(sentences=4000, seed=0):
    """king : man as queen : woman; one set of companions marks the sexes, another marks royalty."""
    rng = np.random.default_rng(seed)
    companions = {
        "king": ("he", "crown"),
        "queen": ("she", "crown"),
        "man": ("he", "street"),
        "woman": ("she", "street"),
        "prince": ("he", "castle"),
        "princess": ("she", "castle"),
    }
    words = list(companions)
    corpus = []
    for _ in range(sentences):
        word = words[rng.integers(0, len(words))]
        near = [f"{kind}{rng.integers(0, 4)}" for kind in companions[word] for _ in range(2)]
        corpus.append([near[0], near[2], word, near[1], near[3]])
    return corpus


def zipf_like(words=3000, vocabulary=80, seed=0):
    """Plain tokens of uneven frequency in sentences of uneven length, from integers alone."""
    rng = np.random.default_rng(seed)
    tokens = rng.integers(0, vocabulary, (3, words)).prod(axis=0) // vocabulary**2
    cuts = np.sort(rng.integers(0, words, words // 9))
    return [[f"w{token}" for token in part] for part in np.split(tokens, cuts)]

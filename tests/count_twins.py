"""Counts, mutual information and weights once more: slow, obvious, and straight from the formulas."""

import math
from collections import Counter

import numpy as np


def pair_counts(sentences, window, shrink):
    """How often each pair stands within a window: {(word, context): count}, in units of 1 / window with `shrink`."""
    found = Counter()
    for sentence in sentences:
        for place, word in enumerate(sentence):
            for other, context in enumerate(sentence):
                distance = abs(other - place)
                if 1 <= distance <= window:
                    found[word, context] += window - distance + 1 if shrink else 1
    return found


def mutual_information(sentences, words, *, window, shrink, sample, exponent, negative, min_count=1):
    """The matrix [words, words] of max(0, PMI - log negative); Levy, Goldberg & Dagan 2015, equations 3 and 4."""
    occurrences = Counter(word for sentence in sentences for word in sentence)
    kept = [[word for word in sentence if occurrences[word] >= min_count] for sentence in sentences]
    tokens = sum(map(len, kept))

    def keep(word):
        if not sample:
            return 1.0
        share = occurrences[word] / (sample * tokens)
        return min(1.0, (math.sqrt(share) + 1) / share)

    weights = {(w, c): n * keep(w) * keep(c) for (w, c), n in pair_counts(kept, window, shrink).items()}
    of_word, of_context = Counter(), Counter()
    for (word, context), weight in weights.items():
        of_word[word] += weight
        of_context[context] += weight
    total = sum(weights.values())
    smoothed = {context: weight**exponent for context, weight in of_context.items()}
    matrix = np.zeros((len(words), len(words)))
    place = {word: number for number, word in enumerate(words)}
    for (word, context), weight in weights.items():
        joint, of_the_word = weight / total, of_word[word] / total
        chance = smoothed[context] / sum(smoothed.values())
        matrix[place[word], place[context]] = max(0, math.log(joint / (of_the_word * chance)) - math.log(negative))
    return matrix


def document_weights(documents, words, scheme):
    """The matrix [documents, words] of tf-idf or log-entropy weights, with the weights of these very documents."""
    counts = np.array([[document.count(word) for word in words] for document in documents], np.float64)
    many = len(documents)
    if scheme == "tfidf":
        having = (counts > 0).sum(axis=0)
        weighted = counts * (np.log((1 + many) / (1 + having)) + 1)
        lengths = np.linalg.norm(weighted, axis=1, keepdims=True)
        return np.divide(weighted, lengths, out=np.zeros_like(weighted), where=lengths > 0)
    share = counts / counts.sum(axis=0)
    logs = np.log2(share, out=np.zeros_like(share), where=share > 0)
    return np.log2(1 + counts) * (1 + (share * logs).sum(axis=0) / np.log2(many))

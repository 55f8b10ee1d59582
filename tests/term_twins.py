"""Slow, obvious twins of the room `terms`."""

from collections import Counter
from itertools import product

import numpy as np


def pair_counts(sentences, connectors=frozenset()):
    """Words, and pairs of words with the connectors between them, counted one by one."""
    words, pairs = Counter(), Counter()
    for sentence in sentences:
        start, between = None, ()
        for word in sentence:
            if word in connectors:
                between = (*between, word) if start is not None else ()
                continue
            words[word] += 1
            if start is not None:
                pairs[(start, *between, word)] += 1
            start, between = word, ()
    return words, pairs


def longest_first(sentence, terms):
    """The parts of a sentence: at each place the longest term."""
    parts, at = [], 0
    while at < len(sentence):
        lengths = [n for n in range(1, len(sentence) - at + 1) if tuple(sentence[at : at + n]) in terms]
        length = max(lengths, default=1)
        parts.append(tuple(sentence[at : at + length]))
        at += length
    return parts


def divisions(sentence, terms):
    """Every way to divide a sentence into words and terms."""
    if not sentence:
        yield []
        return
    for cuts in product((False, True), repeat=len(sentence) - 1):
        parts, begin = [], 0
        for end in [at for at, cut in enumerate(cuts, 1) if cut] + [len(sentence)]:
            parts.append(tuple(sentence[begin:end]))
            begin = end
        if all(len(part) == 1 or part in terms for part in parts):
            yield parts


def c_word2phrase(text, min_count=5, threshold=100.0):
    """What word2phrase writes for a text, from the description of its rules; float32 by numpy."""
    tokens, word = [], bytearray()
    for byte in text:
        if byte == 13:
            continue
        if byte in b" \t\n":
            if word:
                tokens.append(bytes(word).split(b"\0")[0])
                word = bytearray()
            if byte == 10:
                tokens.append(b"\n")
        elif len(word) < 58:
            word.append(byte)
    spelt = {b"</s>": 0}
    last = b""
    for token in tokens:
        if token != b"\n":
            for spelling in (token, (last + b"_" + token)[:59]):
                spelt[spelling] = spelt.get(spelling, 0) + 1
            last = token
    words = sum(token != b"\n" for token in tokens)
    order = sorted(list(spelt)[1:], key=lambda spelling: -spelt[spelling])
    kept = {spelling for spelling in order if spelt[spelling] >= min_count}
    if spelt[b"</s>"] >= min_count:
        kept.add(b"</s>")
    elif len(kept) == len(order) and order:
        kept.discard(order[-1])
    out, last, before, here, known = bytearray(), b"", 0, 0, False
    for token in tokens:
        if token == b"\n":
            out += b"\n"
            last = token
            continue
        pair = (last + b"_" + token)[:59]
        here = spelt[token] if token in kept else here
        score = np.float32(0)
        if known and token in kept and pair in kept and before >= min_count and here >= min_count:
            f = np.float32
            with np.errstate(all="ignore"):
                score = f(spelt[pair] - min_count) / f(before) / f(here) * f(words)
        known = token in kept
        if score > np.float32(threshold):
            out += b"_" + token
            here = 0
        else:
            out += b" " + token
        before, last = here, token
    return bytes(out)

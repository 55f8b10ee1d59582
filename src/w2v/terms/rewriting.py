"""A corpus as a text file with its terms as words, and word2phrase's way to do that."""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

from w2v.files.reading import Pathlike, open_binary
from w2v.files.writing import packed_write
from w2v.terms import _terms
from w2v.terms._word2phrase import PhraseJoiner
from w2v.text.corpus import Corpus
from w2v.tokens.numbering import Terms
from w2v.tokens.words import Divided

BLOCK = 1 << 20


class Rewritten(NamedTuple):
    """Sentences and words of what was written, and words of the corpus."""

    sentences: int
    words: int
    corpus_words: int


def rewrite(terms: Terms, corpus: Corpus, output: Pathlike, threads: int) -> Rewritten:
    """Write a corpus with its terms as words: a line for each sentence, compressed if the name says so."""
    divided, writer = Divided(*corpus, terms, threads), _terms.TextWriter()
    known = sentences = words = 0
    with packed_write(output) as file:
        for tokens, ends, *_ in divided:
            writer.know(divided.words.words(np.arange(known, len(divided.words))))
            known = len(divided.words)
            file.write(writer.text(tokens, ends).data)
            sentences, words = sentences + len(ends), words + len(tokens)
    return Rewritten(sentences, words, divided.corpus_words)


class Joined(NamedTuple):
    """What word2phrase prints: how many spellings it keeps, by its own reckoning, and the words of the text."""

    spellings: int
    words: int


def word2phrase(source: Pathlike, file: BinaryIO, min_count: int, threshold: float) -> Joined:
    """Write a text with phrases joined, as the C program word2phrase does, byte for byte.

    Its rules are not ours: words are separated by blanks, tabs and line ends, and lose all bytes beyond the 58th; pairs
    count across line ends, and their spellings by the first 59 bytes; scores are float32; what stands behind the last
    white space is lost. Where the C program's vocabulary of 350 million is full it forgets rare words, and we do not.
    """
    joiner = PhraseJoiner(min_count, threshold)
    for block in _blocks(source):
        joiner.learn(block)
    spellings = joiner.choose()
    for block in _blocks(source):
        file.write(joiner.join(block).data)
    return Joined(spellings, joiner.n_words)


def _blocks(path: Pathlike) -> Iterator[bytes]:
    with open_binary(path) as file:
        while block := file.read(BLOCK):
            yield block

"""A corpus as a text file with its terms as words, and word2phrase's way to do that."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.files.reading import Pathlike, open_binary
from w2v.files.writing import packed_write
from w2v.terms._terms import Joiner
from w2v.terms._word2phrase import PhraseJoiner
from w2v.terms.dividing import Chain
from w2v.text import _text
from w2v.text.corpus import Corpus
from w2v.text.readers import LONGEST_WORD, check_words, read_blocks
from w2v.tokens.words import pieces_of

BLOCK = 1 << 20


class Rewritten(NamedTuple):
    """Sentences and words of what was written, and words of the corpus."""

    sentences: int
    words: int
    corpus_words: int


def rewrite(terms: Chain, corpus: Corpus, output: Pathlike, threads: int) -> Rewritten:
    """Write a corpus with its terms as words: a line for each sentence, compressed if the name says so.

    The bytes of a text file become bytes in compiled code, in several threads; they are the same for any number of
    them.
    """
    with packed_write(output) as file:
        if corpus.is_path:
            return _rewrite_text(terms.joiner, corpus.source, file.write, threads)
        words_read = sentences = words = 0

        def counted() -> Iterator[Iterable[str]]:
            nonlocal words_read
            for sentence, _ in pieces_of(*corpus):
                held = list(sentence)
                words_read += len(held)
                yield held

        for sentence in terms.each_joined(counted()):
            file.write((" ".join(sentence) + "\n").encode("utf-8", "surrogatepass"))
            sentences, words = sentences + 1, words + len(sentence)
    return Rewritten(sentences, words, words_read)


def count_terms(terms: Chain, path: Pathlike, threads: int) -> tuple[NDArray[np.int64], int]:
    """How often each term is found in a text file, the terms of all levels in order; and how many words it has."""
    joiner = terms.joiner
    counts = np.zeros(len(joiner.outputs), np.int64)

    def tally(found: bytes) -> None:
        _text.tally(np.frombuffer(found, np.int32), counts)

    return counts, _rewrite_text(joiner, path, tally, threads, counting=True).corpus_words


def _rewrite_text(
    joiner: Joiner, path: Pathlike, take: Callable[[bytes], object], threads: int, counting: bool = False
) -> Rewritten:
    """Whole lines are rewritten in threads; a line that is longer than a block, one block after the other."""
    name, totals = os.fspath(path), np.zeros(3, np.int64)
    waiting: deque[tuple[Future[Any], bytes, int]] = deque()
    rest, begun, rest_at = b"", False, 0  # of a line that goes on: what is not written yet, and whether some of it is

    def write(made: tuple[bytes, int, bool, int, int, int, int, int], text: bytes, text_at: int) -> tuple[int, bool]:
        written, used, goes_on, *counted, not_text, too_long = made
        check_words(text, text_at, not_text, too_long, name)
        take(written)
        totals[:] += counted
        return used, goes_on

    def write_next() -> None:
        task, text, text_at = waiting.popleft()
        write(task.result(), text, text_at)

    with ThreadPoolExecutor(threads) as pool:
        try:
            for block, block_at in read_blocks(path):
                end = block.rfind(b"\n") + 1
                text = rest + (block[:end] if end else block)
                if end:
                    if len(waiting) == threads:
                        write_next()
                    task = pool.submit(joiner.rewrite, text, False, begun, LONGEST_WORD, counting)
                    waiting.append((task, text, rest_at))
                    rest, begun = block[end:], False
                else:
                    while waiting:
                        write_next()
                    used, begun = write(joiner.rewrite(text, True, begun, LONGEST_WORD, counting), text, rest_at)
                    rest = text[used:]
                rest_at = block_at + len(block) - len(rest)
            while waiting:
                write_next()
            write(joiner.rewrite(rest, False, begun, LONGEST_WORD, counting), rest, rest_at)
        finally:
            for task, *_ in waiting:
                task.cancel()
    return Rewritten(*totals.tolist())


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

"""How often each k-mer stands in each sequence: integers, and so the same for any number of threads and any blocks.

Vectors of sequences are made of these counts, and so are the controls that they are compared with.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.common.ahead import ahead
from w2v.common.cores import thread_count
from w2v.text.kmers import Scheme, blocks_of, sequences_from
from w2v.text.readers import MAX_SENTENCE_LENGTH
from w2v.text.sequences import SequenceReader, Unit


class Part(NamedTuple):
    """The counts of consecutive sequences.

    Attributes
    ----------
    first : int, the number of the first one
    counts : csr_array of int64 [sequences, kmers] or [sequences * k, kmers], a row for each frame
    """

    first: int
    counts: Any


def counting_scheme(scheme: Scheme, k: int) -> Scheme:
    """The scheme that gives all k-mers of `k` letters, of a scheme of any frames and strand but canonical."""
    strand = "canonical" if scheme.strand == "canonical" else "forward"
    # A piece has a multiple of k places, so that a place has the same frame in its piece and in its segment.
    return scheme._replace(
        k=k, k_max=k, frames="sliding", strand=strand, max_sentence_length=MAX_SENTENCE_LENGTH * k
    ).checked()


class Counting:
    """One pass over sequences; iterate to get a `Part` after the other, once.

    Attributes
    ----------
    ids : list of str, of the sequences that have come so far, or more
    """

    def __init__(self, source: Any, scheme: Scheme, frames: int = 1, workers: int = -1) -> None:
        self._scheme, self._frames = scheme, frames
        self._threads = thread_count(workers)
        self._table = scheme.table(counted=False)  # without counts it has no state, and threads share it
        self._reader: SequenceReader = scheme.reader(blocks_of(source), self._table.piece, keep_ids=True, empty=True)
        self.ids = self._reader.ids

    def __iter__(self) -> Iterator[Part]:
        from scipy.sparse import csr_array, vstack

        frames, first, width = self._frames, 0, self._scheme.kmers
        open_rows = csr_array((frames, width), dtype=np.int64)  # of the record that may go on

        def tasks(pool: ThreadPoolExecutor) -> Iterator[tuple[Unit, Callable[..., Any], tuple[Any, ...]]]:
            for unit in self._reader.units(pool, self._threads):
                yield unit, self._counted, (unit,)

        with ThreadPoolExecutor(self._threads) as pool:
            for unit, rows in ahead(pool, tasks(pool), self._threads):
                last = int(unit.records[-1])
                if last < 0:
                    continue
                # The unit's first record is the one that was open, so that its rows come first in both.
                below = csr_array((rows.shape[0] - frames, width), dtype=np.int64)
                rows = (rows + vstack([open_rows, below], format="csr")).tocsr()
                ended = (last - first) * frames
                if ended:
                    yield Part(first, rows[:ended])
                open_rows, first = rows[ended:], last
        if self._reader.records:
            yield Part(first, open_rows)

    def _counted(self, unit: Unit) -> Any:
        """The counts of a unit's records."""
        from scipy.sparse import coo_array

        tokens, ends, owners, _, _ = self._table.tokenize(*unit.work)
        low, high = max(0, int(unit.records[0])), max(0, int(unit.records[-1]))
        lengths = np.diff(ends, prepend=0)
        rows = np.repeat(unit.records[owners] - low, lengths) * self._frames
        if self._frames > 1:
            rows += (np.arange(len(tokens)) - np.repeat(ends - lengths, lengths)) % self._frames
        shape = (high - low + 1) * self._frames, self._scheme.kmers
        return coo_array((np.ones(len(tokens), np.int64), (rows, tokens)), shape).tocsr()


def kmer_counts(sequences: Any, k: int = 3, *, workers: int = -1, **options: Any) -> tuple[list[str], list[str], Any]:
    """Count the k-mers of each sequence, at every place.

    Parameters
    ----------
    sequences : path, binary file or iterable of sequences
        As in `w2v.Kmers`.
    k : int, default 3
    workers : int, default -1
        Threads; they change nothing else.
    **options
        ``alphabet``, ``masked``, ``ambiguous``, ``stops``, ``gaps`` and ``strand="canonical"``, as in `w2v.Kmers`.

    Returns
    -------
    ids : list of str [sequences]
    kmers : list of str [kmers], all that there can be, in the order of the alphabet
    counts : scipy.sparse.csr_array of int64 [sequences, kmers]

    Examples
    --------
    >>> from w2v import bio
    >>> ids, kmers, counts = bio.kmer_counts([("a", "ACGTA"), ("b", "AAA")], k=1)
    >>> ids, kmers, counts.toarray().tolist()
    (['a', 'b'], ['A', 'C', 'G', 'T'], [[2, 1, 1, 1], [3, 0, 0, 0]])
    """
    from scipy.sparse import csr_array, vstack

    scheme = counting_scheme(Scheme(k=k, k_max=k, **options).checked(), k)
    counting = Counting(sequences_from(sequences), scheme, workers=workers)
    parts = [part.counts for part in counting]
    counts = vstack(parts, format="csr") if parts else csr_array((0, scheme.kmers), dtype=np.int64)
    return counting.ids, scheme.words(np.arange(scheme.kmers)), counts


def read_sequences(source: Any) -> list[tuple[str, str]]:
    """All sequences of a file, a folder or an iterable as pairs of id and letters, white space removed.

    Letters are as they stand there, in either case; they are not checked. For work on sequences one by one.

    Parameters
    ----------
    source : path, binary file or iterable of sequences
        As in `w2v.Kmers`.

    Returns
    -------
    list of (str, str)
    """
    # Every byte that is no white space is its own digit, or 0; what is 0 is put back from the text.
    classes = np.full(256, 253, np.uint8)
    printable = np.arange(33, 127)
    classes[printable] = printable
    classes[list(b" \t\r\n\v\f")] = 254
    reader = SequenceReader(blocks_of(sequences_from(source)), classes, "any", 0, 1, keep_ids=True, empty=True)
    parts: list[list[bytes]] = []
    with ThreadPoolExecutor(1) as pool:
        for unit in reader.units(pool, 1):
            bounds = [*unit.starts.tolist(), unit.end]
            for number, (begin, end) in enumerate(pairwise(bounds)):
                record = int(unit.records[number])
                while len(parts) <= record:
                    parts.append([])
                if record >= 0:
                    parts[record].append(unit.digits[begin:end].tobytes())
    letters = (b"".join(part).decode() for part in parts)
    return list(zip(reader.ids, letters, strict=True))


def shuffled(sequences: Any, seed: int = 1) -> list[tuple[str, str]]:
    """The sequences with the letters of each in another order: a control that has their composition and no more.

    Parameters
    ----------
    sequences : path, binary file or iterable of sequences
        As in `w2v.Kmers`.
    seed : int, default 1

    Returns
    -------
    list of (str, str)
        Ids and letters.
    """
    draw = np.random.default_rng(seed)
    found = []
    for name, sequence in read_sequences(sequences):
        letters: NDArray[np.uint8] = np.frombuffer(sequence.encode(), np.uint8)
        found.append((name, draw.permutation(letters).tobytes().decode()))
    return found

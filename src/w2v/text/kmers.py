"""Sequences as sentences of k-mers: what a letter is, how k-mers are cut, and the corpus that a model trains on.

A `Scheme` says it all once: which letters there are, what becomes of the others, which k-mers a sequence has and which
sentences they stand in. A k-mer is a number from the start: k-mers of k letters are counted in the order of the
alphabet, those of more letters behind them. So the rest of the package meets integers, and a k-mer is a str only as a
word of the vocabulary.

Sentences are defined piece by piece, so that a chromosome needs no more memory than a gene. A segment (`sequences`) of
n letters has the places 0 ... n - k_max, where k-mers may begin. A piece has `max_sentence_length` of them, times k
under ``frames="shifted"``, and reaches into the next one by the letters of its last k-mers. A piece gives

=========== ==========================================================================================
sliding     one sentence: the k-mer at each place
shifted     k sentences: the k-mers at the places 0, k, 2k, ..., those at 1, k + 1, ... and so on
=========== ==========================================================================================

on its own strand, and under ``strand="both"`` then those of its reverse complement. Under ``strand="random"`` a coin
decides which of the two it gives, and under ``strand="canonical"`` a k-mer and its reverse complement are one word, the
first of the two in the order of the alphabet. What is drawn (k of a place, the coin) is a function of the seed and of
how many letters came before the place; reverse strands draw from a key of their own. No reader and no block has a say.
"""

import io
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import IO, Any, NamedTuple, TypeGuard

import numpy as np
from numpy.typing import NDArray

from w2v.common import checks
from w2v.common.public import public
from w2v.files.reading import Pathlike, can_be_read_again, path_of
from w2v.text import _kmers
from w2v.text.readers import MAX_SENTENCE_LENGTH, TaggedDocument
from w2v.text.sequences import Block, SequenceReader, blocks_of_files, blocks_of_records, files_in

# Letters of each alphabet, and those that stand for none or several of them (IUPAC-IUB 1984; IUPAC-IUBMB 1983). Of
# proteins O and U, pyrrolysine and selenocysteine, are among these: most tables of amino acids do not have them.
ALPHABETS = {"dna": "ACGT", "rna": "ACGU", "protein": "ACDEFGHIKLMNPQRSTVWY"}
AMBIGUOUS = {"dna": "BDHKMNRSVWXY", "rna": "BDHKMNRSVWXY", "protein": "BJOUXZ"}
COMPLEMENTS = dict(zip("ACGTUBDHKMNRSVWXY*-", "TGCAAVHDMKNYSBWXR*-", strict=True))

FRAMES = ("sliding", "shifted")
STRANDS = ("forward", "both", "canonical", "random")
POLICIES = ("keep", "skip", "split")

# What a byte is; see _kmers.h.
LEFT_OUT, SPLIT, NOTHING, WRONG = 252, 253, 254, 255

# Different k-mers that there may be at most: tables have an entry for each. 13 letters of DNA, 6 of proteins.
MOST_KMERS = 1 << 26
MOST_K = 32

# Iterating reads this many letters ahead at most.
READ_AHEAD = 1


class Scheme(NamedTuple):
    """How sequences become sentences of k-mers; the parameters of `Kmers`."""

    k: int = 3
    k_max: int = 3
    alphabet: str = "dna"
    frames: str = "sliding"
    strand: str = "forward"
    masked: str = "keep"
    ambiguous: str = "split"
    stops: str = "split"
    gaps: str = "skip"
    max_sentence_length: int = MAX_SENTENCE_LENGTH
    seed: int = 1

    def checked(self) -> "Scheme":
        """The scheme, if it is one."""
        checks.integer("k", self.k, 1, MOST_K)
        checks.integer("k_max", self.k_max, self.k, MOST_K, hint="; it is the longest k-mer, and k the shortest")
        checks.one_of("alphabet", self.alphabet, ALPHABETS)
        checks.one_of("frames", self.frames, FRAMES)
        checks.one_of("strand", self.strand, STRANDS)
        for name in ("masked", "ambiguous", "stops", "gaps"):
            checks.one_of(name, getattr(self, name), POLICIES)
        checks.integer("max_sentence_length", self.max_sentence_length, 1)
        checks.integer("seed", self.seed, 0, 2**64 - 1)
        if self.frames == "shifted" and self.k != self.k_max:
            raise ValueError(f"frames='shifted' needs one k, but k={self.k} and k_max={self.k_max}; use 'sliding'")
        if self.strand != "forward" and self.alphabet == "protein":
            raise ValueError(f"strand={self.strand!r} is for nucleotides: proteins have no other strand")
        if self.kmers > MOST_KMERS:
            raise ValueError(
                f"k-mers of up to {self.k_max} of the letters {self.letters} are {self.kmers:,}, and tables of at most "
                f"{MOST_KMERS:,} are kept; lower k or k_max"
            )
        return self

    @property
    def letters(self) -> str:
        """The letters that k-mers are made of, in their order."""
        kept = {"ambiguous": AMBIGUOUS[self.alphabet], "stops": "*", "gaps": "-"}
        more = "".join(letters for name, letters in kept.items() if getattr(self, name) == "keep")
        return "".join(sorted(ALPHABETS[self.alphabet] + more))

    @property
    def kmers(self) -> int:
        """How many different k-mers there can be."""
        size = len(self.letters)
        return sum(size**k for k in range(self.k, self.k_max + 1))

    def classes(self) -> NDArray[np.uint8]:
        """What each byte of a sequence is, uint8 [256]."""
        letters, found = self.letters, np.full(256, WRONG, np.uint8)
        found[list(b" \t\r\n\v\f")] = NOTHING
        groups = [(ALPHABETS[self.alphabet], "keep"), (AMBIGUOUS[self.alphabet], self.ambiguous), ("*", self.stops)]
        for group, policy in groups:
            for letter in group:
                for form in {letter, letter.lower()}:
                    masked = self.masked if form != letter else "keep"
                    worst = max(policy, masked, key=POLICIES.index)
                    found[ord(form)] = {"skip": LEFT_OUT, "split": SPLIT}.get(worst, letters.find(letter))
        found[list(b"-.")] = {"skip": NOTHING, "split": SPLIT}.get(self.gaps, letters.find("-"))
        return found

    def complement(self) -> NDArray[np.uint8]:
        """The digit of the other strand for each digit, uint8 [256]."""
        letters, found = self.letters, np.arange(256).astype(np.uint8)
        if self.alphabet != "protein":
            for digit, letter in enumerate(letters):
                found[digit] = letters.index(self._other(letter))
        return found

    def _other(self, letter: str) -> str:
        return "U" if letter == "A" and self.alphabet == "rna" else COMPLEMENTS[letter]

    def reverse_complement(self, kmer: str) -> str:
        return "".join(map(self._other, reversed(kmer)))

    def table(self, counted: bool = True) -> _kmers.KmerTable:
        """What makes k-mers of digits; one for each thread."""
        return _kmers.KmerTable(
            k=self.k,
            k_max=self.k_max,
            longest=self.max_sentence_length,
            shifted=self.frames == "shifted",
            strand=STRANDS.index(self.strand),
            key=self.seed,
            size=len(self.letters),
            complement=self.complement(),
            counted=counted,
        )

    def reader(self, blocks: Iterable[Block], piece: int, **options: Any) -> SequenceReader:
        return SequenceReader(blocks, self.classes(), self.alphabet, self.k_max - 1, piece, **options)

    def words(self, numbers: NDArray[Any]) -> list[str]:
        """The k-mers behind numbers."""
        size, letters = len(self.letters), np.frombuffer(self.letters.encode(), np.uint8)
        rest = np.array(numbers, np.int64)
        found = np.empty(len(rest), object)
        begin = 0
        for k in range(self.k, self.k_max + 1):
            own = np.flatnonzero((rest >= begin) & (rest < begin + size**k))
            code, spelt = rest[own] - begin, np.empty((len(own), k), np.uint8)
            for place in range(k - 1, -1, -1):
                code, digit = np.divmod(code, size)
                spelt[:, place] = letters[digit]
            text = spelt.tobytes().decode()
            found[own] = [text[at : at + k] for at in range(0, len(text), k)]
            begin += size**k
        return found.tolist()

    def numbers(self, words: Iterable[str]) -> NDArray[np.int64]:
        """The numbers of k-mers; -1 for what is none. A canonical k-mer has its number, the other one has none."""
        words = list(words)
        size, found = len(self.letters), np.full(len(words), -1, np.int64)
        digits = np.full(256, -1, np.int64)
        digits[list(self.letters.encode())] = np.arange(size)
        begin = 0
        for k in range(self.k, self.k_max + 1):
            own = np.array([at for at, word in enumerate(words) if len(word) == k and word.isascii()], np.int64)
            spelt = np.frombuffer("".join(words[at] for at in own.tolist()).encode(), np.uint8).reshape(len(own), k)
            code, valid = np.zeros(len(own), np.int64), np.ones(len(own), bool)
            other = np.zeros(len(own), np.int64)
            complement = self.complement().astype(np.int64)
            for place in range(k):
                digit = digits[spelt[:, place]]
                valid &= digit >= 0
                code = code * size + digit
                other += complement[digit] * size**place
            if self.strand == "canonical":
                valid &= code <= other
            found[own[valid]] = begin + code[valid]
            begin += size**k
        return found


class KmerText(NamedTuple):
    """The files of a corpus of k-mers, and how they are read; equal ones are the same corpus."""

    files: list[str]
    scheme: Scheme
    documents: bool


@public
class Kmers:
    """Sentences of k-mers from FASTA, FASTQ or sequences in memory: a corpus for every model.

    Models read it in compiled code with as many threads as they have workers, and no k-mer is a Python object;
    iterating gives the same sentences as lists of str. See docs/bio.md.

    Parameters
    ----------
    source : path, binary file or iterable of sequences
        A file of FASTA or FASTQ, which may be compressed (.gz, .bz2, .xz, .zst), or a folder of such files, in order of
        their names. Or sequences: each a str, a pair (id, str), or an object with `id` and
        `seq`, such as Bio.SeqRecord.
    k : int, default 3
        Letters of a k-mer.
    k_max : int, optional
        With more than k, the k-mer of each place has a length drawn from k ... k_max, as in dna2vec.
    alphabet : {"dna", "rna", "protein"}, default "dna"
    frames : {"sliding", "shifted"}, default "sliding"
        All k-mers of a sequence in a row, or k sentences of k-mers that do not overlap, as in ProtVec.
    strand : {"forward", "both", "canonical", "random"}, default "forward"
        Also the reverse complement of each piece, or one of the two by chance, as in dna2vec; or a k-mer and its
        reverse complement as one word, the first of the two in alphabetical order. For nucleotides only.
    masked : {"keep", "skip", "split"}, default "keep"
        Lower-case letters: read as upper-case ones; no k-mer holds one; the sequence ends there, and another begins.
    ambiguous : {"split", "skip", "keep"}, default "split"
        Letters that stand for several or for none, such as N and X; O and U of proteins.
    stops : {"split", "skip", "keep"}, default "split"
        The letter ``*``.
    gaps : {"skip", "split", "keep"}, default "skip"
        The letters ``-`` and ``.``, which are one. They are no residues: skipped, they are as if not there.
    max_sentence_length : int, default 10,000
        K-mers of a sentence; a longer sequence gives several sentences and loses no k-mer.
    seed : int, default 1
        Of the lengths under `k_max` and the strands under ``strand="random"``.

    Raises
    ------
    ValueError, TypeError
        For a parameter out of range, at once.
    FormatError
        While it is read: with the file, line and record of what is no FASTA.

    Examples
    --------
    >>> from w2v import Kmers
    >>> list(Kmers([("x", "ACGTA")], k=3, frames="shifted"))
    [['ACG'], ['CGT'], ['GTA']]
    >>> list(Kmers(["ACGTNACGT"], k=3))
    [['ACG', 'CGT'], ['ACG', 'CGT']]
    """

    documents = False

    def __init__(
        self,
        source: Pathlike | bytes | IO[bytes] | Iterable[Any],
        k: int = 3,
        k_max: int | None = None,
        alphabet: str = "dna",
        frames: str = "sliding",
        strand: str = "forward",
        masked: str = "keep",
        ambiguous: str = "split",
        stops: str = "split",
        gaps: str = "skip",
        max_sentence_length: int = MAX_SENTENCE_LENGTH,
        seed: int = 1,
    ) -> None:
        checks.integer("k", k, 1, MOST_K)
        self.k, self.k_max = k, k if k_max is None else k_max
        self.alphabet, self.frames, self.strand = alphabet, frames, strand
        self.masked, self.ambiguous, self.stops, self.gaps = masked, ambiguous, stops, gaps
        self.max_sentence_length, self.seed = max_sentence_length, seed
        self.source = sequences_from(source)
        self._begun = False
        self.scheme.checked()

    @cached_property
    def scheme(self) -> Scheme:
        return Scheme(*(getattr(self, name) for name in Scheme._fields))

    def text(self) -> KmerText | None:
        """The files of the corpus; None if it is not named by a path."""
        if not isinstance(self.source, str | os.PathLike):
            return None
        return KmerText(files_in(os.fspath(self.source)), self.scheme, self.documents)

    @property
    def repeatable(self) -> bool:
        """Whether it can be read as often as one likes."""
        if isinstance(self.source, str | os.PathLike) or hasattr(self.source, "read"):
            return can_be_read_again(self.source)
        return not isinstance(self.source, Iterator)

    def blocks(self) -> Iterator[Block]:
        """The bytes of the sequences, from the beginning."""
        if not self.repeatable and self._begun:
            raise io.UnsupportedOperation(
                f"{self.source!r:.80} can be read only once, and has been; give a list, or write it to a file"
            )
        self._begun = True
        return blocks_of(self.source)

    def _sentences(self) -> Iterator[tuple[list[str], str]]:
        """Sentences, each with the id of its record."""
        table = self.scheme.table(counted=False)
        reader = self.scheme.reader(self.blocks(), table.piece, keep_ids=True)
        with ThreadPoolExecutor(1) as pool:
            for unit in reader.units(pool, READ_AHEAD):
                tokens, ends, owners, _, _ = table.tokenize(*unit.work)
                words, begin = self.scheme.words(tokens), 0
                for end, owner in zip(ends.tolist(), owners.tolist(), strict=True):
                    yield words[begin:end], reader.ids[unit.records[owner]]
                    begin = end

    def __iter__(self) -> Iterator[Any]:
        return (words for words, _ in self._sentences())


@public
class TaggedKmers(Kmers):
    """As `Kmers`, for `Doc2Vec`: each sentence is tagged with the id of its record, so that a sequence has a vector.

    Records with the same id share a vector, which is said in a warning.
    """

    documents = True

    def __iter__(self) -> Iterator[Any]:
        return (TaggedDocument(words, [name]) for words, name in self._sentences())


def sequences_from(source: Any) -> Any:
    """Check that something can be a source of sequences, and return it, a path as str."""
    if isinstance(source, str | bytes | os.PathLike):
        path = path_of("source", source)
        if not os.path.exists(path):
            raise FileNotFoundError(
                f"source={os.fspath(path)!r:.200} does not exist; give a file or folder of FASTA, or a list"
            )
        return path
    if hasattr(source, "read"):
        if isinstance(source, io.TextIOBase):
            raise TypeError("sequences are read from files opened in binary mode; open(path, 'rb')")
        return source
    if not hasattr(source, "__iter__") or hasattr(source, "seq"):
        raise TypeError(f"sequences come from a path, a binary file or an iterable, not from {type(source).__name__}")
    return source


def blocks_of(source: Any) -> Iterator[Block]:
    """The blocks of what `sequences_from` returned."""
    if isinstance(source, str | os.PathLike):
        return blocks_of_files(files_in(os.fspath(source)))
    if hasattr(source, "read"):
        if can_be_read_again(source):
            source.seek(0)
        return blocks_of_files([source])
    return blocks_of_records(source)


def is_kmers(corpus: object) -> TypeGuard[Kmers]:
    """Whether compiled code can read a corpus; a subclass may change its sentences."""
    return getattr(type(corpus), "__iter__", None) in (Kmers.__iter__, TaggedKmers.__iter__)

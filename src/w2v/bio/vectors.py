"""Vectors of k-mers, and of sequences made of them."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from w2v.bio.counts import Counting, Part, counting_scheme
from w2v.bio.tables import read_table
from w2v.common import checks
from w2v.common.ahead import ahead
from w2v.common.cores import thread_count
from w2v.files.reading import Pathlike, unpacked_name
from w2v.text.kmers import ALPHABETS, AMBIGUOUS, Kmers, Scheme, sequences_from
from w2v.vectors.keyed import KeyedVectors

HOW = ("sum", "mean", "sif", "frames")
UNSEEN = ("skip", "zero", "mean")

# The constant of SIF weights (Arora, Liang & Ma 2017), in the range that they recommend.
SIF_CONSTANT = 1e-3


class Embedded(NamedTuple):
    """Vectors of sequences, and how much of each was known.

    Attributes
    ----------
    ids : list of str
    vectors : float32 [sequences, vector_size], or [sequences, k, vector_size] for ``how="frames"``
    kmers : int64 [sequences], k-mers of each sequence, known or not
    unseen : int64 [sequences], those among them that have no vector
    component : float64 [vector_size] or None, the direction that ``how="sif"`` removed
    """

    ids: list[str]
    vectors: NDArray[np.float32]
    kmers: NDArray[np.int64]
    unseen: NDArray[np.int64]
    component: NDArray[np.float64] | None = None

    def keyed(self) -> KeyedVectors:
        """The vectors under the ids of the sequences, to be asked for neighbours and to be saved.

        Raises
        ------
        ValueError
            If two sequences have the same id, or there is a vector for each frame.
        """
        if self.vectors.ndim != 2:
            raise ValueError("vectors of frames are several for each id; use how='sum' or another")
        twice = [name for name, count in Counter(self.ids).items() if count > 1]
        if twice:
            raise ValueError(f"{len(twice):,} ids occur more than once, such as {twice[0]!r:.80}; give each its own")
        # Each counts once, so that text files keep their order.
        return KeyedVectors.from_arrays(list(self.ids), self.vectors, {"count": np.ones(len(self.ids), np.int64)})

    def totals(self) -> dict[str, int]:
        """K-mers of all sequences, those without a vector, and sequences that have none with a vector."""
        kmers, unseen = int(self.kmers.sum()), int(self.unseen.sum())
        return {"kmers": kmers, "unseen": unseen, "without_a_vector": int((self.kmers == self.unseen).sum())}


class BioVectors:
    """Vectors of k-mers from a training of ours, or from a file of anyone's.

    Which k-mers there are, of which alphabet, and whether a k-mer stands for its reverse complement too, the words
    themselves say.

    Parameters
    ----------
    wv : KeyedVectors
        Words that are k-mers; others, such as ``<unk>``, are never asked for.
    model : Word2Vec, FastText or Doc2Vec, optional
        The model that they belong to.
    alphabet : {"dna", "rna", "protein"}, optional
        By default the first of these that has all letters, if most words are of its own letters alone.

    Attributes
    ----------
    wv : KeyedVectors
    model : Word2Vec or None
    scheme : Scheme, the k-mers

    Raises
    ------
    ValueError
        If no word is a k-mer.
    """

    def __init__(self, wv: KeyedVectors, model: Any = None, alphabet: str | None = None) -> None:
        self.wv, self.model = wv, model
        self.scheme = scheme_of(wv.index_to_key, alphabet)

    @classmethod
    def load(cls, path: Pathlike, binary: bool | None = None, alphabet: str | None = None) -> Self:
        """Read vectors: our files, files of word2vec (dna2vec's are such), or the table that ProtVec was published as.

        Parameters
        ----------
        path : path
            A model or vectors in .safetensors; a table of tabs in .csv or .tsv, each line a k-mer and its numbers, as
            ``protVec_100d_3grams.csv`` has; anything else in the format of word2vec.
        binary : bool, optional
            Of the format of word2vec; by default, whether the name ends with .bin, compressed or not.
        alphabet : optional
            As in the constructor.

        Raises
        ------
        FormatError
            If the file is not what it claims to be.
        """
        name = os.fspath(path)
        plain = unpacked_name(name)
        if plain.endswith((".csv", ".tsv")):
            wv = KeyedVectors.from_arrays(*read_table(name))
        elif plain.endswith(".safetensors"):
            wv = KeyedVectors.load(name)
        else:
            wv = KeyedVectors.load_word2vec_format(name, binary=plain.endswith(".bin") if binary is None else binary)
        made = cls.__new__(cls)
        BioVectors.__init__(made, wv, alphabet=alphabet)
        return made

    def save(self, path: Pathlike) -> None:
        """Write the model, or the vectors if there is no model, as .safetensors."""
        (self.wv if self.model is None else self.model).save(path)

    def __repr__(self) -> str:
        k = f"{self.scheme.k}" if self.scheme.k == self.scheme.k_max else f"{self.scheme.k}...{self.scheme.k_max}"
        return f"{type(self).__name__}<{len(self.wv):,} {self.scheme.alphabet} k-mers, k={k}, {self.wv.vector_size}-d>"

    def __contains__(self, kmer: str) -> bool:
        return self._word(kmer) in self.wv

    def __getitem__(self, kmer: str) -> NDArray[np.float32]:
        return self.vector(kmer)

    def vector(self, kmer: str, unseen: str = "error") -> NDArray[np.float32]:
        """The vector of a k-mer, in either case of letters, and of its reverse complement where the two are one word.

        Parameters
        ----------
        kmer : str
        unseen : {"error", "zero", "mean"}, default "error"
            For a k-mer without a vector: KeyError, zeros, or the mean of all vectors.
        """
        checks.one_of("unseen", unseen, ("error", *UNSEEN[1:]))
        word = self._word(kmer)
        if word in self.wv:
            found: NDArray[np.float32] = self.wv[word]
            return found
        if unseen == "error":
            raise KeyError(f"the k-mer {kmer!r} has no vector; unseen='zero' and unseen='mean' give one")
        return self._filling(unseen).astype(np.float32)

    def cosine(self, first: str, second: str) -> float:
        """The cosine of two k-mers' vectors; they may differ in length. KeyError for one without a vector."""
        one, other = (self.vector(kmer).astype(np.float64) for kmer in (first, second))
        lengths = np.linalg.norm(one) * np.linalg.norm(other)
        return float(one @ other / lengths) if lengths else 0.0

    def _word(self, kmer: str) -> str:
        word = kmer.upper()
        if self.scheme.strand != "canonical" or not set(word) <= set(self.scheme.letters):
            return word
        return min(word, self.scheme.reverse_complement(word))

    def _filling(self, unseen: str) -> NDArray[np.float64]:
        """What stands for a k-mer without a vector."""
        mean: NDArray[np.float64] = self.wv.vectors.mean(axis=0, dtype=np.float64)
        return mean if unseen == "mean" else np.zeros_like(mean)

    def embed(
        self,
        sequences: Any,
        how: str = "sum",
        *,
        unseen: str = "skip",
        component: NDArray[np.float64] | None = None,
        workers: int = -1,
    ) -> Embedded:
        """Make a vector of each sequence from those of its k-mers, at every place and of every length there is.

        Parameters
        ----------
        sequences : path, binary file or iterable of sequences
            As in `w2v.Kmers`; a sequence may be empty or too short, and has zeros then.
        how : {"sum", "mean", "sif", "frames"}, default "sum"
            The sum, as ProtVec has it, which grows with the length; the mean; the mean weighted by ``a / (a + p)``,
            p being the share of the k-mer in training, without the first principal component (SIF, Arora et al. 2017);
            or a sum for each of the k frames, as biovec's ``to_vecs``.
        unseen : {"skip", "zero", "mean"}, default "skip"
            A k-mer without a vector is left out, or counts as zeros (which makes a mean smaller), or as the mean of
            all vectors. There is no error; `Embedded.unseen` has the numbers.
        component : float64 [vector_size], optional
            For ``how="sif"``, the direction to remove, such as that of the sequences that a classifier has learnt from;
            by default that of these sequences.
        workers : int, default -1
            Threads; they change no bit.

        Returns
        -------
        Embedded

        Raises
        ------
        FormatError
            If a sequence has a letter that is none of the alphabet.
        """
        checks.one_of("how", how, HOW)
        checks.one_of("unseen", unseen, UNSEEN)
        ks = range(self.scheme.k, self.scheme.k_max + 1)
        if how == "frames" and len(ks) > 1:
            raise ValueError(f"how='frames' needs k-mers of one length, and these have {ks[0]} to {ks[-1]} letters")
        if how == "frames" and "skip" in (self.scheme.masked, self.scheme.ambiguous, self.scheme.stops):
            raise ValueError("how='frames' cannot tell frames where letters are skipped; train with 'split' or 'keep'")
        source = sequences_from(sequences)
        source = list(source) if isinstance(source, Iterator) else source
        frames = ks[0] if how == "frames" else 1
        ids: list[str] = []
        total = _Total(self.wv.vector_size)
        for k in ks:
            ids = self._add_sums(total, source, k, how, frames, workers)
        total.close(len(ids) * frames)
        sums, kmers, known = total.sums, total.kmers, total.known
        if unseen == "mean":
            sums = sums + (kmers - known)[:, np.newaxis] * self._filling("mean")
        if how in ("mean", "sif"):
            sums = sums / np.maximum(1, known if unseen == "skip" else kmers)[:, np.newaxis]
        if how == "sif":
            component = first_component(sums) if component is None else np.asarray(component, np.float64)
            sums = sums - np.outer(sums @ component, component)
        vectors = sums.astype(np.float32)
        if how == "frames":
            vectors = vectors.reshape(len(ids), frames, -1)
            kmers, known = (counts.reshape(len(ids), frames).sum(axis=1) for counts in (kmers, known))
        return Embedded(ids, vectors, kmers, kmers - known, component if how == "sif" else None)

    def _add_sums(self, total: "_Total", source: Any, k: int, how: str, frames: int, workers: int) -> list[str]:
        """Add the vectors of the k-mers of one length; returns the ids of the sequences."""
        scheme = counting_scheme(self.scheme, k)
        words = [word for word in self.wv.index_to_key if len(word) == k]
        codes = scheme.numbers(words)
        rows = np.full(scheme.kmers, -1, np.int64)
        rows[codes[codes >= 0]] = [self.wv.key_to_index[words[at]] for at in np.flatnonzero(codes >= 0).tolist()]
        vectors = self.wv.vectors.astype(np.float64)
        if how == "sif":
            vectors = vectors * self._weights()[:, np.newaxis]
        counting = Counting(source, scheme, frames, workers)
        threads = thread_count(workers)

        def tasks() -> Iterator[tuple[int, Callable[..., Any], tuple[Any, ...]]]:
            for part in counting:
                yield part.first, _sums_of, (part, rows, vectors)

        with ThreadPoolExecutor(threads) as pool:
            for first, found in ahead(pool, tasks(), threads):
                total.add(first * frames, *found)
        return counting.ids

    def _weights(self) -> NDArray[np.float64]:
        """SIF's weight of each k-mer."""
        if "count" not in self.wv.expandos:
            raise ValueError("how='sif' needs the counts of k-mers, which these vectors came without; use how='mean'")
        counts = np.asarray(self.wv.expandos["count"], np.float64)
        weights: NDArray[np.float64] = SIF_CONSTANT / (SIF_CONSTANT + counts / counts.sum())
        return weights


class _Total:
    """Sums of vectors that come in parts, in order, once for each k."""

    def __init__(self, size: int) -> None:
        self._parts: dict[int, list[NDArray[Any]]] = {}
        self._size = size

    def add(self, first: int, *found: NDArray[Any]) -> None:
        known = self._parts.get(first)
        if known is None:
            self._parts[first] = list(found)
            return
        for part, more in zip(known, found, strict=True):
            part += more

    def close(self, rows: int) -> None:
        """Put the parts together."""
        parts = [self._parts[first] for first in sorted(self._parts)]
        empty = [np.zeros((0, self._size)), np.zeros(0, np.int64), np.zeros(0, np.int64)]
        self.sums, self.kmers, self.known = (np.concatenate(column) for column in zip(empty, *parts, strict=True))
        assert len(self.sums) == rows


def _sums_of(
    part: Part, rows: NDArray[np.int64], vectors: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Sums of the vectors of a part's k-mers, how many k-mers there are, and how many of them have a vector.

    K-mers are added in their own order, so that no block and no other sequence has a say in a sum.
    """
    from scipy.sparse import csr_array

    counts = part.counts
    counts.sort_indices()
    row = rows[counts.indices]
    known = np.where(row >= 0, counts.data, 0)
    members = csr_array(
        (known.astype(np.float64), np.maximum(row, 0), counts.indptr), shape=(counts.shape[0], len(vectors))
    )
    ends = np.cumsum(known)
    of_rows = np.diff(np.append(0, ends)[counts.indptr])
    return members @ vectors, np.asarray(counts.sum(axis=1), np.int64).ravel(), of_rows.astype(np.int64)


def first_component(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The direction that rows have most in common, without centring, of length 1; zeros if there are no rows."""
    if not rows.any():
        return np.zeros(rows.shape[1])
    _, directions = np.linalg.eigh(rows.T @ rows)
    found: NDArray[np.float64] = directions[:, -1]
    end = found[np.argmax(np.abs(found))]
    return -found if end < 0 else found  # which of the two ends comes is a matter of the library


def scheme_of(words: list[str], alphabet: str | None = None) -> Scheme:
    """The k-mers that words are; see `BioVectors`."""
    if alphabet is not None:
        checks.one_of("alphabet", alphabet, ALPHABETS)
    letters_of = {name: set(ALPHABETS[name] + AMBIGUOUS[name] + "*-") for name in ALPHABETS}
    if alphabet is None:
        spelt = [word for word in words if word and set(word) <= letters_of["protein"]]
        # Codes such as K, M and V are amino acids as well, so most words have to do without them.
        plain = {name: sum(set(word) <= set(ALPHABETS[name] + "N") for word in spelt) for name in ("dna", "rna")}
        fits = [name for name in plain if set("".join(spelt)) <= letters_of[name] and 2 * plain[name] >= len(spelt)]
        alphabet = fits[0] if fits else "protein"
    name = alphabet
    kmers = [word for word in words if word and set(word) <= letters_of[name]]
    if not kmers:
        raise ValueError(f"none of {len(words):,} words is a k-mer of the alphabet {name!r}")
    used = set("".join(kmers))
    lengths = sorted(set(map(len, kmers)))
    options: dict[str, Any] = {
        "ambiguous": "keep" if used & set(AMBIGUOUS[name]) else "split",
        "stops": "keep" if "*" in used else "split",
        "gaps": "keep" if "-" in used else "skip",
    }
    scheme = Scheme(k=lengths[0], k_max=lengths[-1], alphabet=name, **options)
    if name != "protein":
        known = set(kmers)
        turned = [(word, scheme.reverse_complement(word)) for word in kmers]
        both = [word for word, other in turned if other != word and other in known]
        if not both and all(word <= other for word, other in turned):
            scheme = scheme._replace(strand="canonical")
    return scheme.checked()


def corpus_of(source: Any, scheme: Scheme) -> Kmers:
    """The corpus that a scheme makes of a source."""
    return Kmers(source, **scheme._asdict())

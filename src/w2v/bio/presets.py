"""The published ways to train vectors of sequences, with their settings and where those come from."""

from typing import Any, ClassVar

from w2v.bio.vectors import BioVectors
from w2v.models.word2vec import Word2Vec
from w2v.text.kmers import Kmers, Scheme


class Preset(BioVectors):
    """What the presets share: a corpus of k-mers, and a `Word2Vec` of it."""

    CORPUS: ClassVar[dict[str, Any]] = {}
    MODEL: ClassVar[dict[str, Any]] = {}

    def __init__(self, sequences: Any, **settings: Any) -> None:
        own = set(Scheme._fields)
        seed = {"seed": settings["seed"]} if "seed" in settings else {}
        corpus = Kmers(sequences, **self.CORPUS | {name: settings[name] for name in own & set(settings)})
        rest = {name: value for name, value in settings.items() if name not in own}
        self.model = Word2Vec(corpus, **self.MODEL | rest | seed)
        self.wv, self.scheme = self.model.wv, corpus.scheme


class ProtVec(Preset):
    """Vectors of the 3-mers of proteins (Asgari & Mofrad 2015, doi:10.1371/journal.pone.0141287).

    Parameters
    ----------
    sequences : path, binary file or iterable of sequences
        As in `w2v.Kmers`.
    **settings
        Of `w2v.Kmers` and of `w2v.Word2Vec`, in place of those below; `seed` is that of both.

    Notes
    -----
    From the paper: 3-mers of three shifted frames without overlap, skip-gram with negative sampling, 100 numbers, a
    window of 25. From the program biovec: every 3-mer is kept (``min_count=1``), letters such as X too, and 5 epochs.
    """

    CORPUS: ClassVar[dict[str, Any]] = {"k": 3, "alphabet": "protein", "frames": "shifted", "ambiguous": "keep"}
    MODEL: ClassVar[dict[str, Any]] = {"sg": 1, "vector_size": 100, "window": 25, "min_count": 1, "epochs": 5}


class GeneVec(Preset):
    """Vectors of the 3-mers of genes, which the paper of ProtVec names and gives no settings for.

    Parameters
    ----------
    sequences, **settings
        As in `ProtVec`.

    Notes
    -----
    The settings are those of `ProtVec`, on DNA. In a coding sequence the frame 0 holds the codons.
    """

    CORPUS: ClassVar[dict[str, Any]] = {"k": 3, "alphabet": "dna", "frames": "shifted"}
    MODEL: ClassVar[dict[str, Any]] = ProtVec.MODEL


class DNA2Vec(Preset):
    """Vectors of k-mers of 3 to 8 letters in one space (dna2vec, Ng 2017, arXiv:1701.06279).

    Parameters
    ----------
    sequences, **settings
        As in `ProtVec`.

    Notes
    -----
    From the paper and its program: a k-mer at each place, of a length drawn from 3 ... 8, 100 numbers, skip-gram, a
    window of 10, 10 epochs, ``min_count=5``; sequences end at letters other than A, C, G and T, lower case counts as
    upper case, and stretches of up to 5,000 letters are read from a strand that is drawn. Two things differ: stretches
    are all 5,000 long here, not 2,500 to 5,000, and what is drawn is the same in all epochs.
    """

    CORPUS: ClassVar[dict[str, Any]] = {
        "k": 3, "k_max": 8, "alphabet": "dna", "frames": "sliding", "strand": "random", "max_sentence_length": 5000,
    }  # fmt: skip
    MODEL: ClassVar[dict[str, Any]] = {"sg": 1, "vector_size": 100, "window": 10, "min_count": 5, "epochs": 10}

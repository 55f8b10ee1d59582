"""BioVectors: proteins and genes as sentences of k-mers, their vectors, and what those are worth.

>>> from w2v import bio
>>> sequences = [("first", "MKVLAAGIVG"), ("second", "MKVLSAGIVR"), ("third", "MEEPQSDPSV")]
>>> vectors = bio.ProtVec(sequences, vector_size=8, epochs=2, workers=1)
>>> vectors.vector("MKV").shape
(8,)
>>> found = vectors.embed(sequences)
>>> found.ids, found.vectors.shape
(['first', 'second', 'third'], (3, 8))
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from w2v.bio.checks import Arithmetic, Correlation, alignment_check, arithmetic_check, lcs_lengths
    from w2v.bio.clusters import clusters_of
    from w2v.bio.counts import kmer_counts, read_sequences, shuffled
    from w2v.bio.evaluation import Report, evaluate
    from w2v.bio.presets import DNA2Vec, GeneVec, ProtVec
    from w2v.bio.vectors import BioVectors, Embedded

_HOME = {
    "Arithmetic": "checks",
    "BioVectors": "vectors",
    "Correlation": "checks",
    "DNA2Vec": "presets",
    "Embedded": "vectors",
    "GeneVec": "presets",
    "ProtVec": "presets",
    "Report": "evaluation",
    "alignment_check": "checks",
    "arithmetic_check": "checks",
    "clusters_of": "clusters",
    "evaluate": "evaluation",
    "kmer_counts": "counts",
    "lcs_lengths": "checks",
    "read_sequences": "counts",
    "shuffled": "counts",
}

__all__ = [
    "Arithmetic",
    "BioVectors",
    "Correlation",
    "DNA2Vec",
    "Embedded",
    "GeneVec",
    "ProtVec",
    "Report",
    "alignment_check",
    "arithmetic_check",
    "clusters_of",
    "evaluate",
    "kmer_counts",
    "lcs_lengths",
    "read_sequences",
    "shuffled",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'w2v.bio' has no attribute {name!r}")
    value = getattr(import_module(f"w2v.bio.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOME))

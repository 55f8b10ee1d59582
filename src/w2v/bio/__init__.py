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

from typing import TYPE_CHECKING

from w2v.common.public import on_first_use

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


__getattr__, __dir__ = on_first_use(__name__, _HOME)

"""Stability: how much do vectors move when a training is repeated? Runs, measures, intervals, figures.

`retrain` and `collect` make runs, `measure` compares them, `measures` holds each formula, `plots` draws.

>>> from w2v.stability import measure, retrain
>>> sentences = [["fast", "exact", "vectors"], ["exact", "slow", "models"]] * 100
>>> runs = retrain(sentences, runs=3, vary="nothing", vector_size=8, min_count=1)["nothing"]
>>> measure(runs, k=2).total("overlap")
1.0
"""

from typing import TYPE_CHECKING

from w2v.common.public import on_first_use

if TYPE_CHECKING:
    from w2v.stability.experiments import collect, retrain
    from w2v.stability.measures import (
        aligned_cosine,
        eigenspace_instability,
        eigenspace_overlap,
        jaccard,
        jackknife_error,
        joint_jaccard,
        overlap,
        pair_correlation,
        pip_loss,
        rank_biased_overlap,
        raw_cosine,
        raw_distance,
        reliability,
    )
    from w2v.stability.neighbors import compare_neighbors, neighbor_tables
    from w2v.stability.plots import draw_frequency, draw_groups, draw_neighbors
    from w2v.stability.report import Report, format_table, measure, write_records

# Public names load their module on first use, so that the command line's parser needs no numpy.
_NAMES = {
    "experiments": ["collect", "retrain"],
    "measures": [
        *("aligned_cosine", "eigenspace_instability", "eigenspace_overlap", "jaccard", "jackknife_error"),
        *("joint_jaccard", "overlap", "pair_correlation", "pip_loss", "rank_biased_overlap", "raw_cosine"),
        *("raw_distance", "reliability"),
    ],
    "neighbors": ["compare_neighbors", "neighbor_tables"],
    "plots": ["draw_frequency", "draw_groups", "draw_neighbors"],
    "report": ["Report", "format_table", "measure", "write_records"],
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "Report",
    "aligned_cosine",
    "collect",
    "compare_neighbors",
    "draw_frequency",
    "draw_groups",
    "draw_neighbors",
    "eigenspace_instability",
    "eigenspace_overlap",
    "format_table",
    "jaccard",
    "jackknife_error",
    "joint_jaccard",
    "measure",
    "neighbor_tables",
    "overlap",
    "pair_correlation",
    "pip_loss",
    "rank_biased_overlap",
    "raw_cosine",
    "raw_distance",
    "reliability",
    "retrain",
    "write_records",
]


__getattr__, __dir__ = on_first_use(__name__, _HOME)

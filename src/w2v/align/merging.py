"""Several sets of vectors as one: over all their words, in one space, with a note of where each word comes from."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from w2v.align.maps import Map, fit, fit_many
from w2v.common import checks
from w2v.terms import steps
from w2v.vectors import queries
from w2v.vectors.keyed import KeyedVectors

METHODS = ("mean", "concatenate", "svd")
MOST_MODELS = 63  # a bit of an int64 each

Array = NDArray[Any]


def merge(
    models: Mapping[Any, KeyedVectors] | Sequence[KeyedVectors],
    weights: str | ArrayLike | None = "count",
    method: str = "mean",
    *,
    anchors: int | Iterable[Any] | None = None,
    vector_size: int | None = None,
) -> KeyedVectors:
    """Make one set of vectors of several, over the union of their words.

    All are turned into one space by orthogonal maps (two: the first into the space of the second; more: all into one in
    which none is a pivot), at unit length. A word that one model lacks comes from the others.

    Parameters
    ----------
    models : sequence of KeyedVectors, or mapping with them as values
        Two to 63, of one vector size.
    weights : "count", None, or array_like [models], default "count"
        What a model says on a word: in proportion to how often it saw the word, as much as any other, or a number.
        Where a model has no counts, "count" is None.
    method : {"mean", "concatenate", "svd"}
        ``mean``: the weighted mean, vectors of the size there was (Coates & Bollegala 2018, arXiv:1804.05262, with
        alignment). ``concatenate``: one after the other, scaled by the square root of their weight, so that a cosine is
        the mean of the models' cosines; where a model lacks the word, what the others say stands in its place. ``svd``:
        these, reduced to `vector_size` numbers (Yin & Schütze 2016, arXiv:1508.04257, section 3.2).
    anchors : None, int, or iterable of str
        Words that all models have, by which they are aligned; by default all of these, or so many of the most frequent.
    vector_size : int, optional
        Of ``svd``, by default that of the models.

    Returns
    -------
    KeyedVectors
        Words by descending count. Attributes of a word, which `get_vecattr` reads and files keep: ``models``, int64,
        with bit i set where models[i] has it; ``spread``, float32, the mean of 1 - cosine between what these models say
        and the merged vector, 0 for a word of one model; ``count``, int64, the sum of all counts, where all have some.
        Phrases and dictionaries of the models, by which ``"new york"`` finds its row, if all have the same; the words
        of models that joined different ones are not comparable in this way.

    Raises
    ------
    ValueError
        Fewer than two models, of different sizes, without a word in common, or too many.
    """
    several = list(models.values()) if isinstance(models, Mapping) else list(models)
    checks.one_of("method", method, METHODS)
    if len(several) > MOST_MODELS:
        raise ValueError(f"{len(several)} models; at most {MOST_MODELS} can be merged, so merge groups of them first")
    if vector_size is not None:
        if method != "svd":
            raise ValueError(f"vector_size={vector_size!r} belongs to method='svd', not to {method!r}")
        checks.integer("vector_size", vector_size, 1, len(several) * several[0].vector_size)
    aligned = _aligned(several, anchors)
    words = list(dict.fromkeys(word for model in several for word in model.index_to_key))
    rows = np.array([[model.key_to_index.get(word, -1) for word in words] for model in several], np.int64)
    counted = all("count" in model.expandos for model in several)
    counts = (
        np.array([_at(model.expandos["count"], places) for model, places in zip(several, rows, strict=True)])
        if counted
        else None
    )
    shares = _shares(weights, rows, counts)
    # Blocks: what each model says of each word, or, where it lacks the word, the mean of what the others say.
    blocks = [_rows(space, places) for space, places in zip(aligned, rows, strict=True)]
    mean = sum(share[:, None] * block for share, block in zip(shares, blocks, strict=True))
    mean = _unit(mean)
    if method == "mean":
        vectors = mean
    else:
        weight = _model_weights(weights, len(several))
        vectors = np.concatenate(
            [
                np.float32(np.sqrt(part)) * np.where(places[:, None] >= 0, block, mean)
                for part, places, block in zip(weight, rows, blocks, strict=True)
            ],
            axis=1,
        )
        if method == "svd":
            vectors = _reduced(vectors, several[0].vector_size if vector_size is None else vector_size)
    known = rows >= 0
    apart = sum((1 - np.vecdot(block, mean)) * has for block, has in zip(blocks, known, strict=True))
    several_know = known.sum(axis=0) > 1
    attributes: dict[str, Array] = {
        "models": (known * (1 << np.arange(len(several), dtype=np.int64))[:, None]).sum(axis=0),
        "spread": np.where(several_know, np.maximum(apart / known.sum(axis=0), 0), 0).astype(np.float32),
    }
    order = np.arange(len(words))
    if counts is not None:
        attributes["count"] = counts.sum(axis=0)
        order = np.argsort(-attributes["count"], kind="stable")
    made = KeyedVectors.from_arrays(
        [words[place] for place in order.tolist()],
        np.ascontiguousarray(vectors[order], np.float32),
        {name: values[order] for name, values in attributes.items()},
    )
    return steps.taken_over(made, *several)


def _aligned(models: list[KeyedVectors], anchors: int | Iterable[Any] | None) -> list[Array]:
    """Unit rows of all models in one space. Means are not moved: they are a part of what the models say."""
    if len(models) == 2:
        pairs = anchors if anchors is None or isinstance(anchors, int) else [(word, word) for word in anchors]
        maps: list[Map | None] = [fit(models[0], models[1], pairs, center=False), None]
    else:
        maps = list(fit_many(models, anchors, center=False))
    return [
        _unit(model.peek() if its_map is None else its_map.transform(model.peek()))
        for model, its_map in zip(models, maps, strict=True)
    ]


def _unit(rows: Array) -> Array:
    exact = np.asarray(rows, np.float32)
    return queries.unit_rows(exact, queries.row_norms(exact))


def _rows(space: Array, places: NDArray[np.int64]) -> Array:
    """Rows at places, zeros where a place is -1."""
    return np.asarray(np.where(places[:, None] >= 0, space[places], np.float32(0)), np.float32)


def _at(counts: Array, places: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(places >= 0, counts[places], 0)


def _model_weights(weights: str | ArrayLike | None, models: int) -> NDArray[np.float64]:
    if weights is None or isinstance(weights, str):
        return np.full(models, 1 / models)
    given = np.asarray(weights, np.float64)
    return np.asarray(given / given.sum(), np.float64)


def _shares(
    weights: str | ArrayLike | None, rows: NDArray[np.int64], counts: NDArray[np.int64] | None
) -> NDArray[np.float32]:
    """How much of a word's mean each model is, float32 [models, words]; 0 where it lacks the word."""
    if isinstance(weights, str):
        checks.one_of("weights", weights, ["count"])
    elif weights is not None:
        given = np.asarray(weights, np.float64)
        if given.shape != (len(rows),) or not np.isfinite(given).all() or (given <= 0).any():
            raise ValueError(f"weights={weights!r:.80} must be a positive number for each of the {len(rows)} models")
    parts = (rows >= 0) * _model_weights(weights, len(rows))[:, None]
    if isinstance(weights, str) and counts is not None:
        parts = parts * np.maximum(counts, 1)
    return np.asarray(parts / parts.sum(axis=0), np.float32)


def _reduced(vectors: Array, size: int) -> Array:
    """The rows in the directions in which they differ most: the leading part of their singular value decomposition."""
    exact = vectors.astype(np.float64)
    _, directions = np.linalg.eigh(exact.T @ exact)
    return np.asarray(exact @ directions[:, : -size - 1 : -1])

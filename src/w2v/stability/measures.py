"""The measures, one formula each: functions of neighbour tables or of the vectors of the same words in two spaces.

A neighbour table [words, k] holds ids, the nearest word first; -1 stands for a neighbour that is missing. Rows of
two matrices, or of two tables, belong to the same words. Except for the two whose names begin with ``raw_``, no
measure changes when a space is rotated or reflected.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]

PERSISTENCE = 0.9  # persistence of rank-biased overlap: the first ten ranks weigh 86 % (Webber et al. 2010)
BLOCK_BYTES = 64 << 20  # bytes of temporary arrays over neighbour tables


# --- neighbours ---------------------------------------------------------------------------------------------------


def overlap(first: Array, second: Array) -> NDArray[np.float64]:
    """Share of the k neighbours that two runs have in common: ``|A & B| / k``.

    Source: Wendlandt et al. 2018 (NAACL), whose code (laura-burdick/embeddingStability, `stability`) gives a count
    instead of a share. With k = 5 it is the k-NN measure of Leszczynski et al. 2020 (MLSys), who look for neighbours
    among the 10,000 most frequent words only, which gives more.

    Parameters
    ----------
    first, second : ndarray of int [words, k]
        Neighbour tables of the same words.

    Returns
    -------
    ndarray of float64 [words]
        0 to 1; 1 is the same set, in whatever order.

    Raises
    ------
    ValueError
        The tables differ in shape.
    """
    _check_tables(first, second)
    return np.asarray(_common(first, second) / first.shape[1], np.float64)


def jaccard(first: Array, second: Array) -> NDArray[np.float64]:
    """Jaccard index of two neighbour sets: ``|A & B| / |A | B|``.

    Source: Jaccard 1912; of neighbours Antoniak & Mimno 2018 (TACL). Of two full sets it is ``o / (2 - o)`` with o
    the `overlap`; this does not hold for means.

    Parameters
    ----------
    first, second : ndarray of int [words, k]

    Returns
    -------
    ndarray of float64 [words]
        0 to 1; two empty sets give 0.

    Raises
    ------
    ValueError
        The tables differ in shape.
    """
    _check_tables(first, second)
    common = _common(first, second)
    return _share(common, (first >= 0).sum(1) + (second >= 0).sum(1) - common)


def joint_jaccard(tables: Array) -> NDArray[np.float64]:
    """Share of neighbours on which all runs agree: ``|intersection of all sets| / |union of all sets|``.

    Source: Hellrich, Kampe & Hahn 2019 (RepEval). Much smaller than the mean pairwise `jaccard` of the same runs,
    and smaller the more runs there are: compare it only between equal numbers of runs.

    Parameters
    ----------
    tables : ndarray of int [runs, words, k]

    Returns
    -------
    ndarray of float64 [words]
        0 to 1; a word that one run lacks (all its neighbours are -1) scores 0.

    Raises
    ------
    ValueError
        Not three axes.
    """
    if np.ndim(tables) != 3:
        raise ValueError(f"tables of shape {np.shape(tables)}; one per run is needed, stacked as [runs, words, k]")
    runs, words, k = tables.shape
    scores = np.empty(words)
    step = max(1, BLOCK_BYTES // (8 * runs * k))
    for start in range(0, words, step):
        block = tables[:, start : start + step].transpose(1, 0, 2).reshape(-1, runs * k)
        # Ids are distinct within a run, so an id of all runs stands `runs` times in a row once sorted.
        block = np.sort(block, axis=1)
        known = block >= 0
        everywhere = ((block[:, : runs * k - runs + 1] == block[:, runs - 1 :]) & known[:, : runs * k - runs + 1]).sum(
            1
        )
        different = known[:, 0] + ((block[:, 1:] != block[:, :-1]) & known[:, 1:]).sum(1)
        scores[start : start + step] = _share(everywhere, different)
    return scores


def reliability(tables: Array) -> NDArray[np.float64]:
    """Joint agreement with each run left out in turn: row i is `joint_jaccard` of all runs but run i.

    Source: Hellrich, Kampe & Hahn 2019 (RepEval). Their j@10 is the mean over i and over the 1,000 most
    frequent words, of ten runs: nine sets per value. The values share most of their runs, so their spread is
    not the spread between runs; see `jackknife_error`.

    Parameters
    ----------
    tables : ndarray of int [runs, words, k]
        Three runs or more.

    Returns
    -------
    ndarray of float64 [runs, words]

    Raises
    ------
    ValueError
        Fewer than three runs.
    """
    if len(tables) < 3:
        raise ValueError(f"{len(tables)} runs; to leave one out and still compare takes at least 3")
    return np.stack([joint_jaccard(np.delete(tables, left_out, axis=0)) for left_out in range(len(tables))])


def jackknife_error(values: ArrayLike) -> float:
    """Standard error of the mean of leave-one-out values: ``sqrt((n - 1) / n * sum((value - mean)**2))``.

    Source: Efron & Tibshirani 1993, equation 11.5. For n = 10 this is 2.85 times their standard deviation.

    Parameters
    ----------
    values : array-like of float [n]
        Such as the ten values that Hellrich et al. publish for a setting.

    Returns
    -------
    float
    """
    exact = np.asarray(values, np.float64)
    return float(np.sqrt((len(exact) - 1) / len(exact) * ((exact - exact.mean()) ** 2).sum()))


def rank_biased_overlap(first: Array, second: Array, persistence: float = PERSISTENCE) -> NDArray[np.float64]:
    """Agreement of two rankings, in which top ranks weigh more.

    With ``X_d`` the number of words common to the first d places of both, p the persistence and k places,
    ``X_k / k * p**k + (1 - p) / p * sum(X_d / d * p**d for d in 1 ... k)``.

    Source: Webber, Moffat & Zobel 2010 (TOIS), equation 32 for lists of equal length: the agreement seen,
    extended as if it went on.

    Parameters
    ----------
    first, second : ndarray of int [words, k]
    persistence : float, default 0.9
        Between 0 and 1, both excluded; the smaller, the more the first places weigh.

    Returns
    -------
    ndarray of float64 [words]
        0 to 1; 1 is the same ranking.

    Raises
    ------
    ValueError
        The tables differ in shape, or `persistence` is out of range.
    """
    _check_tables(first, second)
    if not 0 < persistence < 1:
        raise ValueError(f"persistence={persistence!r} must be between 0 and 1")
    words, k = first.shape
    depth = np.arange(1, k + 1)
    # The weight of X_d; the last weight also covers the unseen places.
    weights = (1 - persistence) / persistence * persistence**depth / depth
    weights[-1] += persistence**k / k
    scores = np.empty(words)
    step = max(1, BLOCK_BYTES // (16 * k * k))
    for start in range(0, words, step):
        left, right = first[start : start + step, :, None], second[start : start + step, None, :]
        # A word at places i and j counts for every depth from max(i, j) on.
        matches = ((left == right) & (left >= 0)).nonzero()
        seen = np.zeros((left.shape[0], k))
        np.add.at(seen, (matches[0], np.maximum(matches[1], matches[2])), 1.0)
        scores[start : start + step] = np.cumsum(seen, axis=1) @ weights
    return scores


# --- vectors, word by word ----------------------------------------------------------------------------------------


def rotation(first: Array, second: Array) -> NDArray[np.float64]:
    """Return the orthogonal R that brings one space nearest to another: argmin of ``||first @ R - second||_F``.

    Source: Schönemann 1966 (Psychometrika), the orthogonal Procrustes problem. Not centred, not scaled to unit
    length. It needs many more words than dimensions: as many words as dimensions fit nearly any two spaces.

    Parameters
    ----------
    first, second : ndarray [words, vector_size]

    Returns
    -------
    ndarray of float64 [vector_size, vector_size]

    Raises
    ------
    ValueError
        The matrices differ in shape.
    """
    from scipy.linalg import orthogonal_procrustes

    _check_matrices(first, second)
    return np.asarray(orthogonal_procrustes(_exact(first), _exact(second))[0], np.float64)


def aligned_cosine(first: Array, second: Array) -> NDArray[np.float64]:
    """Cosine of each word's two vectors after one space is rotated onto the other; see `rotation`.

    Source: Hamilton et al. 2016 (ACL, arXiv:1605.09096), whose semantic displacement is the mean of
    ``1 - aligned_cosine``, with the rotation fitted on the measured words themselves.

    Read it against the mean cosine of random words: where all vectors lean one way, as those of small corpora do, two
    runs have a high cosine without agreeing on much.

    Parameters
    ----------
    first, second : ndarray [words, vector_size]

    Returns
    -------
    ndarray of float64 [words]
        -1 to 1; 0 for a zero vector.

    Raises
    ------
    ValueError
        The matrices differ in shape.
    """
    return raw_cosine(_exact(first) @ rotation(first, second), second)


def raw_cosine(first: Array, second: Array) -> NDArray[np.float64]:
    """Cosine of each word's two vectors as they are.

    WARNING: between independent runs this measures rotation, not meaning. Two runs have no axes in common: their raw
    cosines are near 0 although they may agree on every neighbour. Only runs that start from the same vectors (the
    same seed and vocabulary) have it in common to begin with. Use `aligned_cosine`.

    Parameters
    ----------
    first, second : ndarray [words, vector_size]

    Returns
    -------
    ndarray of float64 [words]
        -1 to 1; 0 for a zero vector.

    Raises
    ------
    ValueError
        The matrices differ in shape.
    """
    _check_matrices(first, second)
    left, right = _exact(first), _exact(second)
    lengths = np.sqrt(np.einsum("ij,ij->i", left, left) * np.einsum("ij,ij->i", right, right))
    return _share(np.einsum("ij,ij->i", left, right), lengths)


def raw_distance(first: Array, second: Array) -> NDArray[np.float64]:
    """Euclidean distance of each word's two vectors as they are, in the unit of the vectors.

    WARNING: between independent runs this measures rotation (and the length of the vectors), not meaning; see
    `raw_cosine`.

    Parameters
    ----------
    first, second : ndarray [words, vector_size]

    Returns
    -------
    ndarray of float64 [words]

    Raises
    ------
    ValueError
        The matrices differ in shape.
    """
    _check_matrices(first, second)
    return np.asarray(np.linalg.norm(_exact(first) - _exact(second), axis=1), np.float64)


# --- spaces as a whole --------------------------------------------------------------------------------------------


def pip_loss(first: Array, second: Array) -> float:
    """Pairwise inner product loss: ``||X @ X.T - Y @ Y.T||_F``, not squared.

    Source: Yin & Shen 2018 (NeurIPS, arXiv:1812.04224). It grows with the number of words and with the length of the
    vectors, so compare it only over the same words, and not between methods or dimensions.

    Computed without a words x words matrix: if Q R is the QR factorisation of [X Y], the norm is that of
    ``Rx @ Rx.T - Ry @ Ry.T``; time is linear in the words.

    Parameters
    ----------
    first : ndarray [words, n]
    second : ndarray [words, m]

    Returns
    -------
    float
        0 or more.

    Raises
    ------
    ValueError
        The matrices have different numbers of rows.
    """
    _check_rows(first, second)
    both: Array = np.linalg.qr(np.hstack([_exact(first), _exact(second)]), mode="r")  # type: ignore[assignment]
    left, right = both[:, : first.shape[1]], both[:, first.shape[1] :]
    return float(np.linalg.norm(left @ left.T - right @ right.T))


def eigenspace_overlap(first: Array, second: Array) -> float:
    """Overlap of the subspaces of two spaces: ``||U.T @ V||_F**2 / max(n, m)``, U and V left singular vectors.

    Source: May et al. 2019 (NeurIPS, arXiv:1909.01264). Any invertible map of the dimensions leaves it as it is, not
    only rotations. Dimensions without any variation (a matrix of less than full rank) do not count.

    Parameters
    ----------
    first : ndarray [words, n]
    second : ndarray [words, m]

    Returns
    -------
    float
        0 to 1; 1 is the same subspace.

    Raises
    ------
    ValueError
        The matrices have different numbers of rows.
    """
    _check_rows(first, second)
    return basis_overlap(basis(first), basis(second))


def basis(vectors: Array) -> NDArray[np.float64]:
    """Left singular vectors of a matrix [words, n] with singular values above rounding, [words, rank]."""
    left, values, _ = np.linalg.svd(_exact(vectors), full_matrices=False)
    kept = values > values[:1] * max(vectors.shape) * np.finfo(np.float64).eps
    return np.asarray(left[:, kept])


def basis_overlap(first: Array, second: Array) -> float:
    """`eigenspace_overlap` of two spaces, given the `basis` of each."""
    return float(np.linalg.norm(first.T @ second) ** 2 / max(first.shape[1], second.shape[1], 1))


def eigenspace_instability(
    first: Array, second: Array, anchor: Array, other_anchor: Array, exponent: float = 3.0
) -> float:
    """Eigenspace instability: the share of the anchors' predictions on which the two spaces differ.

    ``trace((P + Q - 2 * Q @ P) @ S) / trace(S)``, with P and Q the projections on the two spaces' left singular
    vectors and ``S = (E @ E.T)**exponent + (F @ F.T)**exponent`` of the anchors E and F.

    Source: Leszczynski et al. 2020 (MLSys; code HazyResearch/anchor-stability, `eis`); the anchors are the largest
    vectors trained on either text.

    Parameters
    ----------
    first, second, anchor, other_anchor : ndarray [words, n]
        n may differ.
    exponent : float, default 3
        The alpha of the paper; with a larger one, weak directions of the anchors count less.

    Returns
    -------
    float
        0 is stable.

    Raises
    ------
    ValueError
        The matrices have different numbers of rows.
    """
    for matrix in (second, anchor, other_anchor):
        _check_rows(first, matrix)
    left, right = basis(first), basis(second)
    between = right.T @ left
    lost = total = 0.0
    for matrix in (anchor, other_anchor):
        directions, values, _ = np.linalg.svd(_exact(matrix), full_matrices=False)
        weighted = directions * values**exponent
        ours, theirs = left.T @ weighted, right.T @ weighted
        lost += (ours**2).sum() + (theirs**2).sum() - 2 * (theirs * (between @ ours)).sum()
        total += (values ** (2 * exponent)).sum()
    return float(lost / total)


def pair_correlation(first: Array, second: Array, pairs: Array) -> float:
    """Spearman's rank correlation between the cosines of a fixed list of word pairs in two spaces.

    Source: Spearman 1904; word similarity tests compare vectors with people in this way.

    Parameters
    ----------
    first : ndarray [words, n]
    second : ndarray [words, m]
    pairs : ndarray of int [pairs, 2]
        Rows.

    Returns
    -------
    float
        -1 to 1; NaN if all cosines of a space are equal.

    Raises
    ------
    ValueError
        The matrices have different numbers of rows, or there are fewer than two pairs.
    """
    from scipy.stats import rankdata

    _check_rows(first, second)
    if len(pairs) < 2:
        raise ValueError(f"{len(pairs)} pairs of words; a correlation needs at least 2")
    ranks = [rankdata(raw_cosine(space[pairs[:, 0]], space[pairs[:, 1]])) for space in (first, second)]
    centred = [rank - rank.mean() for rank in ranks]
    length = np.sqrt((centred[0] ** 2).sum() * (centred[1] ** 2).sum())
    return float(np.clip((centred[0] * centred[1]).sum() / length, -1, 1)) if length > 0 else float("nan")


# ------------------------------------------------------------------------------------------------------------------


def _common(first: Array, second: Array) -> NDArray[np.int64]:
    """Count the ids common to two sets; ids are distinct within a set, so equal ones are neighbours once sorted."""
    both = np.sort(np.hstack([first, second]), axis=1)
    counts: NDArray[np.int64] = ((both[:, 1:] == both[:, :-1]) & (both[:, 1:] >= 0)).sum(1)
    return counts


def _share(part: Array, whole: Array) -> NDArray[np.float64]:
    """part / whole, and 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=whole > 0)


def _exact(matrix: Array) -> NDArray[np.float64]:
    return np.asarray(matrix, np.float64)


def _check_tables(first: Array, second: Array) -> None:
    if np.ndim(first) != 2 or np.shape(first) != np.shape(second):
        raise ValueError(f"tables of shapes {np.shape(first)} and {np.shape(second)}; both must be [words, k]")


def _check_rows(first: Array, second: Array) -> None:
    if np.ndim(first) != 2 or np.ndim(second) != 2 or len(first) != len(second):
        raise ValueError(f"matrices of shapes {np.shape(first)} and {np.shape(second)}; rows must be the same words")


def _check_matrices(first: Array, second: Array) -> None:
    _check_rows(first, second)
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"vectors of {first.shape[1]} and of {second.shape[1]} dimensions; neighbours, pip_loss and "
            "eigenspace_overlap can compare them, coordinates cannot"
        )

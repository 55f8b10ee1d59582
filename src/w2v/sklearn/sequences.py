"""Sequences of proteins or genes in, the sums or means of their k-mers' vectors out."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from w2v.bio import presets
from w2v.bio.vectors import Embedded
from w2v.common import checks
from w2v.sklearn.documents import seed_of


class SequenceVectorizer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Learn vectors of k-mers from sequences, and turn each sequence into the sum or mean of its k-mers' vectors.

    Parameters
    ----------
    preset : {"ProtVec", "GeneVec", "DNA2Vec"}, default "ProtVec"
        The published settings to start from; see `w2v.bio`.
    how : {"sum", "mean", "sif"}, default "sum"
        As in `w2v.bio.BioVectors.embed`; the direction that ``"sif"`` removes is that of the sequences of `fit`.
    unseen : {"skip", "zero", "mean"}, default "skip"
        What is done with k-mers without a vector.
    settings : dict, optional
        Parameters of `w2v.Kmers` and `w2v.Word2Vec` in place of the preset's: ``{"vector_size": 50, "epochs": 10}``.
    random_state, n_jobs
        As in `Word2VecVectorizer`.

    Attributes
    ----------
    vectors_ : BioVectors
        The vectors of the k-mers.
    component_ : float64 [vector_size] or None
        The direction that ``how="sif"`` removes.
    unseen_ : int
        K-mers without a vector in the sequences that were transformed last.

    Raises
    ------
    ValueError, TypeError
        By `fit`: a parameter out of range, or what is no sequence.

    Examples
    --------
    >>> from w2v.sklearn import SequenceVectorizer
    >>> sequences = ["MKVLAAGIVG", "MKVLSAGIVR", "MEEPQSDPSV"]
    >>> SequenceVectorizer(settings={"vector_size": 16}).fit_transform(sequences).shape
    (3, 16)
    """

    def __init__(
        self,
        *,
        preset: str = "ProtVec",
        how: str = "sum",
        unseen: str = "skip",
        settings: dict[str, Any] | None = None,
        random_state: int | np.random.RandomState | None = 1,
        n_jobs: int | None = None,
    ) -> None:
        self.preset = preset
        self.how = how
        self.unseen = unseen
        self.settings = settings
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn vectors of k-mers.

        Parameters
        ----------
        X : iterable of sequences, or path
            As in `w2v.Kmers`.
        y : ignored
        """
        checks.one_of("how", self.how, ("sum", "mean", "sif"))
        made = getattr(presets, checks.one_of("preset", self.preset, ("ProtVec", "GeneVec", "DNA2Vec")))
        sequences = X if isinstance(X, str) else list(X)
        seed, workers = seed_of(self.random_state), 1 if self.n_jobs is None else self.n_jobs
        options = {"seed": seed, "workers": workers, "progress": False} | (self.settings or {})
        self.vectors_ = made(sequences, **options)
        self.component_ = None
        if self.how == "sif":
            self.component_ = self.vectors_.embed(sequences, "sif", unseen=self.unseen, workers=workers).component
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Give each sequence its vector; one without a k-mer that has a vector is a row of zeros.

        Parameters
        ----------
        X : iterable of sequences, or path

        Returns
        -------
        ndarray of float32 [sequences, vector_size]
        """
        check_is_fitted(self)
        workers = 1 if self.n_jobs is None else self.n_jobs
        found: Embedded = self.vectors_.embed(
            X, self.how, unseen=self.unseen, component=self.component_, workers=workers
        )
        self.unseen_ = found.totals()["unseen"]
        return found.vectors

    @property
    def _n_features_out(self) -> int:
        size: int = self.vectors_.wv.vector_size
        return size

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = []
        tags.non_deterministic = self.n_jobs not in (None, 1)
        return tags

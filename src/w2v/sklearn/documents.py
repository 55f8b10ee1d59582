"""Documents in, the means of their word vectors, or their own vectors, out."""

import copy
import re
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from w2v.common import checks
from w2v.models.doc2vec import Doc2Vec
from w2v.models.inference import Inferred
from w2v.models.lsa import LSA
from w2v.models.word2vec import Word2Vec
from w2v.text.readers import TaggedDocument
from w2v.vectors import means

Documents = Iterable[str | Iterable[str]]


# Parameters that are no settings of the model.
_OWN = ("random_state", "n_jobs", "lowercase", "token_pattern", "tokenizer", "infer_epochs")


class _Vectorizer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What transformers of documents share: reading, splitting, the seed, and scikit-learn's calls."""

    lowercase: bool
    token_pattern: str
    tokenizer: Callable[[str], Iterable[str]] | None
    n_jobs: int | None
    random_state: int | np.random.RandomState | None

    def _trained(self, documents: Iterator[list[str]], **settings: Any) -> Any:
        """A new model of these documents."""
        raise NotImplementedError

    def _vectors(self, read: "_Numbered") -> NDArray[np.float32]:
        """The row of each document, by the fitted model."""
        raise NotImplementedError

    def fit(self, X: Documents, y: Any = None) -> Self:
        """Learn the vocabulary and its vectors.

        Parameters
        ----------
        X : iterable of documents
            Read once, so a generator will do.
        y : ignored

        Raises
        ------
        ValueError
            If there are no documents, or `X` is a single str, or has more than one dimension.
        TypeError
            If a document is neither str nor an iterable of str.
        RuntimeError
            If no word occurs `min_count` times.
        """
        self._learn(self._words(X))
        return self

    def fit_transform(self, X: Documents, y: Any = None) -> NDArray[np.float32]:
        """Do `fit` and `transform` in one; the documents are read and split only once.

        Parameters
        ----------
        X : iterable of documents
        y : ignored

        Returns
        -------
        ndarray of float32 [documents, vector_size]
        """
        read = _Numbered()
        self._learn(read.passing_on(self._words(X)))
        return self._vectors(read)

    def transform(self, X: Documents) -> NDArray[np.float32]:
        """Give each document its vector, by the fitted model.

        Parameters
        ----------
        X : iterable of documents
            Read once.

        Returns
        -------
        ndarray of float32 [documents, vector_size]
            Unknown words are left out. A document without a known word is a row of zeros.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError, TypeError
            As in `fit`; but no documents are no error here.
        """
        check_is_fitted(self)
        read = _Numbered()
        for _ in read.passing_on(self._words(X)):
            pass
        return self._vectors(read)

    @property
    def _n_features_out(self) -> int:
        """The number of names of `get_feature_names_out`: the fitted model's size, whatever is set since."""
        size: int = self.model_.vector_size
        return size

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = []  # float32, always
        tags.non_deterministic = self.n_jobs not in (None, 1)
        return tags

    def _words(self, documents: Documents) -> Iterator[list[str]]:
        """Each document as a list of words."""
        _check_documents(documents)
        split = self._splitter()
        for number, document in enumerate(documents):
            if isinstance(document, str):
                words = split(document.lower() if self.lowercase else document)
                yield _list_of_words(words, f"what the tokenizer made of document {number:,}")
            else:
                yield _list_of_words(document, f"document {number:,}")

    def _splitter(self) -> Callable[[str], Iterable[str]]:
        tokenizer: Any = self.tokenizer
        if tokenizer is not None and not callable(tokenizer):
            raise TypeError(f"tokenizer={tokenizer!r} must be a function from str to a list of words")
        if tokenizer is not None:
            return tokenizer  # type: ignore[no-any-return]
        pattern = re.compile(self.token_pattern)
        if pattern.groups > 1:
            raise ValueError(
                f"token_pattern={self.token_pattern!r} has {pattern.groups} capturing groups, at most one is the word; "
                "write the others as (?:...)"
            )
        return pattern.findall

    def _learn(self, documents: Iterator[list[str]]) -> None:
        first = next(documents, None)
        if first is None:
            raise ValueError("there are no documents to learn from")
        settings = {name: value for name, value in self.get_params(deep=False).items() if name not in _OWN}
        settings |= {"seed": self._seed()} if hasattr(self, "random_state") else {}
        model = self._trained(chain([first], documents), workers=self._workers(), progress=False, **settings)
        self.model_ = copy.copy(model)  # a copy leaves the encoded corpus behind
        self.vocabulary_ = self.model_.wv.key_to_index

    def _workers(self) -> int:
        return 1 if self.n_jobs is None else self.n_jobs

    def _seed(self) -> Any:
        return seed_of(self.random_state)


class _Trained(_Vectorizer):
    """What transformers share whose models are trained."""

    def __init__(
        self,
        *,
        vector_size: int,
        alpha: float,
        window: int,
        min_count: int,
        max_vocab_size: int | None,
        sample: float,
        min_alpha: float,
        hs: int,
        negative: int,
        ns_exponent: float,
        epochs: int,
        max_final_vocab: int | None,
        shrink_windows: bool,
        shared_negatives: bool,
        cbow_corrected: bool,
        random_state: int | np.random.RandomState | None,
        n_jobs: int | None,
        lowercase: bool,
        token_pattern: str,
        tokenizer: Callable[[str], Iterable[str]] | None,
    ) -> None:
        self.vector_size = vector_size
        self.alpha = alpha
        self.window = window
        self.min_count = min_count
        self.max_vocab_size = max_vocab_size
        self.sample = sample
        self.min_alpha = min_alpha
        self.hs = hs
        self.negative = negative
        self.ns_exponent = ns_exponent
        self.epochs = epochs
        self.max_final_vocab = max_final_vocab
        self.shrink_windows = shrink_windows
        self.shared_negatives = shared_negatives
        self.cbow_corrected = cbow_corrected
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.lowercase = lowercase
        self.token_pattern = token_pattern
        self.tokenizer = tokenizer


class Word2VecVectorizer(_Trained):
    """Learn word vectors from documents, and turn each document into the mean of its words' vectors.

    A document is a str, to be split into words, or a list (any iterable) of str, each a word.

    Parameters
    ----------
    vector_size, alpha, window, min_count, max_vocab_size, sample, min_alpha, sg, hs, negative, ns_exponent, \
cbow_mean, epochs, max_final_vocab, shrink_windows, shared_negatives, cbow_corrected
        As in `w2v.Word2Vec`, with its defaults. They are checked by `fit`.
    random_state : int, RandomState instance or None, default 1
        An int is the seed of `w2v.Word2Vec`. A RandomState, or numpy's global one for None, draws the seed.
    n_jobs : int or None, default None
        Threads of `fit`: None is 1, -1 one per core. With 1 and an int as `random_state` the vectors are the same
        bytes on every run; with more they differ a little from run to run.
    lowercase : bool, default True
        Lower-case a str before it is split.
    token_pattern : str, default r"(?u)\\b\\w+\\b"
        Regular expression of a word. If it has one capturing group, the group's match is the word.
    tokenizer : callable, optional
        Splits a str into an iterable of str, instead of `token_pattern`.

    Attributes
    ----------
    model_ : Word2Vec
        The trained model, without its encoded corpus; the word vectors are ``model_.wv``.
    vocabulary_ : dict of str to int
        The words that were kept, and their rows in ``model_.wv.vectors``.

    Raises
    ------
    ValueError, TypeError
        By `fit`: a parameter out of range or of the wrong kind, before anything is learnt.

    Examples
    --------
    >>> from w2v.sklearn import Word2VecVectorizer
    >>> documents = ["Bread, flour, oven.", "A river; a lake."] * 100
    >>> vectorizer = Word2VecVectorizer(vector_size=16)
    >>> vectorizer.fit_transform(documents).shape
    (200, 16)
    >>> sorted(vectorizer.vocabulary_)
    ['a', 'bread', 'flour', 'lake', 'oven', 'river']
    """

    def __init__(
        self,
        *,
        vector_size: int = 100,
        alpha: float = 0.025,
        window: int = 5,
        min_count: int = 5,
        max_vocab_size: int | None = None,
        sample: float = 1e-3,
        min_alpha: float = 0.0001,
        sg: int = 0,
        hs: int = 0,
        negative: int = 5,
        ns_exponent: float = 0.75,
        cbow_mean: int = 1,
        epochs: int = 5,
        max_final_vocab: int | None = None,
        shrink_windows: bool = True,
        shared_negatives: bool = True,
        cbow_corrected: bool = False,
        random_state: int | np.random.RandomState | None = 1,
        n_jobs: int | None = None,
        lowercase: bool = True,
        token_pattern: str = r"(?u)\b\w+\b",
        tokenizer: Callable[[str], Iterable[str]] | None = None,
    ) -> None:
        super().__init__(
            vector_size=vector_size,
            alpha=alpha,
            window=window,
            min_count=min_count,
            max_vocab_size=max_vocab_size,
            sample=sample,
            min_alpha=min_alpha,
            hs=hs,
            negative=negative,
            ns_exponent=ns_exponent,
            epochs=epochs,
            max_final_vocab=max_final_vocab,
            shrink_windows=shrink_windows,
            shared_negatives=shared_negatives,
            cbow_corrected=cbow_corrected,
            random_state=random_state,
            n_jobs=n_jobs,
            lowercase=lowercase,
            token_pattern=token_pattern,
            tokenizer=tokenizer,
        )
        self.sg = sg
        self.cbow_mean = cbow_mean

    def _trained(self, documents: Iterator[list[str]], **settings: Any) -> Word2Vec:
        return Word2Vec(documents, **settings)

    def _vectors(self, read: "_Numbered") -> NDArray[np.float32]:
        """The means of the words' vectors; a word counts as often as it occurs."""
        rows = np.array([self.vocabulary_.get(word, -1) for word in read.numbers], np.int64)
        return means.of_documents(self.model_.wv.vectors, rows, np.asarray(read.tokens), np.asarray(read.offsets))


class Doc2VecVectorizer(_Trained):
    """Learn vectors of documents (`w2v.Doc2Vec`), and infer those of others.

    A document is a str, to be split into words, or a list (any iterable) of str, each a word.

    Parameters
    ----------
    vector_size, alpha, window, min_count, max_vocab_size, sample, min_alpha, dm, dm_mean, dm_concat, dbow_words, hs, \
negative, ns_exponent, epochs, max_final_vocab, shrink_windows, shared_negatives, cbow_corrected
        As in `w2v.Doc2Vec`, with its defaults. They are checked by `fit`.
    infer_epochs : int, optional
        Passes over each document in `transform`; by default `epochs`.
    random_state, n_jobs, lowercase, token_pattern, tokenizer
        As in `Word2VecVectorizer`. `n_jobs` are the threads of `transform`, too, where they change no bit.

    Attributes
    ----------
    model_ : Doc2Vec
        The trained model, without its encoded corpus. The vectors that the documents of `fit` had in training are
        ``model_.dv``, by their numbers.
    vocabulary_ : dict of str to int
        The words that were kept, and their rows in ``model_.wv.vectors``.

    Raises
    ------
    ValueError, TypeError
        By `fit`: a parameter out of range or of the wrong kind, before anything is learnt.

    Notes
    -----
    `fit_transform` infers the documents that it has learnt from: its rows are those of ``fit(X).transform(X)``, and so
    comparable with those of new documents.

    Examples
    --------
    >>> from w2v.sklearn import Doc2VecVectorizer
    >>> documents = ["Bread, flour, oven.", "A river; a lake."] * 100
    >>> vectorizer = Doc2VecVectorizer(vector_size=16, dm=0).fit(documents)
    >>> vectorizer.transform(["flour and bread", "the lake"]).shape
    (2, 16)
    """

    def __init__(
        self,
        *,
        vector_size: int = 100,
        alpha: float = 0.025,
        window: int = 5,
        min_count: int = 5,
        max_vocab_size: int | None = None,
        sample: float = 1e-3,
        min_alpha: float = 0.0001,
        dm: int = 1,
        dm_mean: int = 1,
        dm_concat: int = 0,
        dbow_words: int = 0,
        hs: int = 0,
        negative: int = 5,
        ns_exponent: float = 0.75,
        epochs: int = 10,
        infer_epochs: int | None = None,
        max_final_vocab: int | None = None,
        shrink_windows: bool = True,
        shared_negatives: bool = True,
        cbow_corrected: bool = False,
        random_state: int | np.random.RandomState | None = 1,
        n_jobs: int | None = None,
        lowercase: bool = True,
        token_pattern: str = r"(?u)\b\w+\b",
        tokenizer: Callable[[str], Iterable[str]] | None = None,
    ) -> None:
        super().__init__(
            vector_size=vector_size,
            alpha=alpha,
            window=window,
            min_count=min_count,
            max_vocab_size=max_vocab_size,
            sample=sample,
            min_alpha=min_alpha,
            hs=hs,
            negative=negative,
            ns_exponent=ns_exponent,
            epochs=epochs,
            max_final_vocab=max_final_vocab,
            shrink_windows=shrink_windows,
            shared_negatives=shared_negatives,
            cbow_corrected=cbow_corrected,
            random_state=random_state,
            n_jobs=n_jobs,
            lowercase=lowercase,
            token_pattern=token_pattern,
            tokenizer=tokenizer,
        )
        self.dm = dm
        self.dm_mean = dm_mean
        self.dm_concat = dm_concat
        self.dbow_words = dbow_words
        self.infer_epochs = infer_epochs

    def _trained(self, documents: Iterator[list[str]], **settings: Any) -> Doc2Vec:
        if self.infer_epochs is not None:
            checks.integer("infer_epochs", self.infer_epochs, 1)
        return Doc2Vec((TaggedDocument(words, [number]) for number, words in enumerate(documents)), **settings)

    def _vectors(self, read: "_Numbered") -> NDArray[np.float32]:
        """The inferred vectors."""
        model: Any = self.model_
        found: Inferred = model.infer_vectors(read.documents(), epochs=self.infer_epochs, workers=self._workers())
        return found.vectors


class LSAVectorizer(_Vectorizer):
    """Latent semantic analysis of documents (`w2v.LSA`): weighted counts of words, and their truncated SVD.

    A document is a str, to be split into words, or a list (any iterable) of str, each a word.

    Parameters
    ----------
    vector_size, weighting, min_count, max_vocab_size, max_final_vocab, eig
        As in `w2v.LSA`, with its defaults. They are checked by `fit`.
    n_jobs : int or None, default None
        Threads: None is 1, -1 one per core. They change no bit.
    lowercase, token_pattern, tokenizer
        As in `Word2VecVectorizer`.

    Attributes
    ----------
    model_ : LSA
        The model, without its documents; the vectors of words are ``model_.wv``.
    vocabulary_ : dict of str to int
        The words that were kept, and their rows in ``model_.wv.vectors``.

    Raises
    ------
    ValueError, TypeError
        By `fit`: a parameter out of range or of the wrong kind, before anything is learnt.

    Examples
    --------
    >>> from w2v.sklearn import LSAVectorizer
    >>> documents = ["Bread, flour, oven.", "A river; a lake."] * 100
    >>> vectors = LSAVectorizer(vector_size=2).fit(documents).transform(["flour and bread", "the lake", "oven"])
    >>> vectors.shape, bool(abs(vectors[0] @ vectors[1]) < 1e-6), bool(vectors[0] @ vectors[2] > 0.4)
    ((3, 2), True, True)
    """

    def __init__(
        self,
        *,
        vector_size: int = 100,
        weighting: str = "tfidf",
        min_count: int = 5,
        max_vocab_size: int | None = None,
        max_final_vocab: int | None = None,
        eig: float = 1.0,
        n_jobs: int | None = None,
        lowercase: bool = True,
        token_pattern: str = r"(?u)\b\w+\b",
        tokenizer: Callable[[str], Iterable[str]] | None = None,
    ) -> None:
        self.vector_size = vector_size
        self.weighting = weighting
        self.min_count = min_count
        self.max_vocab_size = max_vocab_size
        self.max_final_vocab = max_final_vocab
        self.eig = eig
        self.n_jobs = n_jobs
        self.lowercase = lowercase
        self.token_pattern = token_pattern
        self.tokenizer = tokenizer

    def _trained(self, documents: Iterator[list[str]], **settings: Any) -> LSA:
        return LSA(documents, **settings)

    def _vectors(self, read: "_Numbered") -> NDArray[np.float32]:
        """The documents, folded in."""
        model: LSA = self.model_
        return model.infer_vectors(read.documents())

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = False
        return tags


class _Numbered:
    """Documents as numbers: 4 bytes a word, and each different word once.

    Attributes
    ----------
    numbers : dict of str to int, in order of first appearance
    tokens : int32 [N]
    offsets : int64 [documents + 1], document d is ``tokens[offsets[d]:offsets[d + 1]]``
    """

    def __init__(self) -> None:
        self.numbers: defaultdict[str, int] = defaultdict()
        self.numbers.default_factory = self.numbers.__len__  # a look-up of a new word adds it
        self.tokens = array("i")
        self.offsets = array("q", [0])

    def passing_on(self, documents: Iterable[list[str]]) -> Iterator[list[str]]:
        for words in documents:
            self.tokens.extend(map(self.numbers.__getitem__, words))
            self.offsets.append(len(self.tokens))
            yield words

    def documents(self) -> Iterator[list[str]]:
        """What was passed on."""
        names = list(self.numbers)
        for begin, end in pairwise(self.offsets):
            yield [names[number] for number in self.tokens[begin:end]]


def seed_of(random_state: Any) -> Any:
    """A seed of our own for scikit-learn's `random_state`."""
    if isinstance(random_state, int | np.integer):
        return random_state  # all 64 bits; a RandomState would take 32
    return int(check_random_state(random_state).randint(2**31))


def _check_documents(documents: Any) -> None:
    if isinstance(documents, str | bytes):
        # scikit-learn's own message, which people search for
        raise ValueError("Iterable over raw text documents expected, string object received.")
    if not hasattr(documents, "__iter__"):
        raise TypeError(f"X must be an iterable of documents, not {type(documents).__name__}: {documents!r:.60}")
    shape: Any = getattr(documents, "shape", ())
    if len(shape) > 1:  # a data frame would give its column names, and a column of texts one word per text
        raise ValueError(
            f"X is a {type(documents).__name__} of shape {shape}, not a sequence of documents; pass one column of "
            "texts (in a ColumnTransformer, name it by a str, not a list), or lists of words: X.tolist()"
        )


def _list_of_words(words: Any, what: str) -> list[str]:
    if isinstance(words, bytes):
        raise TypeError(f"{what} is {words!r:.60}, not text; decode it first")
    if isinstance(words, str) or not hasattr(words, "__iter__"):
        raise TypeError(f"{what} is {words!r:.60}, not a list of words; where a text is missing, pass an empty str")
    as_list: list[str] = words if isinstance(words, list) else list(words)
    for kind in set(map(type, as_list)):
        if not issubclass(kind, str):
            raise TypeError(f"words must be str, but {what} has {kind.__name__}: {as_list!r:.60}")
    return as_list

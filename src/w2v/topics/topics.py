"""Topics: dense regions of document vectors, their words, their documents, and what can be asked of them.

A `Topics` keeps the model, whose `dv` holds the vectors of the documents, and one unit vector for each topic. Words,
documents and topics are directions of one space, so that one cosine compares any two of them.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from w2v.common import checks
from w2v.common.progress import progress_bar
from w2v.common.public import public
from w2v.common.tables import format_table
from w2v.files.reading import Pathlike
from w2v.models.doc2vec import Doc2Vec
from w2v.topics import again, clusters, files, finding
from w2v.topics.agreement import Agreement
from w2v.topics.asking import Asking
from w2v.topics.finding import Documents, Options
from w2v.topics.top2vec_names import Top2VecNames
from w2v.topics.tree import Tree, ward

if TYPE_CHECKING:
    from w2v.atlas.atlas import Atlas

logger = logging.getLogger(__name__)

NAMED = 10  # documents that a warning names
RUNS = 5


class Assigned(NamedTuple):
    """The topics of new documents.

    Attributes
    ----------
    topics : int32 [documents], the nearest topic; -1 for a document without a known word, or where there is no topic
    cosines : float32 [documents], with that topic
    membership : float32 [documents, topics], see `Topics.membership`
    noise : bool [documents], whether a document lies outside its topic: farther from it than nearly all of those in the
        topic's dense area
    unknown : int64, the numbers of the documents without a known word
    """

    topics: NDArray[np.int32]
    cosines: NDArray[np.float32]
    membership: NDArray[np.float32]
    noise: NDArray[np.bool_]
    unknown: NDArray[np.int64]


@public
class Topics(Top2VecNames, Asking):
    """Topics of documents, as dense regions of their vectors (Angelov 2020, arXiv:2008.09470). `Topics.fit` finds them.

    Attributes
    ----------
    model : Doc2Vec
        Its `wv` are the words; its `dv` the documents, as `transform` would infer them.
    vectors : float32 [topics, vector_size]
        At unit length, the topic of most documents first; a topic's number is its row.
    topics : int32 [documents]
        The nearest topic of each document; -1 for one without a known word, or where there is no topic.
    areas : int32 [documents]
        The topic in whose dense region a document lies; -1 for noise.
    cosines : float32 [documents]
        With the nearest topic.
    sizes : int64 [topics]
        Documents of each topic.
    tree : Tree
        Which topics are joined first; its leaves are the topics as they were found.
    origins : list of list of int
        The leaves of the tree that each topic is made of.
    stability : Agreement or None
        How much of each topic comes back in other runs; see `measure_stability`.
    base : int32 [documents]
        As `areas`, in terms of the tree's leaves.
    options : Options

    Examples
    --------
    >>> from w2v import Topics
    >>> subjects = [["river", "lake", "boat", "water"], ["bread", "flour", "oven", "dough"]]
    >>> topics = Topics.fit(subjects * 40, vector_size=16, sample=0, epochs=20, min_size=10)
    >>> topics.sizes.tolist()
    [40, 40]
    >>> topics.transform([["boat", "lake"], ["oven"]]).topics.tolist() == topics.topics[:2].tolist()
    True

    Notes
    -----
    Nothing here changes a topic: `reduce` and `merge` give new `Topics` over the same model. Queries may run in several
    threads. Memory is that of the model (see `Doc2Vec.estimate_memory`) and 4 bytes for each document and topic in
    `membership`; while topics are looked for, 12 bytes more for each dimension, and 240 for each document.
    """

    def __init__(
        self,
        model: Doc2Vec,
        found: clusters.Found,
        options: Options,
        *,
        tree: Tree | None = None,
        origins: list[list[int]] | None = None,
        base: clusters.Numbers | None = None,
        stability: Agreement | None = None,
    ) -> None:
        self.model, self.options, self.stability = model, options, stability
        self.vectors, self.areas, self.topics, self.cosines = found
        self.units = finding.units_of(model)
        self.sizes = clusters.sizes_of(self.topics, len(self.vectors))
        self.tree = ward(self.vectors, self.sizes) if tree is None else tree
        self.origins = [[topic] for topic in range(len(self.vectors))] if origins is None else origins
        self.base = self.areas if base is None else base
        self.radii = clusters.radii_of(self.units, found)
        self.sharpness = clusters.sharpness_of(self.units, found)
        self._reduced: Topics | None = None

    # --- finding ------------------------------------------------------------------------------------------------

    @classmethod
    def fit(
        cls,
        documents: Iterable[Any] | Doc2Vec | None = None,
        corpus_file: Pathlike | None = None,
        *,
        reduction: str = "pca",
        dimensions: int | None = None,
        min_size: int | None = None,
        merge_above: float = 0.9,
        stability: int = RUNS,
        seed: int = 1,
        progress: bool | None = None,
        **settings: Any,
    ) -> Self:
        """Find topics in documents, or in the vectors of a trained model.

        Parameters
        ----------
        documents : iterable of lists of str or of TaggedDocument, or a trained Doc2Vec
            Documents are numbered from 0, and a `Doc2Vec` is trained on them. Of a model the rows of `dv` are taken as
            they are, one for each tag.
        corpus_file : path, optional
            In place of `documents`: a text with a document in each line.
        reduction : {"pca", "umap"}
            How dense regions become visible: two steps of mean shift in 50 principal components, or UMAP, which needs
            ``w2v[topics]``, and numba with it.
        dimensions : int, optional
            In which HDBSCAN looks for them; 15 after PCA, 5 after UMAP.
        min_size : int, optional
            The fewest documents of a dense region; by default a 40th of the documents, from 3 to 25.
        merge_above : float, default 0.9
            Topics of a greater cosine are one.
        stability : int, default 5
            Look for topics so many times more in bootstrap samples; 0 for none. See `measure_stability`.
        seed : int, default 1
        progress : bool, optional
            Bars on stderr; by default in a terminal.
        **settings
            Of `Doc2Vec`. By default ``vector_size=300, window=15, sample=1e-5, dm=0, dbow_words=1, epochs=40,
            deterministic=True`` and a `min_count` between 2 and 50 that grows with the documents.

        Returns
        -------
        Topics
            Perhaps without a topic, or with one: then the log says so.

        Raises
        ------
        TypeError
            A document is a string.
        ValueError, RuntimeError
            A parameter is out of range; there is no document, or no word that occurs `min_count` times.
        ImportError
            scikit-learn, or for UMAP umap-learn, is not installed.

        Notes
        -----
        With the default ``deterministic=True`` the same documents, settings and seed give the same topics, numbers,
        words and sizes, whatever the number of workers. HDBSCAN (Campello et al. 2013) has no random choice.
        """
        options = Options(reduction, dimensions, min_size, merge_above, seed).checked()
        runs = checks.integer("stability", stability, 0, 1000)
        clusters.hdbscan()
        stages = 2 + runs + (0 if isinstance(documents, Doc2Vec) else 2)
        with progress_bar(progress, desc="topics", total=stages, unit=" stages") as bar:
            if isinstance(documents, Doc2Vec):
                if settings or corpus_file is not None:
                    raise TypeError("a trained model has its documents and settings; leave out all but the options")
                model = documents
            else:
                given = Documents(documents, corpus_file)
                if not given.count:
                    raise ValueError("there are no documents to find topics in")
                whole = finding.settings_for(given.count, settings | {"seed": seed, "progress": progress})
                model = given.trained(whole)
                bar.update()
                finding.with_inferred(model, given)
                bar.update()
            units = finding.units_of(model)
            areas = finding.areas_in(units, options)
            bar.update()
            made = cls(model, clusters.topics_of(units, areas, options.merge_above), options)
            bar.update()
            if runs and len(made.vectors):
                made.stability = again.bootstrap(
                    made.units, made.topics, made._leading_words(), made._words, options, runs, bar
                )
        made._warn()
        return made

    def _warn(self) -> None:
        empty = self.empty
        if empty:
            named = ", ".join(map(repr, empty[:NAMED])) + (", ..." if len(empty) > NAMED else "")
            logger.warning("%s documents have no known word, and so no topic: %s", f"{len(empty):,}", named)
        if len(self.vectors) < 2:
            logger.warning(
                "%s in %s documents; a smaller min_size (it is %s) finds smaller ones, and more documents help",
                "there is one topic" if len(self.vectors) else "no topic was found",
                f"{len(self.topics):,}",
                self.options.size_for(len(self.topics)),
            )

    def measure_stability(
        self,
        runs: int = RUNS,
        vary: str = "bootstrap",
        documents: Iterable[Any] | None = None,
        corpus_file: Pathlike | None = None,
        progress: bool | None = None,
    ) -> Agreement:
        """Look for topics again, and say how much of each comes back; kept as `stability`.

        Parameters
        ----------
        runs : int, default 5
        vary : {"bootstrap", "seed"}
            Look in the distinct documents of a bootstrap sample, 63 % of all, with the same vectors; or train the model
            again with other seeds, on `documents` or `corpus_file`, which must be those that it was trained on.
        documents, corpus_file
            As in `fit`.
        progress : bool, optional

        Returns
        -------
        Agreement
            Mean Jaccard indices of the ten first words, and of the documents, of each topic and its partner in another
            run. Partners are found by their documents, so that no topic has two (the assignment problem); a topic that
            does not come back counts 0. All documents are compared, also those that a sample leaves out.
        """
        checks.one_of("vary", vary, ("bootstrap", "seed"))
        runs = checks.integer("runs", runs, 1, 1000)
        with progress_bar(progress, desc="stability", total=runs, unit=" runs") as bar:
            given = (self.units, self.topics, self._leading_words())
            if vary == "bootstrap":
                self.stability = again.bootstrap(*given, self._words, self.options, runs, bar)
            else:
                self.stability = again.seeds(
                    *given, self.model, Documents(documents, corpus_file), self.options, runs, bar
                )
        return self.stability

    # --- documents ----------------------------------------------------------------------------------------------

    def transform(self, documents: Iterable[Any], *, epochs: int | None = None, workers: int | None = None) -> Assigned:
        """Find the topics of new documents; nothing changes.

        A document of the training has here the topic that it has there, as long as `epochs` is left as it is.

        Parameters
        ----------
        documents : iterable of lists of str, or of objects with `words`
        epochs, workers : int, optional
            As in `Doc2Vec.infer_vectors`.
        """
        found = self.model.infer_vectors(documents, epochs=epochs, workers=workers)
        units = clusters.unit_rows(found.vectors)
        topics, cosines = clusters.nearest_topics(units, self.vectors)
        inside = (topics >= 0) & (cosines >= self.radii[topics] if len(self.vectors) else False)
        return Assigned(topics, cosines, self._membership(units), ~inside, found.unknown)

    def membership(self) -> NDArray[np.float32]:
        """How much each document belongs to each topic, float32 [documents, topics]; the sum of a row is 1.

        The softmax of the cosines, multiplied by a number (`sharpness`) that makes the dense regions most likely: of
        the documents of them that are 0.8 in a topic, about 80 % lie in its region. So it is calibrated on them, as a
        classifier is by temperature scaling (Guo et al. 2017, arXiv:1706.04599). Documents without a known word have
        zeros.
        """
        return self._membership(self.units)

    def _membership(self, units: NDArray[np.float32]) -> NDArray[np.float32]:
        return clusters.membership_in(units, self.vectors, self.sharpness)

    # --- other topics of the same documents ---------------------------------------------------------------------

    def reduce(self, count: int) -> Self:
        """Join topics along the tree until `count` are left, and give these as new `Topics`.

        Raises
        ------
        ValueError
            There are fewer topics.
        """
        count = checks.integer("count", count, 1)
        if count > self.tree.leaves or not len(self.vectors):
            raise ValueError(f"count={count} is more than the {len(self.vectors)} topics that there are")
        return self._joined(self.base, self.tree.groups(count), self.tree)

    def merge(self, *groups: Iterable[int]) -> Self:
        """Make one topic of several, ``merge([1, 4])`` or ``merge([1, 4], [2, 3, 7])``, and give new `Topics`."""
        kept: list[list[int]] = []
        for group in groups:
            numbers = sorted({self._topic("groups", topic) for topic in group})
            if any(set(numbers) & set(other) for other in kept):
                raise ValueError(f"groups={groups!r}: a topic can be in one of them")
            kept.append(numbers)
        taken = {topic for group in kept for topic in group}
        kept += [[topic] for topic in range(len(self.vectors)) if topic not in taken]
        return self._joined(self.areas, kept, None)

    def _joined(self, areas: clusters.Numbers, groups: list[list[int]], tree: Tree | None) -> Self:
        place = np.empty(sum(map(len, groups)), np.int32)
        for number, group in enumerate(groups):
            place[group] = number
        numbered = np.where(areas < 0, clusters.NONE, place[areas]).astype(np.int32)
        found = clusters.topics_of(self.units, numbered)
        if tree is None:
            return type(self)(self.model, found, self.options)
        # Topics are numbered anew by their sizes: a document of each region says which one it became.
        first = [int(np.flatnonzero(numbered == number)[0]) for number in range(len(groups))]
        origins = [groups[number] for number in np.argsort([found.areas[document] for document in first])]
        return type(self)(self.model, found, self.options, tree=tree, origins=origins, base=areas)

    # --- what it says, files ------------------------------------------------------------------------------------

    def records(self, topn: int = 10) -> list[dict[str, Any]]:
        """A dict for each topic: its number, size, share of the documents, share of noise, words and stability."""
        found = []
        for topic, size in enumerate(self.sizes.tolist()):
            own = self.areas[self.topics == topic]
            found.append({
                "topic": topic,
                "documents": size,
                "share": size / max(1, int((self.topics >= 0).sum())),
                "noise": float((own < 0).mean()) if size else None,
                "stable_words": None if self.stability is None else float(self.stability.words[topic]),
                "stable_documents": None if self.stability is None else float(self.stability.documents[topic]),
                "words": [word for word, _ in self.words(topic, topn)],
            })  # fmt: skip
        return found

    def __str__(self) -> str:
        return format_table(self.records(6)) if len(self.vectors) else "no topics"

    def __repr__(self) -> str:
        return f"Topics<{len(self.vectors)} topics, {len(self.topics):,} documents>"

    def save(self, path: Pathlike) -> None:
        """Write the topics and their model to one file; `load` reads it, and `Doc2Vec.load` the model alone."""
        files.write(self, path)

    @classmethod
    def load(cls, path: Pathlike) -> Self:
        """Read a file of `save`.

        Raises
        ------
        FormatError
            It is damaged, or holds no topics.
        """
        model, found, options, tree, origins, base, stability = files.read(path)
        return cls(model, found, options, tree=tree, origins=origins, base=base, stability=stability)

    def map(self, titles: Sequence[str] | None = None, **options: Any) -> "Atlas":
        """Put words, documents and topics on one map; see `w2v.topics.charting.chart`."""
        from w2v.topics import charting

        return charting.chart(self, titles, **options)

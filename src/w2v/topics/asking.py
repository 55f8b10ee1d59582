"""What can be asked of topics: their words, documents and distances."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.common import checks
from w2v.models.doc2vec import Doc2Vec
from w2v.topics import clusters
from w2v.topics.agreement import Agreement
from w2v.topics.finding import Options
from w2v.topics.tree import Tree
from w2v.vectors import queries

Array = NDArray[Any]
Scored = list[tuple[Any, float]]


class Asking:
    """Queries, one cosine scale for words, documents and topics."""

    model: Doc2Vec
    options: Options
    tree: Tree
    origins: list[list[int]]
    base: clusters.Numbers
    stability: Agreement | None
    sizes: NDArray[np.int64]
    vectors: NDArray[np.float32]
    topics: clusters.Numbers
    areas: clusters.Numbers
    cosines: NDArray[np.float32]
    units: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.vectors)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__.copy()

    @property
    def tags(self) -> list[Any]:
        """The documents: their numbers, or the tags of the model that was given."""
        return list(self.model.dv.index_to_key)

    @property
    def empty(self) -> list[Any]:
        """The documents without a known word, which have no topic."""
        tags = self.model.dv.index_to_key
        return [tags[row] for row in np.flatnonzero(~self.units.any(axis=1))]

    @property
    def noise(self) -> NDArray[np.bool_]:
        """Whether a document lies in no dense region, bool [documents]; `topics` still says which is nearest."""
        return self.areas < 0

    @property
    def noise_count(self) -> int:
        """How many documents lie in no dense region."""
        return int(self.noise.sum())

    def _topic(self, name: str, topic: Any) -> int:
        if not len(self.vectors):
            raise ValueError(f"{name}={topic!r}: there are no topics")
        return checks.integer(name, topic, 0, len(self.vectors) - 1, f"; there are {len(self.vectors)} topics")

    def _document(self, document: Any) -> int:
        return self.model.dv.get_index(document)

    def words(self, topic: int, topn: int = 10) -> Scored:
        """The words nearest to a topic, and their cosines; best first."""
        rows, cosines = self._nearest_words(self.vectors[[self._topic("topic", topic)]], topn)
        names = self.model.wv.index_to_key
        return [(names[row], float(cosine)) for row, cosine in zip(rows[0].tolist(), cosines[0], strict=True)]

    def names(self, count: int = 3) -> list[str]:
        """What topics may be called: their numbers and first words."""
        return [f"{topic}: " + " ".join(word for word, _ in self.words(topic, count)) for topic in range(len(self))]

    def _nearest_words(self, vectors: Array, topn: int) -> tuple[NDArray[np.int64], Array]:
        topn = checks.integer("topn", topn, 1)
        return queries.nearest_rows(vectors, self.model.wv.peek(), None, topn)

    def _words(self, vectors: Array) -> NDArray[np.int64]:
        return clusters.nearest_words(vectors, self.model.wv)

    def _leading_words(self) -> NDArray[np.int64]:
        """Rows of the first words of each topic, int64 [topics, 10]."""
        return self._words(self.vectors)

    def documents(self, topic: int, topn: int = 10) -> Scored:
        """The documents that stand for a topic: those of it that are nearest to it, and their cosines; best first."""
        own = np.flatnonzero(self.topics == self._topic("topic", topic))
        best = own[np.argsort(-self.cosines[own], kind="stable")][: checks.integer("topn", topn, 1)]
        tags = self.model.dv.index_to_key
        return [(tags[row], float(self.cosines[row])) for row in best.tolist()]

    def search(self, words: str | Iterable[str], negative: Iterable[str] = (), topn: int | None = None) -> Scored:
        """The topics nearest to the mean of words, and their cosines; best first.

        Parameters
        ----------
        words : str or iterable of str
        negative : iterable of str, optional
            Words that count against a topic.
        topn : int, optional
            By default all topics.

        Raises
        ------
        KeyError
            A word that the model does not know.
        """
        return self.search_by_vector(self._mean(words, negative), topn)

    def _mean(self, words: str | Iterable[str], negative: Iterable[str]) -> NDArray[np.float32]:
        positive = [words] if isinstance(words, str) else list(words)
        against = [negative] if isinstance(negative, str) else list(negative)
        if not positive + against:
            raise ValueError("give a word to search for")
        weights = [1.0] * len(positive) + [-1.0] * len(against)
        mean: NDArray[np.float32] = self.model.wv.get_mean_vector(
            positive + against, weights, ignore_missing=False
        ).astype(np.float32)
        return mean

    def search_by_vector(self, vector: Array, topn: int | None = None) -> Scored:
        """The topics nearest to a vector, and their cosines; best first."""
        if not len(self.vectors):
            return []
        cosines = self.vectors @ queries.unit(np.asarray(vector, np.float32))
        best = np.argsort(-cosines, kind="stable")[: None if topn is None else checks.integer("topn", topn, 1)]
        return [(int(topic), float(cosines[topic])) for topic in best]

    def topic_distance(self, a: int, b: int) -> float:
        """The cosine distance of two topics, 0 to 2; that of a topic to itself is 0."""
        return self._distance(self.vectors[self._topic("a", a)], self.vectors[self._topic("b", b)])

    def word_distance(self, topic: int, word: str) -> float:
        """The cosine distance of a topic and a word, on the scale of `topic_distance`."""
        return self._distance(self.vectors[self._topic("topic", topic)], self.model.wv.get_vector(word, norm=True))

    def document_distance(self, topic: int, document: Any) -> float:
        """The cosine distance of a topic and a document (its number or tag), on the scale of `topic_distance`."""
        return self._distance(self.vectors[self._topic("topic", topic)], self.units[self._document(document)])

    @staticmethod
    def _distance(one: Array, other: Array) -> float:
        return 0.0 if one is other or np.array_equal(one, other) else float(1 - np.clip(one @ other, -1, 1))

    def over_time(self, labels: Sequence[Any], topn: int = 5) -> list[dict[str, Any]]:
        """How topics come and go over groups of documents, such as years.

        Parameters
        ----------
        labels : sequence [documents]
            The year, author or any other group of each document.
        topn : int, default 5

        Returns
        -------
        list of dict
            For each label, in order, and each topic that it has: ``label``, ``topic``, ``documents``, ``share`` of the
            label's documents that have a topic, and ``words``, the nearest to the mean of these documents: how the
            topic was spoken of then.

        Raises
        ------
        ValueError
            Not a label for each document.
        """
        labels = list(labels)
        if len(labels) != len(self.topics):
            raise ValueError(f"{len(labels):,} labels for {len(self.topics):,} documents; give one for each")
        try:
            ordered = sorted(set(labels))
        except TypeError:  # of several types: as they come
            ordered = list(dict.fromkeys(labels))
        place = {label: number for number, label in enumerate(ordered)}
        of = np.array([place[label] for label in labels], np.int64)
        found, names = [], self.model.wv.index_to_key
        for number, label in enumerate(ordered):
            own = (of == number) & (self.topics >= 0)
            for topic in np.unique(self.topics[own]).tolist():
                rows = own & (self.topics == topic)
                mean = clusters.unit_rows(self.units[rows].sum(axis=0, dtype=np.float64)[None])
                found.append({
                    "label": label,
                    "topic": topic,
                    "documents": int(rows.sum()),
                    "share": float(rows.sum() / own.sum()),
                    "words": [names[row] for row in self._nearest_words(mean, topn)[0][0].tolist()],
                })  # fmt: skip
        return found

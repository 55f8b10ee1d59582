"""Top2Vec's names for what `Topics` does, so that its programs run: their arguments, order and shapes of results."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.topics.asking import Asking
from w2v.vectors import queries

Array = NDArray[Any]

WORDS = 50  # of each topic, as Top2Vec gives


class Top2VecNames(Asking):
    """Methods of Top2Vec 1.0.36 in its doc2vec mode. Documents are numbers or tags, and no texts are kept.

    ``reduced=True`` asks the topics that `hierarchical_topic_reduction` made. Results are arrays, best first.
    """

    _reduced: Any

    def _of(self, reduced: bool) -> Any:
        if reduced and self._reduced is None:
            raise ValueError("there are no reduced topics; call hierarchical_topic_reduction first")
        return self._reduced if reduced else self

    def get_num_topics(self, reduced: bool = False) -> int:
        """How many topics there are."""
        return len(self._of(reduced).vectors)

    def get_topic_sizes(self, reduced: bool = False) -> tuple[Array, Array]:
        """Documents of each topic, and the topics' numbers."""
        sizes = self._of(reduced).sizes
        return sizes, np.arange(len(sizes))

    def get_topics(self, num_topics: int | None = None, reduced: bool = False) -> tuple[Array, Array, Array]:
        """Words [topics, 50] of the largest topics, their cosines, and the topics' numbers."""
        of: Top2VecNames = self._of(reduced)
        return of._described(np.arange(len(of.vectors))[:num_topics])

    def _described(self, topics: Array) -> tuple[Array, Array, Array]:
        """The words of topics and their cosines, each [*topics, 50], and the topics."""
        rows, cosines = self._nearest_words(self.vectors, WORDS)
        words = np.array(self.model.wv.index_to_key, object)[rows]
        return words[topics], cosines[topics], topics

    def get_documents_topics(
        self, doc_ids: Sequence[Any], reduced: bool = False, num_topics: int = 1
    ) -> tuple[Array, Array, Array, Array]:
        """The topics of documents, the cosines, and the topics' words and their cosines."""
        of = self._of(reduced)
        rows = [self._document(document) for document in doc_ids]
        topics: Array
        if num_topics == 1:
            topics, cosines = of.topics[rows], of.cosines[rows]
        else:
            all_cosines = of.units[rows] @ of.vectors.T
            topics = np.argsort(-all_cosines, axis=1, kind="stable")[:, :num_topics]
            cosines = np.take_along_axis(all_cosines, topics, 1)
        words, word_cosines, _ = of._described(topics)
        return topics, cosines, words, word_cosines

    def query_topics(
        self, query: str, num_topics: int, reduced: bool = False, tokenizer: Callable[[str], list[str]] | None = None
    ) -> tuple[Array, Array, Array, Array]:
        """The topics nearest to a text: words, their cosines, the topics' cosines, their numbers.

        Without a `tokenizer` the text is divided at white space, in lower case.
        """
        return self.search_topics_by_vector(self._inferred(query, tokenizer), num_topics, reduced)

    def query_documents(
        self, query: str, num_docs: int, tokenizer: Callable[[str], list[str]] | None = None
    ) -> tuple[Array, Array]:
        """The documents nearest to a text: cosines, documents."""
        return self.search_documents_by_vector(self._inferred(query, tokenizer), num_docs)

    def _inferred(self, query: str, tokenizer: Callable[[str], list[str]] | None) -> Array:
        if not isinstance(query, str):
            raise TypeError(f"query={query!r:.60} is not a text")
        return self.model.infer_vector(query.lower().split() if tokenizer is None else tokenizer(query))

    def search_topics(
        self, keywords: Sequence[str], num_topics: int, keywords_neg: Sequence[str] | None = None, reduced: bool = False
    ) -> tuple[Array, Array, Array, Array]:
        """The topics nearest to the mean of words: words, their cosines, the topics' cosines, their numbers."""
        return self.search_topics_by_vector(self._mean(keywords, keywords_neg or ()), num_topics, reduced)

    def search_topics_by_vector(
        self, vector: Array, num_topics: int, reduced: bool = False
    ) -> tuple[Array, Array, Array, Array]:
        """The topics nearest to a vector; as `search_topics`."""
        of = self._of(reduced)
        found = of.search_by_vector(vector, num_topics)
        topics = np.array([topic for topic, _ in found], np.int64)
        words, word_cosines, _ = of._described(topics)
        return words, word_cosines, np.array([cosine for _, cosine in found]), topics

    def search_documents_by_topic(self, topic_num: int, num_docs: int, reduced: bool = False) -> tuple[Array, Array]:
        """The documents of a topic that are nearest to it: cosines, documents."""
        return _as_arrays(self._of(reduced).documents(topic_num, num_docs))

    def search_documents_by_keywords(
        self, keywords: Sequence[str], num_docs: int, keywords_neg: Sequence[str] | None = None
    ) -> tuple[Array, Array]:
        """The documents nearest to the mean of words: cosines, documents."""
        return self.search_documents_by_vector(self._mean(keywords, keywords_neg or ()), num_docs)

    def search_documents_by_documents(
        self, doc_ids: Sequence[Any], num_docs: int, doc_ids_neg: Sequence[Any] | None = None
    ) -> tuple[Array, Array]:
        """The documents nearest to the mean of documents, without these: cosines, documents."""
        found = self.model.dv.most_similar(list(doc_ids), list(doc_ids_neg or ()), topn=num_docs)
        return _as_arrays(found)

    def search_documents_by_vector(self, vector: Array, num_docs: int) -> tuple[Array, Array]:
        """The documents nearest to a vector: cosines, documents."""
        cosines = self.units @ queries.unit(np.asarray(vector, np.float32))
        best = np.argsort(-cosines, kind="stable")[:num_docs].tolist()
        tags = self.model.dv.index_to_key
        return _as_arrays([(tags[row], cosines[row]) for row in best])

    def search_words_by_vector(self, vector: Array, num_words: int) -> tuple[Array, Array]:
        """The words nearest to a vector, and their cosines."""
        return _as_arrays(self.model.wv.similar_by_vector(np.asarray(vector, np.float32), num_words))[::-1]

    def similar_words(
        self, keywords: Sequence[str], num_words: int, keywords_neg: Sequence[str] | None = None
    ) -> tuple[Array, Array]:
        """The words nearest to the mean of words, without these, and their cosines."""
        return _as_arrays(self.model.wv.most_similar(list(keywords), list(keywords_neg or ()), topn=num_words))[::-1]

    def hierarchical_topic_reduction(self, num_topics: int) -> list[list[int]]:
        """Join topics until `num_topics` are left, for ``reduced=True``; the topics that each is made of.

        Topics are joined along `Topics.tree`, where Top2Vec gives its smallest to its nearest.
        """
        self._reduced = self.reduce(num_topics)  # type: ignore[attr-defined]
        return self.get_topic_hierarchy()

    def get_topic_hierarchy(self) -> list[list[int]]:
        """The topics that each reduced topic is made of."""
        return [list(members) for members in self._of(True).origins]


def _as_arrays(found: list[tuple[Any, float]]) -> tuple[Array, Array]:
    """Cosines and keys."""
    keys = [key for key, _ in found]
    return np.array([cosine for _, cosine in found]), np.array(keys if keys else [], None if keys else object)

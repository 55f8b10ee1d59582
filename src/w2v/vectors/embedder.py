"""An embedding model for BERTopic, which takes no vectors of words but through a class of its own."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.text.letters import check_tokenizer, tokenize
from w2v.vectors import means
from w2v.vectors.mapping import Mapped


def bertopic_embedder(vectors: Mapped, tokenizer: str) -> Any:
    """See `w2v.vectors.exports.Exported.to_bertopic`."""
    check_tokenizer("tokenizer", tokenizer)
    try:
        from bertopic.backend import BaseEmbedder
    except ImportError:
        raise ModuleNotFoundError("an embedding model for BERTopic needs it; pip install bertopic") from None

    class WordVectors(BaseEmbedder):  # type: ignore[misc]
        """Mean word vectors of documents, float32 [documents, vector_size]; zeros where no word is known."""

        def __init__(self) -> None:
            super().__init__(embedding_model=vectors)

        def embed(self, documents: Sequence[str], verbose: bool = False) -> NDArray[np.float32]:
            return mean_of_words(vectors, [tokenize(document, tokenizer) for document in documents])

    return WordVectors()


def mean_of_words(vectors: Mapped, documents: Sequence[Sequence[str]]) -> NDArray[np.float32]:
    """The mean vector of each document's known words, float32 [documents, vector_size]; zeros where there are none."""
    numbers: dict[str, int] = {}
    tokens = [numbers.setdefault(word, len(numbers)) for words in documents for word in words]
    rows = np.array([vectors.key_to_index.get(word, -1) for word in numbers], np.int64)
    offsets = np.cumsum([0, *map(len, documents)])
    return means.of_documents(vectors.peek(), rows, np.array(tokens, np.int64), offsets)

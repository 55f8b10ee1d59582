"""What a family of models adds to the steps in which a model is built."""

from typing import Any, ClassVar

from w2v.tokens.encode import Scan
from w2v.training.trainable import Trainable

# gensim-3 names of parameters.
OLD_CORPUS = {"sentences": "corpus_iterable"}


class Extendable(Trainable):
    """What a family adds to the steps of building."""

    # Whether a corpus is one of documents with tags, and gensim-3 names of the parameter that gives it.
    of_documents: ClassVar[bool] = False
    old_corpus: ClassVar[dict[str, str]] = OLD_CORPUS

    vector_size: int

    def _more_parts(self) -> tuple[Any, ...]:
        """What is built besides words and tokens."""
        return ()

    def _take_tags(self, scan: Scan, update: bool) -> None:
        """Give the tags of a corpus of documents their rows."""

    def _output_size(self) -> int:
        """The size of an output row."""
        return self.vector_size

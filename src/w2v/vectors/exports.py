"""Vectors for other tools: model2vec, finalfusion, tables, an index on disk, BERTopic."""

import logging
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from w2v.common import html
from w2v.files import finalfusion, model2vec
from w2v.files.reading import Pathlike
from w2v.files.writing import atomic_write
from w2v.vectors.mapping import Mapped

if TYPE_CHECKING:
    import pandas
    import pyarrow

# Keys that a notebook shows.
FIRST = 12

logger = logging.getLogger(__name__)


class Exported(Mapped):
    """What writes vectors in the formats of other tools, and gives them as tables."""

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        first = ", ".join(map(str, self.index_to_key[:FIRST])) + (", ..." if len(self) > FIRST else "")
        return html.facts(type(self).__name__, {"keys": len(self), "vector size": self.vector_size, "first": first})

    def save_model2vec(self, folder: Pathlike, facts: Mapping[str, object] | None = None) -> None:
        """Write a folder that model2vec and sentence-transformers load, and that can go to a model hub as it is.

        A text is split at white space there, and its vector is the mean of those of its words, at unit length. n-grams
        are left out. `Word2Vec.save_model2vec` fills in corpus, settings and fingerprint itself.

        Parameters
        ----------
        folder : path-like
            Made if need be; files of the same names in it are replaced.
        facts : mapping, optional
            What the table of the model card says beside the numbers of words and of dimensions: corpus, settings,
            scores.

        Raises
        ------
        ValueError
            A key is no str, a word has a lone surrogate, or a number is not finite. Nothing is written.
        FileExistsError
            There is a file of the folder's name.
        """
        words = self._words_for(folder)
        out_of_reach = sum(len(word.split()) != 1 for word in words)
        if out_of_reach:
            logger.warning("%s words hold white space, at which texts are split; none is found", f"{out_of_reach:,}")
        model2vec.write(folder, words, self.peek(), facts or {})

    def save_finalfusion(self, path: Pathlike) -> None:
        """Write a ``.fifu`` file that finalfusion's programs read, atomically: rows of unit length, and their norms.

        Rounding to unit length and back may change the last bit of a number. n-grams are left out.

        Parameters
        ----------
        path : path-like

        Raises
        ------
        ValueError
            A key is no str, a word has a lone surrogate, or a number is not finite.
        """
        finalfusion.write(path, self._words_for(path), self.peek())

    def to_pandas(self) -> "pandas.DataFrame":
        """Return a data frame of float32 with a row for each key, which is its index, and a column for each number.

        Raises
        ------
        ModuleNotFoundError
            pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise ModuleNotFoundError("a data frame needs pandas; pip install pandas") from None
        return pandas.DataFrame(self.peek().copy(), index=pandas.Index(self.index_to_key, name="word"))

    def to_arrow(self) -> "pyarrow.Table":
        """Return an Arrow table: ``word``, ``count`` where it is known, and ``vector``, float32 lists of a fixed size.

        Raises
        ------
        ModuleNotFoundError
            pyarrow is not installed.
        """
        arrow = _pyarrow()
        numbers = np.ascontiguousarray(self.peek(), np.float32).copy()
        columns: dict[str, Any] = {"word": [str(key).encode("utf-8", "replace").decode() for key in self.index_to_key]}
        if "count" in self.expandos:
            columns["count"] = self.expandos["count"]
        columns["vector"] = arrow.FixedSizeListArray.from_arrays(arrow.array(numbers.ravel()), self.vector_size)
        return arrow.table(columns)

    def save_parquet(self, path: Pathlike) -> None:
        """Write the table of `to_arrow` to a Parquet file, atomically.

        ``embedding-atlas FILE --text word --vector vector`` opens it; `map` with `Atlas.to_parquet` writes one with
        places and neighbours instead.
        """
        table = self.to_arrow()
        from pyarrow import parquet

        with atomic_write(path) as file:
            parquet.write_table(table, file)

    def to_bertopic(self, tokenizer: str = "simple") -> Any:
        """Return an embedding model for ``BERTopic(embedding_model=...)``: the mean of a document's word vectors.

        Parameters
        ----------
        tokenizer : {"simple", "simple_preprocess", "whitespace"}, default "simple"
            What the words of a document are; best that of the model.

        Raises
        ------
        ModuleNotFoundError
            bertopic is not installed.
        """
        from w2v.vectors.embedder import bertopic_embedder

        return bertopic_embedder(self, tokenizer)

    def _words_for(self, path: Pathlike) -> Sequence[str]:
        """The keys; ValueError if one is no word."""
        other = next((key for key in self.index_to_key if not isinstance(key, str)), None)
        if other is not None:
            raise ValueError(f"{os.fspath(path)}: the key {other!r:.60} is no word")
        return self.index_to_key


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError:
        raise ModuleNotFoundError("a table needs pyarrow: pip install 'w2v[arrow]'") from None
    return pyarrow

"""The documents of gensim's pickled Doc2Vec: tags and their vectors, in the layouts of gensim 0.12 to 4.4.

4.0 on      ``dv``, vectors with keys like those of words
3.3 on      ``docvecs``: ``vectors_docs``, and ``doctags`` of the tags that are text
before      the same under the names ``doctag_syn0`` and, until 0.12.2, ``index2doctag``

An integer tag is the number of its row, and texts have the last rows.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.files import gensim_pickle
from w2v.files.gensim_pickle import GensimFile

# Numbers of rows have 32 bits.
_MOST_ROWS = 2**31 - 1

_CLASSES = ("Doc2VecKeyedVectors", "DocvecsArray")


class Documents(NamedTuple):
    """Tags in the order of their rows, and what belongs to each.

    Attributes
    ----------
    keys : list of str and int
    vectors : float32 [T, vector_size]
    attributes : of numbers [T], "doc_count" and "word_count" among them if the file has them
    locks : float32 [T] or [1], if not all are 1
    """

    keys: list[Any]
    vectors: NDArray[np.float32]
    attributes: dict[str, NDArray[Any]]
    locks: NDArray[np.float32] | None


def documents_of(found: GensimFile) -> Documents:
    """The documents of a file whose kind is "doc2vec".

    Raises
    ------
    FormatError
        The tags do not agree with their vectors, or with those of words.
    """
    fields, source = found.fields, found.source
    assert fields is not None
    width = found.vectors.shape[1]
    if fields.get("dv") is not None:
        made = gensim_pickle.vectors_of(fields["dv"], source, f"{source.name}.dv")
        documents = Documents(made.words, made.vectors, made.attributes, made.lockf)
    elif fields.get("docvecs") is not None:
        held = gensim_pickle.fields_of(fields["docvecs"], f"{source.name}.docvecs", source, _CLASSES)
        documents = _old_documents(fields | held, source)
    else:
        raise source.fault("it has no vectors of documents (saved with ignore=?)")
    if len(documents.keys) and documents.vectors.shape[1] != width:
        raise source.fault(f"vectors of {documents.vectors.shape[1]:,} numbers for documents, and {width:,} for words")
    for key in documents.keys:
        if type(key) is int and not 0 <= key < _MOST_ROWS:
            raise source.fault(f"the tag {key:,} is no number of a row")
    return documents


def _old_documents(fields: dict[str, Any], source: Any) -> Documents:
    texts = fields.get("offset2doctag", fields.get("index2doctag"))
    value = fields.get("vectors_docs", fields.get("doctag_syn0"))
    if type(texts) is not list or any(type(text) is not str for text in texts):
        raise source.fault("no list of the tags that are text")
    if value is None or type(value) is list:  # never trained
        if texts or fields.get("count"):
            raise source.fault("it has no vectors of documents (saved with ignore=?)")
        return Documents([], np.zeros((0, 0), np.float32), {}, None)
    vectors = gensim_pickle.floats_of(value, source, "the matrix of documents", (None, None))
    integers = len(vectors) - len(texts)
    if integers < 0 or len(set(texts)) != len(texts):
        raise source.fault(f"{len(texts):,} tags that are text, some twice or more than the {len(vectors):,} vectors")
    largest = fields.get("max_rawint", integers - 1)
    if largest != integers - 1:
        raise source.fault(f"max_rawint={largest!r:.20} and {len(texts):,} texts for {len(vectors):,} vectors")
    lock = fields.get("vectors_docs_lockf", fields.get("doctag_syn0_lockf"))
    locks = None
    if lock is not None and type(lock) is not list:
        locks = gensim_pickle.floats_of(lock, source, "the locks of documents", (len(vectors),))
        locks = None if (locks == 1).all() else locks
    return Documents([*range(integers), *texts], vectors, {}, locks)

"""The tensors that models of documents add to a native file.

documents             F32 [T, D]   a row for each tag
documents.locks       F32 [T]      factors of these rows' gradients, if not all 1
documents.numbers     I64 [T]      integer tags, or -1; the three that tags are made of are absent if each tag is the
                                   number of its row
documents.bytes       U8  [C]      the other tags, UTF-8, one after the other
documents.offsets     I64 [T+1]    where each tag begins; the last is C
documents.attr.<name> [T]          numeric attributes of the tags
topics                F32 [K, D]   a unit row for each topic of these documents; with it, in ``topics.*``:
topics.areas, .base   I32 [T]      the topic in whose region a document lies, now and before topics were joined; or -1
topics.pairs          I32 [L, 2]   the tree of topics, a row for each step, and in topics.heights, F64 [L], its cost
topics.origins        I32 [L+1]    the topic that each leaf of the tree is now part of
topics.stable_words   F32 [K]      how much of its words comes back; of its documents: topics.stable_documents
outputs.*             F32 [., W]   W is D, or longer where rows stand side by side
"""

from collections.abc import Mapping

from w2v.files.arrays import rows_in

Shapes = Mapping[str, tuple[str, tuple[int, ...]]]

ATTRIBUTE = "documents.attr."


def due(tensors: Shapes, words: int, width: int) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The types and shapes that the tensors of a model of documents must have, if it has them."""
    if "documents" not in tensors:
        return {}
    rows = rows_in("documents", tensors, 0)
    found: dict[str, tuple[str, tuple[int, ...]]] = {
        "documents": ("F32", (rows, width)),
        "documents.locks": ("F32", (rows,)),
        "documents.numbers": ("I64", (rows,)),
        "documents.offsets": ("I64", (rows + 1,)),
        "documents.bytes": ("U8", tensors.get("documents.bytes", ("", ()))[1][:1]),
    }
    if "topics" in tensors:
        found |= _of_topics(tensors, rows, width)
    for name, nodes in (("outputs.negative", words), ("outputs.hierarchical", max(words - 1, 0))):
        if len(shape := tensors.get(name, ("", ()))[1]) == 2 and shape[1] >= 1:  # longer, where rows stand side by side
            found[name] = ("F32", (nodes, shape[1]))
    found |= {name: (dtype, (rows,)) for name, (dtype, _) in tensors.items() if name.startswith(ATTRIBUTE)}
    return found


def _of_topics(tensors: Shapes, documents: int, width: int) -> dict[str, tuple[str, tuple[int, ...]]]:
    topics, steps = rows_in("topics", tensors, 0), rows_in("topics.pairs", tensors, 0)
    return {
        "topics": ("F32", (topics, width)),
        "topics.areas": ("I32", (documents,)),
        "topics.base": ("I32", (documents,)),
        "topics.pairs": ("I32", (steps, 2)),
        "topics.heights": ("F64", (steps,)),
        "topics.origins": ("I32", (steps + 1,)),
        "topics.stable_words": ("F32", (topics,)),
        "topics.stable_documents": ("F32", (topics,)),
    }

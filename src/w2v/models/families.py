"""Which family of models a file or a run holds, and how to open it, for callers that do not know."""

import os
from typing import Any

from w2v.files import native
from w2v.files.errors import FormatError
from w2v.files.reading import Pathlike
from w2v.models.counted import Counted
from w2v.models.doc2vec import Doc2Vec
from w2v.models.fasttext import FastText
from w2v.models.lsa import LSA
from w2v.models.ppmi import PPMI
from w2v.models.word2vec import Word2Vec
from w2v.training import checkpoint
from w2v.vectors.keyed import KeyedVectors
from w2v.vectors.subwords import KIND, FastTextKeyedVectors

FAMILIES: dict[str, type[Word2Vec]] = {family.kind: family for family in (Word2Vec, Doc2Vec, FastText)}
COUNTED: dict[str, type[Counted]] = {family.kind: family for family in (PPMI, LSA)}


def load_model(path: Pathlike, mmap: bool | str | None = None) -> Any:
    """Read a model of whatever family the file says, one of counts too; see `Word2Vec.load`.

    Raises
    ------
    FormatError
        It is no file of ours, or one of a family that is not known.
    AttributeError
        It holds vectors alone.
    """
    kind = native.inspect_native(path)["kind"]
    if kind == KIND:
        raise AttributeError(f"{os.fspath(path)} holds vectors alone, which cannot be trained")
    if kind in COUNTED:
        return COUNTED[kind].load(path, mmap=mmap)
    if kind not in FAMILIES and kind != "vectors":
        raise FormatError(f"{os.fspath(path)}: a model of the unknown kind {kind!r}")
    return FAMILIES.get(kind, Word2Vec).load(path, mmap=mmap)


def load_vectors(path: Pathlike) -> KeyedVectors:
    """Read the vectors of words of a file of ours, with their n-grams where there are any."""
    found = native.inspect_native(path)
    return (FastTextKeyedVectors if "rows" in found["tensors"] else KeyedVectors).load(path)


def resume(run: Pathlike, *args: Any, **options: Any) -> Word2Vec:
    """Go on with a run of whatever family its checkpoints say; see `Word2Vec.resume`."""
    kinds = checkpoint.kinds_of(run)
    return FAMILIES[kinds[0] if kinds and kinds[0] in FAMILIES else Word2Vec.kind].resume(run, *args, **options)

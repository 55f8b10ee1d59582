"""A folder that model2vec and sentence-transformers load: words, their vectors, and a page about them.

    model.safetensors   "embeddings", float32 [words, vector_size]
    tokenizer.json      text is split at white space; a word is one token; what is not a word is ``[UNK]``
    config.json         for model2vec
    modules.json        for sentence-transformers: a look-up, its mean, and unit length
    README.md           a model card

The row of ``[UNK]`` is the first, and zero, so that an unknown word does not turn the mean of a text: model2vec leaves
such words out, sentence-transformers does not.
"""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v._version import __version__
from w2v.files import arrays
from w2v.files.reading import Pathlike
from w2v.files.writing import atomic_write

UNKNOWN = "[UNK]"
FILES = ("model.safetensors", "tokenizer.json", "config.json", "modules.json", "README.md")


def write(folder: Pathlike, words: Sequence[str], vectors: NDArray[Any], facts: Mapping[str, object]) -> None:
    """Write the folder; each file atomically, and bounded memory for the vectors.

    Parameters
    ----------
    folder : path-like
        Made if need be. What else is in it stays.
    words : sequence of str
    vectors : float32 [words, vector_size]
    facts : mapping
        Rows of the table in the model card.

    Raises
    ------
    ValueError
        A word or a number that the format cannot hold; nothing is written.
    FileExistsError
        There is a file of this name.
    """
    name = os.fspath(folder)
    known = UNKNOWN in words
    names = list(words) if known else [UNKNOWN, *words]
    try:
        tokenizer = _as_json(_tokenizer(names))  # before anything is written: it may be impossible
    except UnicodeEncodeError as error:
        raise ValueError(f"{name}: the word {error.object!r:.60} has a half character, a lone surrogate") from None
    if len(vectors) and (row := arrays.check_finite(vectors)) is not None:
        raise ValueError(f"{name}: row {row:,} holds a NaN or an infinity")
    os.makedirs(folder, exist_ok=True)
    size = vectors.shape[1]
    texts = [tokenizer, _as_json(_config(size)), _as_json(MODULES), _card(len(words), size, facts).encode()]
    first = np.zeros((0 if known else 1, size), np.float32)
    with atomic_write(os.path.join(name, FILES[0])) as file:
        shape = [len(names), size]
        entry = {"dtype": "F32", "shape": shape, "data_offsets": [0, 4 * len(names) * size]}
        file.write(arrays.safetensors_start({"embeddings": entry}) + first.tobytes())
        for block in arrays.row_blocks(vectors, "<f4"):
            file.write(arrays.bytes_of(block))
    for path, text in zip(FILES[1:], texts, strict=True):
        with atomic_write(os.path.join(name, path)) as file:
            file.write(text)


def _as_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"


def _tokenizer(names: Sequence[str]) -> dict[str, object]:
    nothing = dict.fromkeys(("truncation", "padding", "normalizer", "post_processor", "decoder"))
    unknown = {"id": names.index(UNKNOWN), "content": UNKNOWN, "single_word": False, "lstrip": False, "rstrip": False}
    return {
        "version": "1.0",
        **nothing,
        "added_tokens": [{**unknown, "normalized": False, "special": True}],
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "model": {
            "type": "WordLevel",
            "vocab": {word: row for row, word in enumerate(names)},
            "unk_token": UNKNOWN,
        },
    }


def _config(size: int) -> dict[str, object]:
    return {
        "model_type": "model2vec",
        "architectures": ["StaticModel"],
        "hidden_dim": size,
        "seq_length": 1_000_000,
        "normalize": True,
        "embedding_dtype": "float32",
    }


MODULES = [
    {"idx": 0, "name": "0", "path": ".", "type": "sentence_transformers.models.StaticEmbedding"},
    {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"},
]


def _card(words: int, size: int, facts: Mapping[str, object]) -> str:
    rows = {"words": f"{words:,}", "numbers of a vector": f"{size:,}", "made with": f"w2v {__version__}", **facts}
    table = "\n".join(f"| {_cell(key)} | {_cell(value)} |" for key, value in rows.items())
    return f"""---
library_name: model2vec
tags: [embeddings, static-embeddings, sentence-transformers]
---

# Word vectors

A text is split at white space, and its vector is the mean of the vectors of its words, at unit length. Words are
compared letter by letter: write them as in the text that the vectors were trained on.

| | |
|---|---|
{table}

```python
from model2vec import StaticModel

model = StaticModel.from_pretrained("this folder")
model.encode(["a text", "another text"])
```
"""


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")

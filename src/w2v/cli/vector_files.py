"""Files of vectors on the command line: the name tells the format."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from w2v import KeyedVectors, Word2Vec

SUFFIXES = {".safetensors": "native", ".bin": "binary", ".txt": "text", ".vec": "text"}
FORMATS = ("native", "binary", "text")
COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
FILE_HELP = "vectors: .safetensors, .bin, .txt, .vec; all but the first also compressed"


def format_of(path: str) -> str:
    """Return the format that a name tells."""
    name = Path(path)
    packed = name.suffix in COMPRESSED
    form = SUFFIXES.get(Path(name.stem).suffix if packed else name.suffix)
    if form is None or (packed and form == "native"):
        raise ValueError(f"the name of {path!r} does not tell its format; it must end in {', '.join(SUFFIXES)}")
    return form


def load(path: str, form: str | None = None, *, no_header: bool = False) -> "KeyedVectors":
    """Read vectors of any format, or those of a whole model."""
    from w2v import KeyedVectors

    form = form or format_of(path)
    if form == "native":
        return KeyedVectors.load(path)
    return KeyedVectors.load_word2vec_format(path, binary=form == "binary", no_header=no_header)


def save(vectors: "KeyedVectors", path: str, form: str) -> None:
    """Write vectors in a format."""
    if form == "native":
        vectors.save(path)
    else:
        vectors.save_word2vec_format(path, binary=form == "binary")


def load_model(path: str, purpose: str) -> "Word2Vec":
    """Read a whole model; ValueError if a file holds vectors alone, of which `purpose` asks too much."""
    from w2v import Word2Vec

    a_model = f"{purpose} needs a whole model, as w2v train saves one in a .safetensors; {path} is none"
    if format_of(path) != "native":
        raise ValueError(a_model)
    try:
        return Word2Vec.load(path)
    except AttributeError:  # the file holds vectors alone
        raise ValueError(a_model) from None

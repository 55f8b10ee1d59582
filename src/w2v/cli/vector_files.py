"""Files of vectors and models on the command line: the name tells the format, and the file what it holds."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from w2v.files.reading import COMPRESSED

if TYPE_CHECKING:
    from w2v import KeyedVectors, Word2Vec

SUFFIXES = {
    ".safetensors": "native", ".bin": "binary", ".txt": "text", ".vec": "text", ".fifu": "finalfusion",
    ".ftz": "fasttext",
}  # fmt: skip
FORMATS = ("native", "binary", "text", "fasttext", "finalfusion")
FILE_HELP = (
    "vectors: .safetensors, .bin (also fastText's), .txt, .vec, .fifu, .ftz; .bin of word2vec and text also compressed"
)


def format_of(path: str) -> str:
    """Return the format that a name tells."""
    name = Path(path)
    packed = name.suffix in COMPRESSED
    form = SUFFIXES.get(Path(name.stem).suffix if packed else name.suffix)
    if form is None or (packed and form not in ("binary", "text")):
        raise ValueError(f"the name of {path!r} does not tell its format; it must end in {', '.join(SUFFIXES)}")
    return form


def format_in(path: str) -> str:
    """Return the format of a file that is there: a .bin may be word2vec's or fastText's."""
    from w2v.files.fasttext_bin import is_fasttext

    form = format_of(path)
    return "fasttext" if form == "binary" and path.endswith(".bin") and is_fasttext(path) else form


def load(path: str, form: str | None = None, *, no_header: bool = False) -> "KeyedVectors":
    """Read vectors of any format, or those of a whole model; with their n-grams, where there are any."""
    form = form or format_in(path)
    if form == "native":
        from w2v.models.families import load_vectors

        return load_vectors(path)
    from w2v import KeyedVectors, load_facebook_vectors, load_finalfusion

    if form == "fasttext":
        return load_facebook_vectors(path)
    if form == "finalfusion":
        return load_finalfusion(path)
    return KeyedVectors.load_word2vec_format(path, binary=form == "binary", no_header=no_header)


def save(vectors: "KeyedVectors", path: str, form: str) -> None:
    """Write vectors in a format."""
    if path.endswith(".ftz"):
        raise ValueError(f"{path}: quantised files are read, and not written; fastText itself makes them of a .bin")
    from w2v import save_facebook_model, save_finalfusion

    if form == "native":
        vectors.save(path)
    elif form == "fasttext":
        save_facebook_model(vectors, path)
    elif form == "finalfusion":
        save_finalfusion(vectors, path)
    else:
        vectors.save_word2vec_format(path, binary=form == "binary")


def save_model(model: "Word2Vec", path: str, *, vectors_only: bool = False) -> None:
    """Write a whole model, or in a format for vectors what its users want: those of documents, or of n-grams, too."""
    from w2v import Doc2Vec, FastText, save_facebook_model

    form = format_of(path)
    if form == "native" and not vectors_only:
        model.save(path)
    elif form == "fasttext" or (form == "binary" and isinstance(model, FastText)):
        save_facebook_model(model, path)
    elif form in ("binary", "text") and isinstance(model, Doc2Vec):
        model.save_word2vec_format(path, doctag_vec=True, word_vec=False, prefix="", binary=form == "binary")
    else:
        save(model.wv, path, form)


def load_model(path: str, purpose: str) -> Any:
    """Read a whole model of any family, one of counts too.

    ValueError if a file holds vectors alone, of which `purpose` asks too much.
    """
    a_model = f"{purpose} needs a whole model, as w2v train saves one in a .safetensors; {path} is none"
    if format_of(path) != "native":
        raise ValueError(a_model)
    from w2v.models import families

    try:
        return families.load_model(path)
    except AttributeError:  # the file holds vectors alone
        raise ValueError(a_model) from None

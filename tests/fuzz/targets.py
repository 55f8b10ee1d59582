"""The readers, and their only results: something sound, or an error of the documented kind.

A target has seeds, good files and bad ones, and a function that reads any bytes. It returns in a few words what came of
them; whatever it raises breaks the promise. Options that a reader has follow from the bytes themselves, so that a file
alone repeats what happened.
"""

import bz2
import codecs
import contextlib
import functools
import gzip
import io
import lzma
import math
import os
import pickle
import re
import shutil
import struct
import tempfile
import tracemalloc
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import fasttext_bins
import gensim_pickles as gensims
import numpy as np
import pytest
from kmer_twins import LETTERS, OTHERS, sentences_of

from fuzz import mutations
from w2v import (
    CallbackAny2Vec,
    Doc2Vec,
    KeyedVectors,
    Kmers,
    Phrases,
    TaggedDocument,
    TermMap,
    Topics,
    Word2Vec,
    load_facebook_model,
    load_facebook_vectors,
    load_finalfusion,
    load_terms,
    save_facebook_model,
    save_finalfusion,
)
from w2v.bio.tables import read_table
from w2v.cli import c_tools
from w2v.files.errors import FormatError, UnsupportedError
from w2v.files.native import inspect_native, verify_native
from w2v.files.reading import codec_of, open_binary
from w2v.files.word2vec_format import read_word2vec
from w2v.stability import experiments
from w2v.terms import steps
from w2v.text import _text
from w2v.text.kmers import Scheme
from w2v.text.readers import read_sentences
from w2v.tokens import encode
from w2v.topics import clusters, finding
from w2v.topics.agreement import Agreement
from w2v.training.checkpoint import SLOTS


class Target(NamedTuple):
    """What the engines need to know."""

    seeds: Callable[[], list[bytes]]
    run: Callable[[bytes, Path], str]
    tokens: Sequence[bytes] = ()
    mutate: mutations.Mutation = mutations.of_bytes


def attempt(read: Callable[[], Any], *allowed: type[Exception]) -> tuple[Any, str]:
    """What reading gives, and how it went: well, or with an error that is allowed. Warnings are errors."""
    expected = allowed or (FormatError,)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return read(), "read"
    except expected as error:
        return None, f"{type(error).__name__}: {error}"


def written(data: bytes, path: Path) -> Path:
    path.write_bytes(data)
    return path


# --- files of word2vec ------------------------------------------------------------------------------------------

MOST_UNPACKED = 1 << 24
WORD2VEC_ERRORS = (FormatError, UnicodeDecodeError)
ROWS = {"the": [0.5, -1.25, 3], "größe": [1e-3, 2, 1e10], "lake": [0, 0, 1]}
TEXT_TOKENS = [
    b"\n", b" ", b"\r\n", b"\t", b"\0", b"nan", b"inf", b"-inf", b"1e999", b"1e-999", b"-0", b"0x10", b"1_0", b".",
    b"1.5", b"-",
    b"+", b"e5", b"the ", b"\nthe 1 2 3\n", "\u3000".encode(), "\u0085".encode(), b"\xff", b"9" * 30, b"." + b"1" * 40,
    b"a" * 300, b"30000000 100\n", b"1000000000000 100\n", b"2 2147483648\n", b"-1 3\n", b"3 -3\n", b"0 3\n",
]  # fmt: skip


def text_seeds() -> list[bytes]:
    """What gensim, word2vec.c and GloVe write, and the files of which loaders were seen to make nonsense."""
    rows = [f"{word} {' '.join(map(str, values))}" for word, values in ROWS.items()]
    good = ("3 3\n" + "\n".join(rows) + "\n").encode()
    return [
        good, good.replace(b"\n", b" \n"), good.replace(b"\n", b"\r\n"), good[:-1], good[4:], good + b"\n\n",
        good + b"x 1 2 3\n",
        b"2 3\na 1 2 3\nb 0.5\n", b"2 2\na 1 2\na 3 4\n", b"30000000 100\na 1\n", b"1000000000000 100\n",
        b"2 2\na 1 nan\nb inf 1\n",
        b"2 2\n 1 2\nb 1 2\n", b"1 2\nnew york 1 2\n", b"-3 100\na 1 2\n", b"1 1\n" + b"a" * 2000 + b" 1\n", b"",
        b"1 1",
    ]  # fmt: skip


def binary_seeds() -> list[bytes]:
    """The same in float32."""
    rows = [(word.encode(), np.array(values, "<f4").tobytes()) for word, values in ROWS.items()]
    gensim = b"3 3\n" + b"".join(word + b" " + values for word, values in rows)
    c = b"3 3\n" + b"".join(word + b" " + values + b"\n" for word, values in rows)
    nan = b"1 1\na " + np.array([math.nan], "<f4").tobytes()
    return [
        gensim,
        c,
        gensim + b"x",
        gensim[:-1],
        b"30000000 100\na ",
        nan,
        b"1 1\n" + b"a" * 2000,
        b"2 1\na 1234a 1234",
        b"",
    ]


def word2vec_file(data: bytes, folder: Path, binary: bool = False, suffix: str = "") -> str:
    """Read with a large and with a small buffer, which nobody can tell from the result."""
    path, bits = written(data, folder / f"vectors{suffix}"), zlib.crc32(data)
    options: dict[str, Any] = {
        "binary": binary,
        "errors": ["strict", "skip"][bits % 2],
        "no_header": not binary and bits >> 1 & 7 == 0,
        "limit": [None, None, None, None, None, 0, 1, 2][bits >> 4 & 7],
        "dtype": [np.float32, np.float32, np.float16, np.float64][bits >> 7 & 3],
        "unicode_errors": ["strict", "strict", "replace", "ignore"][bits >> 9 & 3],
    }
    allowed = (*WORD2VEC_ERRORS, *(MEMORY if suffix == ".xz" else []))
    found, how = attempt(lambda: read_word2vec(path, **options, block=1 << 16), *allowed)
    block = 1 + (bits >> 11) % 64 + length(path) // 100
    other, other_how = attempt(lambda: read_word2vec(path, **options, block=block), *allowed)
    if suffix and options["limit"] is None:  # how much is unpacked before the first fault, the buffer decides
        assert (found is None) == (other is None), (how, other_how)
    elif not suffix and "UnicodeDecodeError" not in how + other_how:  # that one is told before others of its block
        assert how == other_how
    if found is not None and other is not None:
        assert (found.rows, found.skipped) == (other.rows, other.skipped)
        assert found.vectors.tobytes() == other.vectors.tobytes()
        assert list(found.rows.values()) == list(range(len(found.vectors)))
        assert np.isfinite(found.vectors).all()
        assert "" not in found.rows
        assert not found.skipped or options["errors"] == "skip"
    return how


def length(path: Path) -> int:
    """Bytes of a file's contents, since a file that unpacks to a lot must not be read byte by byte."""
    size = 0
    with contextlib.suppress(Exception), open_binary(path) as file:  # it may be damaged
        while size < MOST_UNPACKED and (data := file.read(1 << 16)):
            size += len(data)
    return size


def zstd() -> Any:
    return codec_of("x.zst")


# A header of .xz may ask for 4 GiB. They are not touched, so that nothing is lost where the address space has no bound.
MEMORY = (MemoryError,)

PACKERS: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    ".gz": (gzip.compress, gzip.decompress),
    ".bz2": (bz2.compress, bz2.decompress),
    ".xz": (lzma.compress, lzma.decompress),
    ".zst": (lambda data: zstd().compress(data), lambda data: zstd().decompress(data)),
}


def suffix_of(data: bytes) -> str:
    """The ending that the first bytes ask for; any, where they are damaged."""
    starts = {b"\x1f\x8b": ".gz", b"BZ": ".bz2", b"\xfd7": ".xz", b"\x28\xb5": ".zst"}
    return starts.get(data[:2]) or list(PACKERS)[zlib.crc32(data) % 4]


def repacked(data: bytes, draw: Any, tokens: Sequence[bytes]) -> bytes:
    return mutations.of_packed(*PACKERS[suffix_of(data)])(data, draw, tokens)


def packed_seeds() -> list[bytes]:
    """The files in every compression, two files in one, and a small file that is large when unpacked."""
    files = text_seeds()[:3] + binary_seeds()[:2]
    bombs = [b"2 2\n" + b"a" * 300_000, b"9999999 1\n" + b"a 1\n" * 5_000]
    doubled = gzip.compress(text_seeds()[0]) * 2
    return [pack(file) for pack, _ in PACKERS.values() for file in files] + [doubled, *map(gzip.compress, bombs)]


def packed_file(data: bytes, folder: Path) -> str:
    suffix = suffix_of(data)
    hows = [word2vec_file(data, folder, binary, suffix) for binary in (False, True)]
    return " | ".join(hows)


# --- native files -----------------------------------------------------------------------------------------------

SENTENCES = [["sun", "moon", "star", "größe", ""], ["moon", "sun", "\ud800"], ["star", "sun", "moon"]] * 3


def files_of(*objects: Any) -> list[bytes]:
    """What each of these saves."""
    files = []
    for saved in objects:
        file = io.BytesIO()
        saved.save(file)
        files.append(file.getvalue())
    return files


def native_seeds() -> list[bytes]:
    """Models of either loss, with locks, and vectors alone with other attributes."""
    models = [
        Word2Vec(SENTENCES, vector_size=3, min_count=1, workers=1, epochs=1, progress=False, seed=1, **options)
        for options in ({}, {"hs": 1, "negative": 0}, {"hs": 1, "sg": 1, "deterministic": True})
    ]
    models[0].wv.vectors_lockf = np.linspace(0, 1, 6, dtype=np.float32)
    vectors = KeyedVectors.from_arrays(["a", "b"], np.ones((2, 3), np.float32), {"x": np.array([1.5, 2])})
    return files_of(*models, vectors, KeyedVectors(3))


def native_file(data: bytes, folder: Path) -> str:
    """Read, map, inspect, verify and use; saved again it is the same."""
    path = written(data, folder / "model.safetensors")
    for look in (inspect_native, verify_native):
        attempt(lambda look=look: look(path))
    vectors, how = attempt(lambda: KeyedVectors.load(path))
    mapped, mapped_how = attempt(lambda: KeyedVectors.load(path, mmap="r"))
    with mock.patch.object(Word2Vec, "build_vocab", side_effect=AssertionError("a file names a corpus")):
        model, model_how = attempt(lambda: Word2Vec.load(path), FormatError, AttributeError)
    if vectors is not None:
        assert mapped is not None, mapped_how
        assert vectors.index_to_key == mapped.index_to_key
        assert vectors.vectors.tobytes() == mapped.vectors.tobytes()
        vectors.save(folder / "again")
        assert KeyedVectors.load(folder / "again").index_to_key == vectors.index_to_key
        ask(vectors)
    if model is not None:
        assert vectors is not None, how
        use(model, folder)
    return f"{how} | {mapped_how} | {model_how}"


def topic_seeds() -> list[bytes]:
    """Topics with a stability, reduced ones, one topic, none, and a model without any."""
    documents = [TaggedDocument(words, [number]) for number, words in enumerate(SENTENCES)]
    settings = {"vector_size": 3, "dm": 0, "dbow_words": 1, "min_count": 1, "epochs": 1, "workers": 1, "seed": 1}
    model = Doc2Vec(documents, **settings)
    units = finding.units_of(model)
    many, one, none = (
        Topics(model, clusters.topics_of(units, np.array(areas, np.int32)), finding.Options())
        for areas in ([0, 1, 2, 0, 1, 2, 3, -1, 3], [0] * 8 + [-1], [-1] * 9)
    )
    many.stability = Agreement(*np.linspace(0, 1, 8, dtype=np.float32).reshape(2, 4), 3, "bootstrap")
    return files_of(many, many.reduce(2), one, none, model)


def topic_file(data: bytes, folder: Path) -> str:
    """Read topics, ask them all that they answer, join them, and save them; read again they are the same."""
    path = written(data, folder / "topics.safetensors")
    found, how = attempt(lambda: Topics.load(path))
    if found is None:
        return how
    count = len(found)
    assert len(found.records(2)) == len(found.names()) == count == len(found.sizes)
    assert found.sizes.sum() == (found.topics >= 0).sum()
    assert found.membership().shape == (len(found.topics), count)
    assert found.noise.shape == found.topics.shape == (len(found.model.dv),)
    assert sorted(leaf for leaves in found.origins for leaf in leaves) == list(range(found.tree.leaves if count else 0))
    if count:
        assert all(np.isfinite([found.topic_distance(0, count - 1), found.document_distance(0, found.tags[0])]))
        assert all(len(found.documents(topic, 2)) <= 2 for topic in range(count))
        fewer = found.reduce(1)
        assert len(fewer) == 1
        assert [sum(map(len, fewer.origins)), fewer.tree.leaves] == [found.tree.leaves] * 2
        assert len(found.merge(range(count))) == 1
    if max(found.model.epochs, found.model.vector_size, found.model.workers) <= 64:
        attempt(lambda: found.transform([[word] for word in found.model.wv.index_to_key[:1]]), ValueError, RuntimeError)
    found.save(folder / "again")
    again = Topics.load(folder / "again")
    assert again.vectors.tobytes() == found.vectors.tobytes()
    assert again.topics.tolist() == found.topics.tolist()
    assert again.origins == found.origins
    return how


def fasttext_seeds() -> list[bytes]:
    """Dense, quantised, pruned and old files, and one of no n-grams."""
    no_ngrams = fasttext_bins.start(bucket=0, min_n=4) + 2 * fasttext_bins.matrix(np.ones((3, 3), np.float32))
    old = fasttext_bins.of_version(fasttext_bins.dense(), 0)
    return [fasttext_bins.dense(), fasttext_bins.quantised(), fasttext_bins.pruned(), no_ngrams, old]


def fasttext_file(data: bytes, folder: Path) -> str:
    """Read vectors and a model, ask for any string, and write the model; what is written is read as the same."""
    path = written(data, folder / "model.bin")
    vectors, how = attempt(lambda: load_facebook_vectors(path))
    model, model_how = attempt(lambda: load_facebook_model(path), ValueError)
    if vectors is not None:
        assert vectors["anything" if vectors.bucket else vectors.index_to_key[0]].shape == (vectors.vector_size,)
        assert len(vectors.vectors) == len(vectors)
    if model is not None:
        assert vectors is not None, how
        assert model.wv.vectors.tobytes() == vectors.vectors.tobytes()
        _, told = attempt(lambda: save_facebook_model(model, folder / "again.bin"), ValueError)
        if told == "read":
            again = load_facebook_model(folder / "again.bin")
            assert again.wv.vectors.tobytes() == model.wv.vectors.tobytes()
    return f"{how} | {model_how}"


def finalfusion_seeds() -> list[bytes]:
    """A file without norms, and one of ours with them."""
    plain = b"FiFu" + struct.pack("<IIII", 0, 2, 1, 2) + struct.pack("<IQQ", 1, 27, 3)
    plain += b"".join(struct.pack("<I", len(word)) + word for word in (b"the", b"lake", b""))
    padding = bytes(4 - (len(plain) + 28) % 4)
    plain += struct.pack("<IQQII", 2, 16 + len(padding) + 24, 3, 2, 10) + padding + np.ones((3, 2), "<f4").tobytes()
    with tempfile.TemporaryDirectory() as folder:
        save_finalfusion(KeyedVectors.from_arrays(["größe", "a"], np.eye(2, 3, dtype=np.float32)), f"{folder}/f")
        return [plain, Path(folder, "f").read_bytes()]


def finalfusion_file(data: bytes, folder: Path) -> str:
    """Read, ask, and write; what is written is read as the same words."""
    path = written(data, folder / "vectors.fifu")
    vectors, how = attempt(lambda: load_finalfusion(path), FormatError, UnsupportedError)
    if vectors is not None:
        assert np.isfinite(vectors.vectors).all()
        _, told = attempt(lambda: save_finalfusion(vectors, folder / "again.fifu"), ValueError)
        if told == "read":
            assert load_finalfusion(folder / "again.fifu").index_to_key == vectors.index_to_key
    return how


def ask(vectors: KeyedVectors) -> None:
    """One question; a zero vector has no neighbours, which is a ValueError."""
    for word in vectors.index_to_key[:1]:
        assert len(vectors.most_similar([word], topn=2)) <= 2


def use(model: Word2Vec, folder: Path) -> None:
    """Train on, if that is little work, and save; settings that cannot be trained with are told then, in words."""
    ask(model.wv)
    small = max(model.window, model.negative, model.workers, model.vector_size, *model.round_shape) <= 64
    if small and len(model.wv) > 1:
        attempt(lambda: model.train([model.wv.index_to_key], total_examples=1, epochs=1), ValueError, RuntimeError)
    model.save(folder / "again")
    Word2Vec.load(folder / "again")


# --- headers of any size ----------------------------------------------------------------------------------------

MOST_HEADER = 12 << 20
MOST_MEMORY = 100_000_000
HEADER_TOKENS = [
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b":",
    b'"',
    b"#",
    b"\0",
    b"0.5",
    b"null",
    b'"#":0,',
    b"\\",
    b"\xf0\x9f\x98\x80",
]


def header_seeds() -> list[bytes]:
    """A header's beginning, its repeated part, with # for the number of the repetition, and its end."""
    return [
        *(b'{"a":[\0[],\0[]]}', b'{"a":[\0{"":0},\0{}]}', b'{\0"#":0,\0"":0}', b'{"a":[\x000.5,\x000]}', b"[\0[\0"),
        b'{"__metadata__":{"w2v":"{\\"a\\":[\0{\\"#\\":0},\0{}]}"}}',
        b'{"__metadata__":{"w2v":"{\\"format\\":1,\\"meta\\":{\0\\"#\\":[],\0\\"a\\":0}}"}}',
        b'{"__metadata__":{"w2v":"\0\xf0\x9f\x98\x80\0"}}',
        b'{\0"#":{"dtype":"F32","shape":[0,1],"data_offsets":[0,0]},\0"__metadata__":{}}',
    ]


def header_file(data: bytes, folder: Path) -> str:
    """A header of up to some megabytes, for which no more memory is taken than a small multiple of that."""
    begin, again, end, *_ = *data.split(b"\0"), b"", b""
    times = min(1 << zlib.crc32(data) % 22, MOST_HEADER // max(1, 2 * len(again)))
    if b"#" in again:
        middle = b"".join(again.replace(b"#", b"%d" % number) for number in range(min(times, 1 << 18)))
    else:
        middle = again * times
    text = begin + middle + end
    path = written(len(text).to_bytes(8, "little") + text, folder / "model.safetensors")
    tracemalloc.start()
    try:
        _, how = attempt(lambda: inspect_native(path))
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()
    return how


# --- folders of strangers ---------------------------------------------------------------------------------------

NAMES = [
    *SLOTS, "lock", ".w2v-checkpoint-0.safetensors-0.tmp", ".w2v-checkpoint-1.safetensors-0.tmp", "records.json",
    "a.safetensors",
]  # fmt: skip
KINDS = ["none", "sound", "damaged", "link", "nowhere", "outside", "hard", "read", "folder", "fifo"]


class _Copies(CallbackAny2Vec):
    """Keeps the contents of a folder at the beginning of the second epoch."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.files = folder, list[bytes]()

    def on_epoch_begin(self, model: Word2Vec) -> None:
        self.files = [path.read_bytes() for path in sorted(self.folder.glob("*.safetensors"))]


@functools.cache
def two_generations() -> list[bytes]:
    """The checkpoints of a run that has not ended."""
    with tempfile.TemporaryDirectory() as folder:
        copies = _Copies(Path(folder) / "run")
        Word2Vec(SENTENCES, **RUN, callbacks=[copies], checkpoint=copies.folder, checkpoint_every=1)
    return copies.files


RUN: dict[str, Any] = {"vector_size": 3, "min_count": 1, "workers": 1, "epochs": 2, "progress": False}


def tree_seeds() -> list[bytes]:
    """A kind for each name, one of them odd in a sound run, followed by the damaged content."""
    recipes = [bytes([kind]) * len(NAMES) for kind in range(len(KINDS))]
    for place in range(len(NAMES)):
        for kind in range(len(KINDS)):
            recipe = bytearray([1, 1] + [0] * (len(NAMES) - 2))
            recipe[place] = kind
            recipes.append(bytes(recipe))
    return [recipe + two_generations()[0] for recipe in recipes]


def replanted(data: bytes, draw: Any, tokens: Sequence[bytes]) -> bytes:
    """Other kinds of files, or another content."""
    recipe, content = bytearray(data[: len(NAMES)].ljust(len(NAMES), b"\0")), data[len(NAMES) :]
    for _ in range(draw.choice([1, 1, 2, 3])):
        recipe[draw.randrange(len(NAMES))] = draw.randrange(len(KINDS))
    return bytes(recipe) + (mutations.of_native(content, draw, tokens) if draw.randrange(2) else content)


def tree(data: bytes, folder: Path) -> str:
    """Resume, begin and measure in a folder full of links: nothing outside of it changes."""
    run, home = folder / "run", folder / "home"
    for place in (run, home):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
    (home / "precious").write_bytes(b"precious")
    (home / "precious").chmod(0o604)
    (home / "model").write_bytes(two_generations()[1])
    for name, byte in zip(NAMES, data, strict=False):
        match KINDS[byte % len(KINDS)]:
            case "sound":
                (run / name).write_bytes(two_generations()[SLOTS.index(name)] if name in SLOTS else b"")
            case "damaged":
                (run / name).write_bytes(data[len(NAMES) :])
            case "hard":
                (run / name).hardlink_to(home / "precious")
            case "folder":
                (run / name).mkdir()
            case "fifo":
                os.mkfifo(run / name)
            case "link" | "nowhere" | "outside" | "read" as kind:
                ends = {"link": "precious", "nowhere": "new", "outside": "", "read": "model"}
                (run / name).symlink_to(home / ends[kind])
    before = outside(home)
    hows = [
        attempt(lambda: Word2Vec.resume(run, SENTENCES, progress=False), ValueError, OSError)[1],
        attempt(lambda: Word2Vec(SENTENCES, **RUN, checkpoint=run), ValueError, OSError)[1],
        attempt(lambda: experiments.collect(made_run, {"a": {"x": 1}}, run, progress=False), ValueError, OSError)[1],
    ]
    assert outside(home) == before
    return " | ".join(hows)


def outside(home: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mode) for path in home.iterdir()}


# --- gensim's files ---------------------------------------------------------------------------------------------

PICKLE_TOKENS = [
    *(bytes([code]) for code in b"tRb)(\x85\x86\x93\x81s0ueNK.]}2q\x00h\x00"), b"\x94", b"K\x01", b"\x8c\x02wv",
    b"\x8c\x01x",
    b"\x8a\x08" + b"\x7f" * 8, b"X\x03\0\0\0sun", b"\x95" + b"\xff" * 8, b"cgensim.models.word2vec\nWord2Vec\n",
    b"ccopy\ncopy\n",
    b"cnumpy\ndtype\n", b"cnumpy.core.multiarray\n_reconstruct\n", b"\x8e" + b"\xff" * 8, b"r\xff\xff\xff\x7f",
    b"\x80\x02",
]  # fmt: skip


def gensim_seeds() -> list[bytes]:
    """Every layout of gensim's in several protocols, and small hostile pickles."""
    with pytest.MonkeyPatch.context() as patch:
        fakes = gensims.Fakes(patch)
        made = [(layout(fakes), protocol) for layout in gensims.LAYOUTS.values() for protocol in (2, 4)]
        made += [(layout(fakes), 4) for layout in gensims.DOCUMENT_LAYOUTS.values()]
        made += [(gensims.vectors_4(fakes), protocol) for protocol in (2, 3, 5)]
        for one, _ in made:
            one.__dict__.pop("random", None)  # its long state would take most of the hits
        files = [pickle.dumps(one, protocol) for one, protocol in made]
    return files + [hostile for hostile in gensims.HOSTILE.values() if len(hostile) < 1000]


def gensim_file(data: bytes, folder: Path) -> str:
    return gensim_model(written(data, folder / "m.model"), folder)


def gensim_model(path: Path, folder: Path) -> str:
    vectors, how = attempt(lambda: KeyedVectors.load(path, allow_pickle=True))
    model, model_how = attempt(lambda: Word2Vec.load(path, allow_pickle=True), FormatError, AttributeError)
    documents, documents_how = attempt(lambda: Doc2Vec.load(path, allow_pickle=True), FormatError, AttributeError)
    if vectors is not None:
        ask(vectors)
    if model is not None:
        use(model, folder)
    if documents is not None:
        documents.save(folder / "documents.safetensors")
    return f"{how} | {model_how} | {documents_how}"


def spread_model(folder: Path, name: str, write: Callable[..., Any], ending: str) -> Path:
    """A model whose vectors lie beside it; returns where they are."""
    path, beside = folder / name, folder / f"{name}.vectors.{ending}"
    with pytest.MonkeyPatch.context() as patch:
        made = gensims.spread(gensims.vectors_4(gensims.Fakes(patch)), path, ["vectors"], write, ending)
        content = pickle.dumps(made)
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return beside


def packed_array(path: str, array: Any) -> None:
    np.savez_compressed(path, val=array)


def array_seeds() -> list[bytes]:
    """Arrays of several types and orders."""
    made = []
    for array in (gensims.matrix(), np.asfortranarray(gensims.matrix()), gensims.matrix().astype(">f8"), np.arange(12)):
        file = io.BytesIO()
        np.save(file, array)
        made.append(file.getvalue())
    return made


def array_file(data: bytes, folder: Path) -> str:
    beside = folder / "m.model.vectors.npy"
    if not beside.exists():
        spread_model(folder, "m.model", np.save, "npy")
    written(data, beside)
    attempt(lambda: KeyedVectors.load(folder / "m.model", mmap="r", allow_pickle=True))
    return gensim_model(folder / "m.model", folder)


def archive_seeds() -> list[bytes]:
    file = io.BytesIO()
    np.savez_compressed(file, val=gensims.matrix())
    plain = io.BytesIO()
    np.savez(plain, val=gensims.matrix(), other=np.arange(3))
    return [file.getvalue(), plain.getvalue()]


def archive_file(data: bytes, folder: Path) -> str:
    beside = folder / "m.model.gz.vectors.npz"
    if not beside.exists():
        spread_model(folder, "m.model.gz", packed_array, "npz")
    written(data, beside)
    return gensim_model(folder / "m.model.gz", folder)


# --- vocabularies, questions, records ---------------------------------------------------------------------------

COUNT_TOKENS = [
    b"\n",
    b" ",
    b" 1\n",
    b"the ",
    b"-1",
    b"1.5",
    b"9" * 18,
    b"9" * 19,
    b"\xff",
    b"\r\n",
    "\u0663".encode(),
    b"</s> 3\n",
]


def count_seeds() -> list[bytes]:
    return [
        "the 40\ngröße 21\nlake 10\n".encode(),
        b"</s> 0\nthe 9223372036854775807\n",
        b"the 999999999999999999\n" * 2,
        b"",
    ]


def count_file(data: bytes, folder: Path) -> str:
    """A vocabulary beside vectors, and one for the command line of word2vec.c."""
    path, vectors, text = written(data, folder / "counts"), folder / "vectors", folder / "text"
    if not vectors.exists():
        vectors.write_bytes(text_seeds()[0])
        text.write_text("the lake the\n")
    loaded, how = attempt(
        lambda: KeyedVectors.load_word2vec_format(vectors, fvocab=path, errors=["strict", "skip"][len(data) % 2]),
        *WORD2VEC_ERRORS,
    )
    if loaded is not None:
        assert (loaded.expandos["count"] >= 0).all()
    arguments = ["-train", text, "-read-vocab", path, "-save-vocab", folder / "out", "-debug", "0", "-min-count", "1"]
    _, other = attempt(lambda: c_tools.word2vec(list(map(str, arguments))), ValueError, RuntimeError)
    return f"{how} | {other}"


QUESTION_TOKENS = [
    b": x\n",
    b":",
    b"EXIT",
    b"the lake the lake\n",
    b"\n",
    b"\t",
    b"nan",
    b"the\tlake\t1.5\n",
    b"#",
    b"\xff",
    b"\r",
    b"inf",
]


def question_seeds() -> list[bytes]:
    pairs = "the\tlake\t1.5\ngröße\tlake\t2\nthe\tgröße\t-1\n# x\nx\ty\t3\n"
    return [
        ": x\nthe lake größe the\nlake the the größe\n: y\nx y z the\n".encode(),
        pairs.encode(),
        b"a b c d\n",
        b": x\n",
        b"",
    ]


def question_file(data: bytes, folder: Path) -> str:
    path, vectors = written(data, folder / "questions"), folder / "vectors.txt"
    if not vectors.exists():
        vectors.write_bytes(text_seeds()[0])
    known, dummy = KeyedVectors.load_word2vec_format(vectors), bool(len(data) % 2)
    similarity = ["most_similar", "most_similar_cosmul"][len(data) % 2]
    _, analogies = attempt(
        lambda: known.evaluate_word_analogies(path, dummy4unknown=dummy, similarity_function=similarity), ValueError
    )
    _, pairs = attempt(lambda: known.evaluate_word_pairs(path, dummy4unknown=dummy), ValueError)
    with contextlib.redirect_stdout(io.StringIO()):
        _, c = attempt(lambda: c_tools.compute_accuracy([str(vectors), "-questions", str(path)]), ValueError)
    return f"{analogies} | {pairs} | {c}"


def record_seeds() -> list[bytes]:
    """The record of an experiment that is done."""
    with tempfile.TemporaryDirectory() as folder:
        experiments.collect(made_run, {"a": {"x": 1}, "b": {"x": 2}}, folder=folder, progress=False)
        return [(Path(folder) / experiments.RECORDS).read_bytes(), b'{"settings": {}, "runs": {}}', b"[" * 9000]


def made_run(x: int) -> KeyedVectors:
    return KeyedVectors.from_arrays(["a", "b"], np.full((2, 2), x, np.float32))


def record_file(data: bytes, folder: Path) -> str:
    written(data, folder / experiments.RECORDS)
    _, how = attempt(
        lambda: experiments.collect(made_run, {"a": {"x": 1}, "b": {"x": 2}}, folder=folder, progress=False), ValueError
    )
    for left in folder.glob("*.safetensors"):
        if len(data) % 2:
            left.unlink()
    return how


# --- text -------------------------------------------------------------------------------------------------------

SPACES = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000"
LOOK_ALIKES = "\u200b\ufeff\u1681\u2027\u3001\x1b!\x84\x86\u180e"
SPACE_TOKENS = [character.encode() for character in SPACES + LOOK_ALIKES] + [
    b"\xe2\x80", b"\xe3\x80", b"\xc2", b"\xf0\x9f\x98", "\U0001f600".encode(), b"\xed\xa0\x80", b"\xc0\x80",
    b"\xf4\x90\x80\x80", b"\0",
    b"a" * 63, b"a" * 64, b"abcdefgh", b"abcdefghi",
]  # fmt: skip
LONGEST = 70  # bytes of a word, here


def corpus_seeds() -> list[bytes]:
    """Blanks of every width at every place of a step of 64 bytes, and bytes that are not text."""
    text = "the lake, the boat\n\nthe größe\r\n" * 3
    steps = [
        "x" * n + blank + "y"
        for n in (0, 1, 7, 8, 60, 61, 62, 63, 64)
        for blank in ("\u3000", "\xa0", "\n", "\U0001f600")
    ]
    return [
        codecs.BOM_UTF8 + b"lake \xef\xbb\xbfboat",
        text.encode(),
        SPACES.encode(),
        *(step.encode() for step in steps),
        b"a\xffb",
        b"\xe3\x80",
        b"a" * 200,
        b"",
        b"\n",
    ]


class Words(NamedTuple):
    """What a text holds, found slowly."""

    lines: list[list[str]]
    not_utf8: int | None  # the first byte that is not
    too_long: int | None  # the first word before it that is


def slow_words(data: bytes) -> Words:
    """The slow twin of the tokenizer."""
    try:
        text, not_utf8 = data.decode(), None
    except UnicodeDecodeError as error:
        text, not_utf8 = data[: error.start].decode(), error.start
    at, too_long = 0, None
    for word in re.split(r"(\s)", text):
        if len(word.encode()) > LONGEST and too_long is None:
            too_long = at
        at += len(word.encode())
    return Words([line.split() for line in text.split("\n")], not_utf8, too_long)


def slow_cut(data: bytes) -> int:
    """The slow twin of `cut_between_words`: behind the last white space."""
    for end in range(len(data), 0, -1):
        for size in (1, 2, 3):
            with contextlib.suppress(UnicodeDecodeError):
                if end >= size and len(character := data[end - size : end].decode()) == 1 and character.isspace():
                    return end
    return 0


def tokenizer(data: bytes, folder: Path) -> str:
    """The tokenizer of text in C beside its slow twin."""
    assert _text.cut_between_words(data) == slow_cut(data)
    table, slow = _text.WordTable(), slow_words(data)
    tokens, ends, not_utf8, too_long = table.tokenize(data, LONGEST)
    if not_utf8 >= 0 or too_long >= 0:
        assert (not_utf8 < 0) != (too_long < 0)
        assert (not_utf8 if not_utf8 >= 0 else too_long) == (slow.not_utf8 if not_utf8 >= 0 else slow.too_long)
        return "not UTF-8" if not_utf8 >= 0 else "a long word"
    assert slow.not_utf8 is None
    assert slow.too_long is None
    words = [word for line in slow.lines for word in line]
    numbers = {word: number for number, word in enumerate(dict.fromkeys(words))}
    assert tokens.tolist() == [numbers[word] for word in words]
    assert ends.tolist() == np.cumsum([len(line) for line in slow.lines])[:-1].tolist()
    assert table.words(np.arange(len(table))) == list(numbers)
    assert table.counts().tolist() == list(Counter(words).values())
    assert table.numbers([*numbers, "absent" * 20, "\ud800"]).tolist() == [*numbers.values(), -1, -1]
    other = _text.WordTable()
    other.tokenize(b"lake sun", LONGEST)
    merged = other.merge(table, 0)
    assert other.words(merged) == list(numbers)
    return "words"


def corpus_file(data: bytes, folder: Path, suffix: str = "") -> str:
    """A file in blocks of any size by one to three threads, and the same in Python."""
    path, bits = written(data, folder / f"text{suffix}"), zlib.crc32(data)
    allowed = (ValueError, *([OSError] if suffix else []), *(MEMORY if suffix == ".xz" else []))
    block, threads = 1 + bits % LONGEST, 1 + (bits >> 8) % 3
    if length(path) > mutations.MOST_BYTES:
        return "too long to be read a few bytes at a time"
    with (
        mock.patch("w2v.text.readers.BLOCK", block),
        mock.patch("w2v.text.readers.LONGEST_WORD", LONGEST),
        mock.patch("w2v.text.units.LONGEST_WORD", LONGEST),
    ):
        scan, how = attempt(lambda: encode.Scan(path, True, threads=threads), *allowed)
        read, other_how = attempt(lambda: list(read_sentences(path)), *allowed)
    assert (scan is None) == (read is None), (how, other_how)
    if suffix:
        try:
            data = PACKERS[suffix][1](data)
        except Exception:
            return how  # whether it is damaged is for the package to say: some is behind the end
    mark = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0  # at the beginning of a file it is no letter
    slow = slow_words(data[mark:])
    if scan is None:
        assert slow.not_utf8 is not None or slow.too_long is not None or suffix
        if how.startswith("UnicodeDecodeError"):
            assert f"at byte {slow.not_utf8 + mark:,} of" in how
        return how
    sentences = [line for line in slow.lines if line]
    assert (slow.not_utf8, slow.too_long) == (None, None)
    assert read == sentences
    assert (scan.sentences, scan.text_words) == (len(sentences), sum(map(len, sentences)))
    words = Counter(word for line in sentences for word in line)
    assert (scan.words(), scan.counts.tolist()) == (list(words), list(words.values()))
    return "words"


def packed_corpus_seeds() -> list[bytes]:
    return [pack(seed) for pack, _ in PACKERS.values() for seed in corpus_seeds()[:4]]


# --- sequences --------------------------------------------------------------------------------------------------

FASTA_TOKENS = [
    b">", b"@", b"+", b"\n>", b"\n", b"\r\n", b"\r", b"\n\n\n\n", b"N", b"n", b"*", b"-", b".", b"X", b"U", b"\0",
    b"\xff", b"ACGT", b"acgt", b" ", b"\xef\xbb\xbf", b"\xff\xfe",
]  # fmt: skip
SCHEMES = [
    Scheme(k=3),
    Scheme(k=2, k_max=4, strand="random", masked="split", max_sentence_length=5),
    Scheme(k=3, frames="shifted", strand="both", ambiguous="skip", max_sentence_length=2),
    Scheme(k=1, k_max=3, strand="canonical", ambiguous="keep", gaps="keep", masked="skip"),
    Scheme(k=2, k_max=2, alphabet="protein", frames="shifted", ambiguous="keep", stops="keep", gaps="split"),
]


def fasta_seeds() -> list[bytes]:
    """FASTA and FASTQ as they should be, and not quite."""
    fasta = b">r1 some\nACGTNacgt-AC\nGTT*ACG\n>r2\r\nACGTACGGT\r\n\r\n>r3\nA\n"
    fastq = b"@r1\nACGTN\n+\nII>@+\n@r2 x\nacgta\n+r2\nIIIII\n"
    return [
        fasta, fasta[:-1], b"\n\n" + fasta, b"\xef\xbb\xbf" + fasta, b"ACGT\n" + fasta, fasta.replace(b"\n", b"\r"),
        b">a\n>b\nAC\n", b">a\n\n", b">a", b"", b">a\nAC\0GT\n", b">" + b"x" * 500 + b"\nACGT\n",
        b">a\n" + b"ACGTT" * 60, fastq, fastq[:-1], fastq + b"\n\n\n\n", fastq[:-4], b"@x\n\n+\n\n",
        fastq.replace(b"+", b"-"), b"@x\nACGT\n+\nIII\n", b"@x\nAC\nGT\nA\n+x\n@I\n+II\n@y\nA\n+\n@\n",
        b"@x\n+\n" + fastq, b"@x\nAC\r\nG\r\n+\r\nI\r\n@+\r\n\r\n",
    ]  # fmt: skip


def slow_records(data: bytes) -> list[bytes] | None:
    """The sequences of a file, as they stand there; None if its form is wrong."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        return None
    text = data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    found: list[bytes] = []
    headers: list[bytes] = []
    if text[:1] == b">":
        for line in text.split(b"\n"):
            if line[:1] == b">":
                headers.append(line[1:])
                found.append(b"")
            else:
                found[-1] += line + b"\n"
    elif text[:1] == b"@":
        lines = text.rstrip(b"\r\n").split(b"\n")
        while lines:
            name = lines.pop(0)
            pluses = [at for at, line in enumerate(lines) if line[:1] == b"+"]
            if name[:1] != b"@" or not pluses:
                return None
            letters, lines = lines[: pluses[0]], lines[pluses[0] + 1 :]
            due, qualities = sum(len(line.rstrip(b"\r")) for line in letters), 0
            if letters and not due and lines:
                qualities = len(lines.pop(0).rstrip(b"\r"))
            while qualities < due and lines:
                qualities += len(lines.pop(0).rstrip(b"\r"))
            if qualities != due or any(line[:1] == b"@" for line in letters):
                return None
            headers.append(name[1:])
            found.append(b"\n".join(letters))
    broken = not found or any(b"\r" in header.removesuffix(b"\r") for header in headers)
    return None if broken else found


def letters_are_sound(sequence: bytes, scheme: Scheme) -> bool:
    """Whether all are letters of the alphabet, and one at least is neither white space nor a gap that is skipped."""
    letters = LETTERS[scheme.alphabet] + OTHERS[scheme.alphabet]
    known = (letters + letters.lower() + "*-.").encode()
    residues = sequence.translate(None, b" \t\r\n\v\f")
    counted = residues.translate(None, b"-." if scheme.gaps == "skip" else b"")
    return not residues.translate(None, known) and bool(counted)


def fasta_file(data: bytes, folder: Path, suffix: str = "") -> str:
    """A file of sequences in blocks of any size, by one to three readers, beside the slow twin."""
    path, bits = written(data, folder / f"sequences{suffix}"), zlib.crc32(data)
    if length(path) > mutations.MOST_BYTES:
        return "too long to be read a few bytes at a time"
    scheme, block, threads = SCHEMES[bits % len(SCHEMES)], 1 + (bits >> 4) % 70, 1 + (bits >> 12) % 3
    source = Kmers(path, **scheme._asdict())
    with mock.patch("w2v.text.sequences.BLOCK", block):
        scan, how = attempt(
            lambda: encode.Scan(source, False, threads=threads), FormatError, *(MEMORY if suffix == ".xz" else [])
        )
    if suffix:
        try:
            data = PACKERS[suffix][1](data)
        except Exception:
            return how
    records = slow_records(data)
    sound = records is not None and all(letters_are_sound(record, scheme) for record in records)
    assert (scan is not None) == sound or suffix, (how, records)
    if scan is None or records is None:
        return how
    expected = [words for _, words in sentences_of([record.decode() for record in records], scheme)]
    counts = Counter(word for words in expected for word in words)
    assert (scan.words(), scan.counts.tolist()) == (list(counts), list(counts.values()))
    assert scan.sentences == len(expected)
    return "k-mers"


def packed_fasta_seeds() -> list[bytes]:
    return [pack(seed) for pack, _ in PACKERS.values() for seed in fasta_seeds()[:3]]


def vector_table(data: bytes, folder: Path) -> str:
    """A table of vectors of k-mers, as ProtVec was published."""
    found, how = attempt(lambda: read_table(str(written(data, folder / "table.csv"))))
    if found is not None:
        words, vectors = found
        assert len(set(words)) == len(words) == len(vectors)
        assert np.isfinite(vectors).all()
    return how


TABLE_SEEDS = [
    b'"AAA\t-0.1\t2"\n"AAC\t1e-3\t4"\n', b"words\td1\nAAA\t1\nAAC\t2", b"AAA\t1\nAAA\t2\n", b"AAA\tnan\n", b"\xff\t1\n",
    b"",
]  # fmt: skip


# --- terms ------------------------------------------------------------------------------------------------------

TERM_TOKENS = [
    b"[", b"]", b"{", b"}", b'"', b"null", b"-1", b"1e999", b"NaN", b'"kind"', b'"entries"', b'"passes"', b'"counts"',
    b'"links"', b'"spelt"', b'"threshold"', b'"scoring"', b'"mode"', b'"best"', b"9007199254740993", b"\\ud800",
]  # fmt: skip


def term_seeds() -> list[bytes]:
    """Live phrases, in several passes and with connectors, frozen ones, and a dictionary."""
    text = [["king", "of", "spain", "met", "new", "york", "city"], ["new", "york", "is", "big"]] * 4
    live = Phrases(text, min_count=1, threshold=0.1, connector_words={"of"}, max_length=3)
    terms = TermMap({"heart attack": "MI", "Mi": "MI", "größe": "size"}, ignore_case=True, ignore_punctuation=True)
    best = Phrases(text, min_count=1, threshold=0.1, scoring="npmi", mode="best").freeze()
    return [steps.dumps([step]) for step in (live, live.freeze(), best, terms)] + [steps.dumps([terms, best])]


def term_file(data: bytes, folder: Path) -> str:
    """A file of terms, which then join, span, count on and are written again."""
    path = written(data, folder / "terms.json")
    found, how = attempt(lambda: load_terms(path))
    if found is None:
        return how
    sentence = ["king", "of", "spain", "Heart", "attack,", "new", "york", "\ud800", ""]
    joined, spans = found.joined(sentence), found.spans(sentence)
    assert joined == [span.word for span in spans]
    assert [(0, *(span.end for span in spans[:-1])), len(sentence)] == [
        tuple(span.begin for span in spans),
        spans[-1].end,
    ]
    assert list(found[[sentence]]) == [joined]
    if isinstance(found, Phrases):
        found.add_vocab([["new", "york"]])
    again = steps.loads(steps.dumps([found]), "again")[0]
    assert again.joined(sentence) == found.joined(sentence)
    return type(found).__name__


# --- all --------------------------------------------------------------------------------------------------------

TARGETS = {
    "word2vec-text": Target(text_seeds, word2vec_file, TEXT_TOKENS),
    "word2vec-binary": Target(binary_seeds, lambda data, folder: word2vec_file(data, folder, binary=True), TEXT_TOKENS),
    "word2vec-packed": Target(packed_seeds, packed_file, TEXT_TOKENS, repacked),
    "native": Target(native_seeds, native_file, (), mutations.of_native),
    "topics": Target(topic_seeds, topic_file, (), mutations.of_native),
    "fasttext": Target(fasttext_seeds, fasttext_file, [b"</s>\0", b"\0", b"\xff\xff\xff\xff", b"\0\0\xc0\x7f"]),
    "finalfusion": Target(finalfusion_seeds, finalfusion_file, [b"FiFu", b"\x0a\0\0\0", b"\xff\xff\xff\xff"]),
    "headers": Target(header_seeds, header_file, HEADER_TOKENS),
    "trees": Target(tree_seeds, tree, (), replanted),
    "gensim": Target(gensim_seeds, gensim_file, PICKLE_TOKENS),
    "gensim-npy": Target(array_seeds, array_file, [b"<f8", b"|O8", b"(4, 3)", b"(3, 4)", b"True", b"}", b"\n", b"f16"]),
    "gensim-npz": Target(archive_seeds, archive_file, [b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"val.npy"]),
    "counts": Target(count_seeds, count_file, COUNT_TOKENS),
    "questions": Target(question_seeds, question_file, QUESTION_TOKENS),
    "records": Target(
        record_seeds, record_file, [b"[", b"{", b"]", b"}", b'"', b"null", b"1e999", b"settings", b"runs", b"arguments"]
    ),
    "terms": Target(term_seeds, term_file, TERM_TOKENS),
    "corpus": Target(corpus_seeds, corpus_file, SPACE_TOKENS),
    "corpus-packed": Target(
        packed_corpus_seeds, lambda data, folder: corpus_file(data, folder, suffix_of(data)), SPACE_TOKENS, repacked
    ),
    "tokenizer": Target(corpus_seeds, tokenizer, SPACE_TOKENS),
    "fasta": Target(fasta_seeds, fasta_file, FASTA_TOKENS),
    "fasta-packed": Target(
        packed_fasta_seeds, lambda data, folder: fasta_file(data, folder, suffix_of(data)), FASTA_TOKENS, repacked
    ),
    "vector-table": Target(lambda: TABLE_SEEDS, vector_table, [b"\t", b"\n", b'"', b"nan", b"1e999", b"\xff", b"AAA"]),
}

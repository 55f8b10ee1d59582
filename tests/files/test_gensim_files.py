"""gensim's files are read as data: its layouts without gensim, real files where it is installed, and hostile ones."""

import bz2
import gzip
import heapq
import io
import logging
import os
import pickle
import random
import struct
import sys
import tracemalloc
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from gensim_pickles import (
    COUNTS,
    FAKES,
    HOSTILE,
    LAYOUTS,
    SETTINGS,
    STATE,
    WORDS,
    Fakes,
    dump,
    matrix,
    model_1,
    model_4,
    old_vocab,
    spread,
    vectors_4,
)

from w2v.files.errors import FormatError, TruncatedError
from w2v.files.gensim_pickle import GensimFile, is_pickle, read_gensim
from w2v.models.model_file import inner_nodes
from w2v.vocabulary import huffman


@pytest.fixture
def fakes(monkeypatch):
    return Fakes(monkeypatch)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_model_is_the_same_in_every_layout_and_protocol(fakes, tmp_path, layout, protocol):
    read = read_gensim(dump(LAYOUTS[layout](fakes), tmp_path / "m.model", protocol))
    assert (read.kind, read.words) == ("word2vec", WORDS)
    assert read.vectors.tobytes() == matrix().tobytes()
    assert read.syn1neg.tobytes() == matrix(start=50).tobytes()
    assert (read.vectors.dtype, read.vectors.flags.writeable, read.syn1neg.flags.writeable) == (np.float32, True, True)
    assert list(read.attributes) == ["count"]
    assert read.attributes["count"].dtype == np.int64
    assert read.attributes["count"].tolist() == COUNTS
    assert read.syn1 is read.lockf is None
    assert {name: read.settings[name] for name in SETTINGS} == SETTINGS
    assert {name: read.state[name] for name in STATE} == STATE


def test_settings_a_file_does_not_have_are_not_made_up(fakes, tmp_path):
    assert set(read_gensim(dump(model_1(fakes), tmp_path / "m")).settings) == set(SETTINGS)
    settings = read_gensim(dump(model_4(fakes), tmp_path / "m")).settings
    assert set(settings) == set(SETTINGS) | {"comment", "shrink_windows"}
    assert settings["shrink_windows"] is False


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_vectors_alone_keep_further_attributes_and_locks(fakes, tmp_path, protocol):
    lockf = np.array([1, 0, 1, 1], np.float32)
    expandos = {"count": np.array(COUNTS), "weight": np.array([0.5, 1, 2, 3]), "index": np.arange(4)}
    made = vectors_4(fakes, expandos=expandos, vectors_lockf=lockf)
    read = read_gensim(dump(made, tmp_path / "v.kv", protocol))
    assert (read.kind, read.settings, read.state, read.syn1neg) == ("vectors", {}, {}, None)
    assert set(read.attributes) == {"count", "weight"}
    assert read.attributes["weight"].tolist() == [0.5, 1, 2, 3]
    assert read.lockf.tolist() == lockf.tolist()


def test_attributes_that_are_no_numbers_are_left_out_and_named(fakes, tmp_path, caplog):
    kinds = np.array(["a", None, "c", "d"], object)
    read = read_gensim(dump(vectors_4(fakes, expandos={"part": kinds}), tmp_path / "v.kv"))
    assert read.attributes == {}
    assert "'part'" in caplog.text


def test_documents_may_have_numbers_for_keys(fakes, tmp_path):
    made = vectors_4(fakes, index_to_key=[0, 1, 2, np.int64(3)], key_to_index={0: 0, 1: 1, 2: 2, 3: 3}, expandos={})
    assert read_gensim(dump(made, tmp_path / "v.kv")).words == [0, 1, 2, 3]


@pytest.mark.parametrize("protocol", [2, 4])
def test_numbers_and_strings_of_numpy_become_those_of_python(fakes, tmp_path, protocol):
    words = [np.str_(word) for word in WORDS]
    wv = vectors_4(fakes, index_to_key=words, key_to_index={word: np.int64(i) for i, word in enumerate(words)})
    made = model_4(fakes, wv=wv, alpha=np.float64(0.05), window=np.int32(4), sg=np.bool_(True))
    read = read_gensim(dump(made, tmp_path / "m", protocol))
    assert read.words == WORDS
    assert set(map(type, read.words)) == {str}
    assert [type(read.settings[name]) for name in ("alpha", "window", "sg")] == [float, int, bool]


@pytest.mark.parametrize("dtype", ["<f2", ">f4", "<f8", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_matrices_of_other_types_and_orders_become_float32(fakes, tmp_path, dtype, order, caplog):
    stored = np.asarray(matrix(), dtype, order=order)
    read = read_gensim(dump(vectors_4(fakes, vectors=stored), tmp_path / "v.kv"))
    assert read.vectors.dtype == np.float32
    assert read.vectors.flags.c_contiguous
    assert (read.vectors == matrix()).all()
    assert ("rounded" in caplog.text) == (stored.itemsize == 8)


def test_a_model_never_trained_is_empty(fakes, tmp_path):
    wv = vectors_4(fakes, index_to_key=[], key_to_index={}, expandos={}, vectors=np.zeros((0, 3), np.float32))
    for empty in (wv, vectors_4(fakes, index_to_key=[], key_to_index={}, expandos={}, vectors=[])):
        read = read_gensim(dump(model_4(fakes, wv=empty), tmp_path / "m", 2))
        assert (read.words, read.vectors.shape, read.syn1neg) == ([], (0, 3), None)
    for size in (None, 0, 1 << 31):
        sizeless = vectors_4(fakes, index_to_key=[], key_to_index={}, expandos={}, vectors=[], vector_size=size)
        with pytest.raises(FormatError, match="no vectors, and no vector_size"):
            read_gensim(dump(sizeless, tmp_path / "v"))


def test_a_key_with_a_lone_surrogate_or_nothing_in_it_is_a_word(fakes, tmp_path):
    words = ["", "\ud800", "c", "d"]
    made = vectors_4(fakes, index_to_key=words, key_to_index={word: i for i, word in enumerate(words)})
    assert read_gensim(dump(made, tmp_path / "v.kv")).words == words


# --- files beside the main one --------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
def test_arrays_beside_the_file_are_found(fakes, tmp_path, layout):
    path = tmp_path / "m.model"
    names = ("vectors", "syn0", "syn1neg", "vectors_lockf", "syn0_lockf", "neg_labels")
    dump(spread(LAYOUTS[layout](fakes), path, names), path)
    (tmp_path / "m.model.neg_labels.npy").unlink(missing_ok=True)  # nobody needs it
    read = read_gensim(path)
    assert read.vectors.tobytes() == matrix().tobytes()
    assert read.syn1neg.tobytes() == matrix(start=50).tobytes()
    assert read.vectors.flags.writeable


@pytest.mark.parametrize(("mmap", "writeable"), [("r", False), (True, False), ("c", True), ("r+", True)])
def test_arrays_beside_the_file_can_be_mapped(fakes, tmp_path, mmap, writeable):
    path = tmp_path / "m.model"
    dump(spread(model_4(fakes), path), path)
    read = read_gensim(path, mmap=mmap)
    for array, wanted in ((read.vectors, matrix()), (read.syn1neg, matrix(start=50))):
        assert array.tobytes() == wanted.tobytes()
        assert array.flags.writeable == writeable
        assert isinstance(array.base, np.memmap)


def test_a_mode_that_would_empty_the_file_is_refused(fakes, tmp_path):
    path = tmp_path / "v.kv"
    dump(spread(vectors_4(fakes), path), path)
    with pytest.raises(ValueError, match="mmap='w\\+'"):
        read_gensim(path, mmap="w+")
    assert read_gensim(path).vectors.tobytes() == matrix().tobytes()


@pytest.mark.parametrize("codec", [gzip, bz2])
def test_compressed_models_are_unpacked(fakes, tmp_path, codec):
    path = tmp_path / f"m.{'gz' if codec is gzip else 'bz2'}"
    path.write_bytes(codec.compress(pickle.dumps(model_4(fakes), 4)))
    assert is_pickle(path)
    assert read_gensim(path, mmap="r").words == WORDS  # there is nothing to map
    made = spread(model_4(fakes), path, write=lambda name, a: np.savez_compressed(name, val=a), ending="npz")
    path.write_bytes(codec.compress(pickle.dumps(made, 4)))
    read = read_gensim(path)
    assert read.vectors.tobytes() == matrix().tobytes()
    assert read.syn1neg.tobytes() == matrix(start=50).tobytes()
    with pytest.raises(ValueError, match="cannot be mapped"):
        read_gensim(path, mmap="r")


def test_a_missing_array_is_named_and_what_to_move(fakes, tmp_path):
    path = tmp_path / "m.model"
    dump(spread(model_4(fakes), path), path)
    (tmp_path / "m.model.wv.vectors.npy").unlink()
    with pytest.raises(FormatError, match=r"m\.model\.wv\.vectors\.npy, which is missing.*begin with 'm\.model'"):
        read_gensim(path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-1], "47 bytes of data, but its header describes 48"),
        (lambda data: data + b"x", "49 bytes of data"),
        (lambda data: data[:60], "not a .npy file"),
        (lambda data: b"", "not a .npy file"),
        (lambda data: data.replace(b"<f4", b"|O8"), "'|O8', not of numbers"),
        (lambda data: data.replace(b"(4, 3), } ", b"(999999999999,3)}"[:10]), "not a .npy file|header describes"),
        (lambda data: data.replace(b"(4, 3)", b"(6, 2)"), r"\[6, 2\], not of floats \[4, any\]"),
        (lambda data: data.replace(b"<f4", b"<i4"), "int32"),
        (lambda data: data.replace(b"(4, 3), }  ", b"(2, 2, 3),}"), "the impossible shape"),
        (lambda data: data[:-4] + struct.pack("<f", np.nan), "row 3 .* NaN"),
    ],
)
def test_a_damaged_array_is_refused(fakes, tmp_path, damage, message):
    path, side = tmp_path / "v.kv", tmp_path / "v.kv.vectors.npy"
    dump(spread(vectors_4(fakes), path, ["vectors"]), path)
    side.write_bytes(damage(side.read_bytes()))
    with pytest.raises(FormatError, match=message):
        read_gensim(path)


def test_an_array_of_objects_beside_the_file_is_never_unpickled(fakes, tmp_path):
    path, ran = tmp_path / "v.kv", tmp_path / "ran"
    dump(spread(vectors_4(fakes), path, ["vectors"]), path)
    np.save(tmp_path / "v.kv.vectors.npy", np.array([[Attack(os.mkdir, str(ran))]], object), allow_pickle=True)
    with pytest.raises(FormatError, match=r"not a \.npy file of numbers|not of numbers"):
        read_gensim(path)
    assert not ran.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"PK\x05\x06" + bytes(18)])
def test_a_damaged_npz_is_refused(fakes, tmp_path, content):
    path = tmp_path / "v.gz"
    made = spread(vectors_4(fakes), path, ["vectors"], lambda name, _: Path(name).write_bytes(content), "npz")
    path.write_bytes(gzip.compress(pickle.dumps(made)))
    with pytest.raises(FormatError, match=r"vectors\.npz: not a sound"):
        read_gensim(path)
    np.savez_compressed(f"{path}.vectors.npz", val=np.array(["no number"]))
    with pytest.raises(FormatError, match=r"vectors\.npz: an array of the type '<U9'"):
        read_gensim(path)


def test_names_of_arrays_do_not_lead_out_of_the_folder(fakes, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    np.save(tmp_path / "vectors.npy", matrix())
    made = vectors_4(fakes, **{"__numpys": ["/../../vectors"]})
    del made.vectors
    with pytest.raises(FormatError, match="no vectors"):
        read_gensim(dump(made, folder / "v.kv"))


def test_a_gzip_bomb_stops(tmp_path, monkeypatch):
    monkeypatch.setattr("w2v.files.reading.MOST_UNPACKED", 1 << 16)
    monkeypatch.setattr("w2v.files.reading.MOST_RATIO", 1)
    path = tmp_path / "m.gz"
    path.write_bytes(gzip.compress(b"\x80\x02" + bytes(1 << 22)))
    with pytest.raises(FormatError, match="unpacks to more than"):
        read_gensim(path)


# --- Python 2 -------------------------------------------------------------------------------------------------------


def python_2(value):
    """A pickle as Python 2 wrote it: byte strings, protocol 2."""
    if isinstance(value, bytes):
        return b"U" + bytes([len(value)]) + value if len(value) < 256 else b"T" + struct.pack("<i", len(value)) + value
    if isinstance(value, str):
        return b"X" + struct.pack("<i", len(value.encode())) + value.encode()
    if isinstance(value, int):
        return b"I%d\n" % value
    if isinstance(value, tuple):
        return b"(" + b"".join(map(python_2, value)) + b"t"
    if isinstance(value, list):
        return b"](" + b"".join(map(python_2, value)) + b"e"
    if isinstance(value, dict):
        return b"}(" + b"".join(python_2(part) for item in value.items() for part in item) + b"u"
    if isinstance(value, np.ndarray):
        dtype = b"cnumpy\ndtype\n" + python_2((value.dtype.str[1:].encode(), 0, 1)) + b"R"
        dtype += b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        made = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n" + python_2((0,)) + python_2(b"b") + b"tR"
        return made + b"(K\x01" + python_2(value.shape) + dtype + b"I00\n" + python_2(value.tobytes()) + b"tb"
    module, name = type(value).__module__, type(value).__qualname__
    state = {key.encode(): item for key, item in value.__dict__.items() if item is not None}
    return f"c{module}\n{name}\n)\x81".encode("latin-1") + python_2(state) + b"b"


def test_files_of_python_2_are_read(fakes, tmp_path):
    made = fakes.make(
        "keyedvectors", "KeyedVectors", syn0=matrix(), index2word=list(WORDS), vocab=old_vocab(fakes, "keyedvectors")
    )
    path = tmp_path / "old.kv"
    path.write_bytes(b"\x80\x02" + python_2(made) + b".")
    read = read_gensim(path)
    assert read.words == WORDS
    assert read.vectors.tobytes() == matrix().tobytes()
    assert read.attributes["count"].tolist() == COUNTS


def test_byte_strings_of_python_2_are_latin_1(fakes, tmp_path):
    vocab = {"größe".encode(): fakes.make("keyedvectors", "Vocab", count=1, index=0)}
    made = fakes.make("keyedvectors", "KeyedVectors", syn0=matrix(1), index2word=["größe".encode()], vocab=vocab)
    path = tmp_path / "old.kv"
    path.write_bytes(b"\x80\x02" + python_2(made) + b".")
    assert read_gensim(path).words == ["größe".encode().decode("latin-1")]  # as gensim has them


# --- what does not agree with itself --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"index_to_key": WORDS[:3]}, "do not agree"),
        ({"index_to_key": ["the", "the", "lake", "boat"]}, "do not agree"),
        ({"key_to_index": dict.fromkeys(WORDS, 0)}, "do not agree"),
        ({"key_to_index": {word: i + 1 for i, word in enumerate(WORDS)}}, "do not agree"),
        ({"key_to_index": None}, "no vocabulary"),
        ({"index_to_key": [None, *WORDS[1:]]}, "a word is a NoneType"),
        ({"vectors": matrix(3)}, r"\[3, 3\], not of floats \[4, any\]"),
        ({"vectors": matrix().ravel()}, "not of floats"),
        ({"vectors": matrix().astype(int)}, "int64"),
        ({"vectors": matrix() * np.float32("nan")}, "row 0 .* NaN"),
        ({"vectors": np.full((4, 3), 1e300)}, "row 0 .* infinity"),
        ({"vectors": np.zeros((4, 0), np.float32)}, "vectors of 0 numbers"),
        ({"vectors": None}, "no vectors"),
        ({"vectors": "abc"}, "array expected, not a str"),
        ({"vectors": np.array(WORDS, object)}, "an array of objects, not of numbers"),
        ({"vector_size": 5}, "vector_size=5"),
        ({"expandos": {"count": np.array([1, 2, 3])}}, "counts"),
        ({"expandos": {"count": np.array([1, 2, 3, -1])}}, "counts"),
        ({"expandos": {"count": np.array([1, 2, 3, 0.5])}}, "whole numbers"),
        ({"expandos": {"count": np.array([1, 2, 3, 2**63], np.uint64)}}, "counts"),
        ({"expandos": {"weight": np.zeros(3)}}, "'weight' has shape"),
        ({"expandos": {f"a{i}": np.zeros(4) for i in range(100)}}, "100 attributes"),
        ({"expandos": [1]}, "no vocabulary"),
        ({"vectors_lockf": np.ones(3, np.float32)}, "vectors_lockf has 3"),
        ({"vectors_lockf": np.array([np.nan], np.float32)}, "NaN"),
    ],
)
def test_vectors_that_do_not_agree_with_themselves_are_refused(fakes, tmp_path, changes, message):
    sized = (
        model_4(fakes, wv=vectors_4(fakes, **changes)) if "vector_size" not in changes else model_4(fakes, **changes)
    )
    with pytest.raises(FormatError, match=message) as caught:
        read_gensim(dump(sized, tmp_path / "m.model"))
    assert str(tmp_path / "m.model") in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"syn1neg": matrix(3)}, r"syn1neg is float32 \[3, 3\]"),
        ({"syn1neg": matrix(4, 2)}, "syn1neg"),
        ({"syn1": matrix(7)}, "syn1 has 7 rows for 4 words"),
        ({"wv": None}, "no vocabulary"),
        ({"wv": 3}, "a int, where gensim has a KeyedVectors"),
        ({"alpha": [1]}, "alpha is a list"),
        ({"vocabulary": 3}, "where gensim has a Word2VecVocab"),
    ],
)
def test_a_model_that_does_not_agree_with_itself_is_refused(fakes, tmp_path, changes, message):
    with pytest.raises(FormatError, match=message):
        read_gensim(dump(model_4(fakes, **changes), tmp_path / "m.model"))


def test_old_words_without_an_index_are_refused(fakes, tmp_path):
    model = model_1(fakes)
    del model.vocab["lake"].index
    with pytest.raises(FormatError, match="'lake' has no index"):
        read_gensim(dump(model, tmp_path / "m"))


def test_old_counts_may_be_whole_floats(fakes, tmp_path):
    model = model_1(fakes)
    model.vocab["lake"].count = 10.0
    assert read_gensim(dump(model, tmp_path / "m")).attributes["count"].tolist() == COUNTS
    model.vocab["lake"].count = -1
    with pytest.raises(FormatError, match="count"):
        read_gensim(dump(model, tmp_path / "m"))


# --- other classes, and attacks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "name", "said"),
    [
        (
            "lsimodel",
            "LsiModel",
            r"LsiModel of gensim, and only its Word2Vec",
        ),
        ("phrases", "Phrases", r"'Phrases', not of gensim's Word2Vec, "),
    ],
)
def test_other_classes_of_gensim_are_named(fakes, tmp_path, module, name, said):
    with pytest.raises(FormatError, match=said):
        read_gensim(dump(fakes.make(module, name), tmp_path / "m"))


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}, None, np.zeros(3), 5])
def test_a_pickle_of_something_else_is_refused(tmp_path, value):
    with pytest.raises(FormatError, match="a pickle of"):
        read_gensim(dump(value, tmp_path / "m"))


def own_hash(word):
    return 1


def test_foreign_hash_functions_and_callbacks_are_refused(fakes, tmp_path):
    with pytest.raises(FormatError, match=rf"{__name__}\.own_hash.*save_word2vec_format"):
        read_gensim(dump(model_4(fakes, hashfxn=own_hash), tmp_path / "m"))


class Attack:
    """Pickles to a call."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("place", ["top", "attribute", "key", "word", "array"])
def test_no_call_in_a_file_is_made(fakes, tmp_path, protocol, place):
    ran = tmp_path / "ran"
    for attack in (Attack(os.mkdir, str(ran)), Attack(eval, f"__import__('os').mkdir({str(ran)!r})")):
        holders = {
            "top": lambda attack=attack: attack,
            "attribute": lambda attack=attack: model_4(fakes, comment=attack),
            "key": lambda attack=attack: model_4(fakes, raw_vocab={attack: 1}),
            "word": lambda attack=attack: vectors_4(fakes, index_to_key=[attack]),
            "array": lambda attack=attack: vectors_4(fakes, expandos={"point": np.array([attack], object)}),
        }
        with pytest.raises(FormatError, match=r"mkdir|eval"):
            read_gensim(dump(holders[place](), tmp_path / "m", protocol))
        assert not ran.exists()


@pytest.mark.parametrize(
    "name",
    [
        "os.system", "posix.system", "builtins.eval", "builtins.exec", "builtins.getattr", "builtins.__import__",
        "__builtin__.eval", "builtins.open", "subprocess.Popen", "numpy.load", "numpy.memmap", "numpy.fromfile",
        "numpy.core.multiarray.fromfile", "numpy._core.multiarray.frombuffer", "numpy.f2py.capi_maps.eval",
        "numpy.testing._private.utils.runstring", "copyreg._reconstructor", "copy_reg._reconstructor",
        "collections.namedtuple", "_codecs.decode", "codecs.encode", "operator.attrgetter", "functools.partial",
        "pickle.loads", "gensim.utils.unpickle", "gensim.models.word2vec.Word2Vec.load",
        "gensim.models.keyedvectors.np", "w2v.files.gensim_pickle._Object", "builtins.hash.__self__", ".system", "os.",
    ],
)  # fmt: skip
def test_names_that_are_not_on_the_list_are_refused(tmp_path, name):
    module, _, attribute = name.rpartition(".")
    for data in (
        b"\x80\x02c" + module.encode() + b"\n" + attribute.encode() + b"\nU\x01x\x85R.",
        b"\x80\x04" + b"".join(b"\x8c" + bytes([len(s)]) + s.encode() for s in (module, attribute)) + b"\x93)\x81.",
    ):
        (tmp_path / "m").write_bytes(data)
        with pytest.raises(FormatError, match=r"asks for|of gensim, and only"):
            read_gensim(tmp_path / "m")


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_pickles_are_an_error_and_nothing_else(tmp_path, what):
    (tmp_path / "m").write_bytes(HOSTILE[what])
    with pytest.raises(FormatError) as caught:
        read_gensim(tmp_path / "m")
    assert str(tmp_path / "m") in str(caught.value)
    assert len(str(caught.value)) < 1000


def array_pickle(shape, code="f4", size=48, order="<"):
    """Vectors whose array lies about itself."""
    dtype = b"cnumpy\ndtype\n" + python_2((code.encode(), 0, 1)) + b"R(K\x03" + python_2(order.encode()) + b"tb"
    made = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR"
    made += b"(K\x01" + python_2(shape) + dtype + b"I00\n" + python_2(bytes(size)) + b"tb"
    words = python_2("index_to_key") + python_2(WORDS) + python_2("key_to_index") + python_2(dict(zip(WORDS, range(4))))  # noqa: B905
    start = b"\x80\x02cgensim.models.keyedvectors\nKeyedVectors\n)\x81}(" + words + python_2("vectors")
    return start + made + b"ub."


@pytest.mark.parametrize(
    "data",
    [
        array_pickle((4, 1 << 62)), array_pickle((4, -3)), array_pickle((1 << 39, 1 << 39)), array_pickle((4, 3, 1)),
        array_pickle((4, 3), "O8"), array_pickle((4, 3), "O4"),
        array_pickle((4, 3), "V4"), array_pickle((4, 3), "U1"), array_pickle((4, 3), "f4,"),
        array_pickle((4, 3), "f16"), array_pickle((4, 3), order="x"), array_pickle((4, 3), order=""),
        array_pickle((4, 4)), array_pickle([4, 3]), array_pickle((4, "3")),
    ],
)  # fmt: skip
def test_arrays_that_lie_about_themselves_are_refused(tmp_path, data):
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(FormatError, match="matrix of vectors"):
        read_gensim(tmp_path / "m")
    (tmp_path / "m").write_bytes(array_pickle((4, 3)))
    assert read_gensim(tmp_path / "m").vectors.shape == (4, 3)


def outcome(path):
    """Read a file: vectors, or the right kind of error."""
    try:
        return read_gensim(path)
    except FormatError:
        return None


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_file_cut_anywhere_is_an_error(fakes, tmp_path, protocol):
    path = tmp_path / "m"
    data = pickle.dumps(vectors_4(fakes, expandos={"code": np.array([np.arange(2)], object)}), protocol)
    for size in range(len(data)):
        path.write_bytes(data[:size])
        with pytest.raises(TruncatedError):
            read_gensim(path)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("protocol", [2, 5])
def test_changed_bytes_give_an_error_or_a_file(fakes, tmp_path, caplog, layout, protocol):
    made = LAYOUTS[layout](fakes)
    made.random = None  # its long state would take most of the hits
    data = pickle.dumps(made, protocol)
    path, draw = tmp_path / "m", random.Random(protocol)
    kinds = defaultdict(int)
    caplog.set_level(logging.ERROR)
    for _ in range(1000):
        changed = bytearray(data)
        for _ in range(draw.choice([1, 1, 1, 2, 8])):
            changed[draw.randrange(len(data))] = draw.choice([draw.randrange(256), *b"tRb)(\x85\x93s0"])
        path.write_bytes(changed)
        read = outcome(path)
        assert read is None or isinstance(read, GensimFile)
        kinds[type(read)] += 1
    assert len(kinds) == 2


def test_changed_compressed_bytes_give_an_error_or_a_file(fakes, tmp_path):
    path, draw = tmp_path / "v.gz", random.Random(4)
    made = spread(vectors_4(fakes), path, ["vectors"], lambda name, a: np.savez_compressed(name, val=a), "npz")
    path.write_bytes(gzip.compress(pickle.dumps(made)))
    for target in (path, tmp_path / "v.gz.vectors.npz"):
        data = target.read_bytes()
        for _ in range(300):
            changed = bytearray(data)
            changed[draw.randrange(len(data))] = draw.randrange(256)
            target.write_bytes(changed[: draw.choice([len(data), len(data), draw.randrange(len(data))])])
            outcome(path)
        target.write_bytes(data)
    assert outcome(path) is not None


# --- hierarchical softmax -------------------------------------------------------------------------------------------


def heap_tree(counts, draw):
    """A Huffman tree with its inner nodes numbered at random, and its sides where chance puts them."""
    heap = [(count, draw.random(), word) for word, count in enumerate(counts)]
    heapq.heapify(heap)
    numbers = draw.sample(range(len(counts) - 1), len(counts) - 1)
    while len(heap) > 1:
        pair = [heapq.heappop(heap), heapq.heappop(heap)]
        draw.shuffle(pair)
        heapq.heappush(heap, (pair[0][0] + pair[1][0], draw.random(), (numbers.pop(), pair[0][2], pair[1][2])))
    codes, points = [None] * len(counts), [None] * len(counts)
    stack = [(heap[0][2], [], [])]
    while stack:
        node, code, point = stack.pop()
        if isinstance(node, int):
            codes[node], points[node] = np.array(code, np.uint8), np.array(point, np.uint32)
        else:
            stack += [(node[1 + side], [*code, side], [*point, node[0]]) for side in (0, 1)]
    return codes, points


def probability(nodes, labels, points, hidden):
    signs = np.where(np.asarray(labels, bool), 1.0, -1.0)
    return float(np.prod(1 / (1 + np.exp(-signs * (nodes[points].astype(float) @ hidden)))))


def objects(items):
    made = np.empty(len(items), object)
    made[:] = items
    return made


def hierarchical(fakes, counts, codes, points, syn1):
    words = [f"w{i}" for i in range(len(counts))]
    expandos = {"count": np.array(counts), "code": objects(codes), "point": objects(points)}
    index = {word: i for i, word in enumerate(words)}
    vectors = matrix(len(words))
    wv = vectors_4(fakes, index_to_key=words, key_to_index=index, expandos=expandos, vectors=vectors)
    return model_4(fakes, wv=wv, hs=1, syn1=syn1, syn1neg=None)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("extra", [0, 1])
def test_every_word_is_as_likely_in_our_tree_as_in_gensims(fakes, tmp_path, caplog, seed, extra):
    draw = random.Random(seed)
    counts = [3**20 + 2**i for i in reversed(range(40))]  # no two sums are equal, so the tree is the only one
    codes, points = heap_tree(counts, draw)
    rng = np.random.default_rng(seed)
    syn1 = rng.normal(size=(39 + extra, 3)).astype(np.float32)
    read = read_gensim(dump(hierarchical(fakes, counts, codes, points, syn1), tmp_path / "m"))
    assert inner_nodes(read, "m").shape == (39, 3)
    tree, hidden = huffman.paths(read.attributes["count"]), rng.normal(size=3)
    for word in range(40):
        ours = slice(tree.offsets[word], tree.offsets[word + 1])
        theirs = probability(syn1, 1 - codes[word], points[word], hidden)
        assert probability(inner_nodes(read, "m"), tree.labels[ours], tree.points[ours], hidden) == pytest.approx(
            theirs, rel=1e-9
        )
    assert not caplog.records


def test_nodes_of_another_tree_start_at_zero_and_are_counted(fakes, tmp_path, caplog):
    counts = [100, 40, *[1] * 6]
    codes, points = heap_tree(counts, random.Random(5))
    syn1 = np.arange(1, 22, dtype=np.float32).reshape(7, 3)
    read = read_gensim(dump(hierarchical(fakes, counts, codes, points, syn1), tmp_path / "m"))
    kept = inner_nodes(read, "m").any(axis=1)
    assert 2 <= kept.sum() < 7  # at least the two on the way to the frequent words
    assert f"of the 7 inner nodes of its Huffman tree, {kept.sum()} are in ours" in caplog.text
    assert set(map(tuple, np.abs(inner_nodes(read, "m")[kept]))) <= set(map(tuple, syn1))
    assert abs(inner_nodes(read, "m")[6]).tolist() == syn1[points[0][0]].tolist()  # our root is the last


def test_without_paths_the_nodes_start_at_zero(fakes, tmp_path, caplog):
    read = read_gensim(dump(model_4(fakes, hs=1, syn1=matrix(4, start=5)), tmp_path / "m"))
    assert inner_nodes(read, "m").shape == (3, 3)
    assert not inner_nodes(read, "m").any()
    assert "of the 3 inner nodes of its Huffman tree, 0 are in ours" in caplog.text


@pytest.mark.parametrize(
    ("code", "point", "message"),
    [
        (np.array([2], np.uint8), np.array([0]), "do not describe"),
        (np.array([1], np.uint8), np.array([9]), "do not describe"),
        (np.array([1], np.uint8), np.array([-1]), "do not describe"),
        (np.array([1, 0], np.uint8), np.array([0]), "do not describe"),
        (np.zeros(1000, np.uint8), np.zeros(1000, np.uint32), "a path of 1,000 nodes"),
        (np.array([0.5]), np.array([0]), "no list of numbers"),
        ("abc", np.array([0]), "no list of numbers"),
    ],
)
def test_malformed_tree_paths_are_refused(fakes, tmp_path, code, point, message):
    codes, points = heap_tree(COUNTS, random.Random(1))
    codes[2], points[2] = code, point
    with pytest.raises(FormatError, match=message):
        read_gensim(dump(hierarchical(fakes, COUNTS, codes, points, matrix(4)), tmp_path / "m"))


def test_paths_that_words_share_are_not_expanded(fakes, tmp_path):
    """A path of 200 nodes for each of 20,000 words, which are two arrays in the file."""
    n = 20_000
    code, point = np.zeros(200, np.uint8), np.zeros(200, np.uint32)
    path = dump(hierarchical(fakes, [1] * n, [code] * n, [point] * n, matrix(n)), tmp_path / "m")
    assert path.stat().st_size < 2_000_000
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="paths of the words in the Huffman tree are longer than the file"):
            read_gensim(path)
        assert tracemalloc.get_traced_memory()[1] < 30_000_000  # expanded they take 64 MB, and copies of that
    finally:
        tracemalloc.stop()


# --- is it one? -----------------------------------------------------------------------------------------------------


def test_pickles_are_told_from_other_files(fakes, tmp_path):
    path = tmp_path / "m"
    for protocol in (2, 3, 4, 5):
        assert is_pickle(dump(vectors_4(fakes), path, protocol))
    for other in (b"", b"\x80", b"4 3\nthe 1 2 3\n", b"\x80\x02" + bytes(6) + b"{" + b" " * 639, b"\x80\x09N."):
        path.write_bytes(other)
        assert not is_pickle(path)
    packed = tmp_path / "m.gz"
    packed.write_bytes(b"\x80\x02c no gzip")
    assert not is_pickle(packed)
    packed.write_bytes(gzip.compress(b"4 3\n"))
    assert not is_pickle(packed)
    with pytest.raises(FileNotFoundError):
        is_pickle(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError):
        read_gensim(tmp_path / "nothing")
    with pytest.raises(FormatError, match="not a regular file"):
        is_pickle(tmp_path)


# --- real files, where gensim is installed --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gensim():
    pytest.importorskip("gensim")
    import gensim.models

    return gensim


def trained(gensim, **settings):
    sentences = [["human", "computer", "größe"], ["human", "system", "computer"], ["graph", "trees", "human"]] * 9
    return gensim.models.Word2Vec(sentences, vector_size=6, min_count=1, workers=1, epochs=2, **settings)


def agree(read, model, gensim):
    wv = model if isinstance(model, gensim.models.KeyedVectors) else model.wv
    assert read.words == wv.index_to_key
    assert read.vectors.dtype == np.float32
    assert read.vectors.tobytes() == np.asarray(wv.vectors, np.float32).tobytes()
    assert read.attributes["count"].tolist() == list(wv.expandos["count"])
    syn1neg = getattr(model, "syn1neg", None)
    assert (read.syn1neg is None) == (syn1neg is None)
    assert syn1neg is None or read.syn1neg.tobytes() == syn1neg.tobytes()
    if wv is not model:
        for name in set(read.settings) - {"ns_exponent"}:  # gensim 4 forgets this one of gensim 3's
            assert read.settings[name] == getattr(model, name), name


@pytest.mark.parametrize("settings", [{}, {"sg": 1, "negative": 3}, {"hs": 1, "negative": 0}, {"comment": "x"}])
@pytest.mark.parametrize("saving", [{}, {"sep_limit": 0}, {"pickle_protocol": 2}, {"pickle_protocol": 5}])
@pytest.mark.parametrize("ending", ["model", "model.gz"])
def test_models_of_gensim_4_are_read(gensim, tmp_path, settings, saving, ending):
    model, path = trained(gensim, **settings), str(tmp_path / f"m.{ending}")
    model.save(path, **saving)
    read = read_gensim(path)
    agree(read, model, gensim)
    assert len(read.settings) == 22
    if saving == {"sep_limit": 0} and ending == "model":
        agree(read_gensim(path, mmap="r"), model, gensim)
    model.wv.save(path, **saving)
    agree(read_gensim(path), model.wv, gensim)


def test_a_model_of_gensim_4_that_was_never_trained_is_read(gensim, tmp_path):
    path = str(tmp_path / "m")
    gensim.models.Word2Vec(vector_size=7).save(path)
    read = read_gensim(path)
    assert (read.words, read.vectors.shape) == ([], (0, 7))


def test_gensim_4_document_vectors_are_read_without_their_model(gensim, tmp_path):
    from gensim.models.doc2vec import Doc2Vec, TaggedDocument

    documents = [TaggedDocument(["human", "system"] * 5, [i]) for i in range(5)]
    model, path = Doc2Vec(documents, vector_size=4, min_count=1, epochs=1), str(tmp_path / "m")
    model.dv.save(path)
    assert read_gensim(path).words == list(range(5))


OLD = [
    *("model-from-gensim-3.8.0.w2v", "old_keyedvectors_320.dat", "word2vec_3.3", "word2vec_old", "word2vec_old_sep"),
    *(
        f"old_w2v_models/w2v_{v}.mdl"
        for v in ["1.0.0", "1.0.1", "2.0.0", "2.1.0", "2.2.0", "2.3.0", "3.0.0", "3.1.0", "3.2.0", "3.3.0", "3.4.0"]
    ),
]


@pytest.mark.parametrize("name", OLD)
def test_old_files_are_read_as_gensim_reads_them(gensim, tmp_path, name):
    from gensim.test.utils import datapath

    path = datapath(name)
    cls = gensim.models.KeyedVectors if "keyedvectors" in name else gensim.models.Word2Vec
    model = cls.load(path)
    assert is_pickle(path)
    read = read_gensim(path)
    agree(read, model, gensim)
    if name.endswith((".w2v", "3.4.0.mdl")):  # what gensim 4 makes of an old file
        model.save(str(tmp_path / "again"))
        agree(read_gensim(tmp_path / "again"), model, gensim)


@pytest.mark.parametrize("version", ["0.12.0", "0.12.4", "0.13.0", "0.13.4"])
def test_files_too_old_for_gensim_4_are_read(gensim, version):
    from gensim.test.utils import datapath

    read = read_gensim(datapath(f"old_w2v_models/w2v_{version}.mdl"))
    assert (read.kind, read.vectors.shape, len(read.words)) == ("word2vec", (3, 4), 3)


@pytest.mark.parametrize("name", ["fasttext_old", "ft_kv_3.6.0.model.gz", "phrases-3.6.0.model"])
def test_old_files_of_other_classes_are_refused_by_name(gensim, name):
    from gensim.test.utils import datapath

    with pytest.raises(FormatError, match=r"FastText|Phrases"):
        read_gensim(datapath(name))


def test_a_hierarchical_model_of_gensim_keeps_its_probabilities(gensim, tmp_path, caplog):
    sentences = [[f"w{i}"] * (3**9 // 2**i + i) + ["w0"] for i in range(10)]
    model = gensim.models.Word2Vec(
        sentences, vector_size=6, min_count=1, workers=1, epochs=1, hs=1, negative=0, sample=0
    )
    caplog.clear()
    model.save(str(tmp_path / "m"))
    read = read_gensim(tmp_path / "m")
    assert not [record for record in caplog.records if record.name.startswith("w2v")]
    tree, hidden = huffman.paths(read.attributes["count"]), np.linspace(-9, 9, 6)
    for word in range(10):
        code, point = (model.wv.get_vecattr(word, name) for name in ("code", "point"))
        ours = slice(tree.offsets[word], tree.offsets[word + 1])
        assert probability(inner_nodes(read, "m"), tree.labels[ours], tree.points[ours], hidden) == pytest.approx(
            probability(model.syn1, 1 - code, point, hidden), rel=1e-9
        )


def test_reading_loads_no_gensim_and_no_class(fakes, tmp_path):
    data = pickle.dumps(model_4(fakes))
    for name in FAKES:
        sys.modules[name] = None  # an import would now fail; undone with the fixture
    (tmp_path / "m").write_bytes(data)
    assert read_gensim(tmp_path / "m").words == WORDS
    with pytest.raises(ImportError):
        pickle.load(io.BytesIO(data))

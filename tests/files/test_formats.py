"""Atomic writes and the native format: contents survive, and malformed contents are refused."""

import hashlib
import io
import json
import os
import stat
import struct
import threading
import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from w2v import KeyedVectors
from w2v.files import native
from w2v.files.arrays import sha256_of
from w2v.files.errors import FormatError, TruncatedError
from w2v.files.native import inspect_native, read_native, verify_native, write_native
from w2v.files.writing import atomic_write

finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
WORDS = ["a", "é", ""]
ARRAYS = {
    "vectors": np.arange(6, dtype=np.float32).reshape(3, 2),
    "outputs.negative": -np.arange(6, dtype=np.float32).reshape(3, 2),
    "outputs.hierarchical": np.ones((2, 2), np.float32),
    "vocab.counts": np.array([5, 2, 1]),
    "attr.weight": np.array([0.5, 1, 2]),
    "attr.rank": np.array([1, 2, 3], np.uint32),
}
META = {"seed": 1, "alpha": 0.025, "name": "\ud800é", "nested": {"b": [1, None, True], "a": -0.0}}


def test_the_hash_of_vectors_is_of_their_values_not_their_layout():
    matrix = np.arange(12, dtype=np.float32).reshape(4, 3)
    due = hashlib.sha256(matrix.astype("<f4").tobytes()).hexdigest()
    for same in (matrix, np.asfortranarray(matrix), matrix.astype(">f4"), np.repeat(matrix, 8, axis=1)[:, ::8]):
        assert sha256_of(same) == due
    assert sha256_of(matrix[:0]) == hashlib.sha256().hexdigest()


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "m.safetensors"
    write_native(path, "word2vec", WORDS, ARRAYS, META)
    return path


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("formats") / "file"


def split(path):
    """Take a native file apart: header, data."""
    raw = path.read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    return json.loads(raw[8 : 8 + length]), raw[8 + length :]


def join(path, header, data, text=None):
    text = json.dumps(header) if text is None else text
    path.write_bytes(struct.pack("<Q", len(text.encode())) + text.encode() + data)
    return path


# Atomic writes


def test_new_files_follow_the_umask_and_old_ones_keep_their_mode(tmp_path):
    path = tmp_path / "f"
    previous = os.umask(0o027)
    try:
        with atomic_write(path) as file:
            file.write(b"1")
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o604)
        with atomic_write(path) as file:
            file.write(b"2")
    finally:
        os.umask(previous)
    assert stat.S_IMODE(path.stat().st_mode) == 0o604
    assert path.read_bytes() == b"2"


def test_symbolic_links_are_followed_and_stay(tmp_path):
    (tmp_path / "folder").mkdir()
    target, link = tmp_path / "folder/target", tmp_path / "link"
    link.symlink_to(target)
    for content in (b"new", b"replaced"):
        with atomic_write(link) as file:
            file.write(content)
        assert link.is_symlink()
        assert target.read_bytes() == content
    assert os.listdir(tmp_path / "folder") == ["target"]


def test_only_regular_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo"):
        with pytest.raises(OSError, match="not a regular file"), atomic_write(path):
            pytest.fail("must not be entered")
        with pytest.raises(FormatError, match="not a regular file"):
            read_native(path)
    assert os.listdir(tmp_path) == ["fifo"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, MemoryError])
def test_a_failure_in_the_middle_leaves_the_old_file(tmp_path, error):
    path = tmp_path / "f"
    path.write_bytes(b"old")

    def write():
        with atomic_write(path) as file:
            file.write(b"half of the new")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


# The native format


def test_a_model_comes_back_as_it_was(saved):
    for mmap in (False, True):
        kind, words, found, meta = read_native(saved, mmap=mmap)
        assert (kind, words, meta) == ("word2vec", WORDS, META)
        assert found.keys() == ARRAYS.keys()
        for name, array in ARRAYS.items():
            assert found[name].dtype == array.dtype
            assert (found[name] == array).all()
            assert found[name].flags.writeable == (not mmap)
    assert "outputs.negative" not in read_native(saved, outputs=False)[2]


@settings(deadline=None, max_examples=60)
@given(
    words=st.lists(st.text(st.characters(codec=None)), unique=True, max_size=9),
    width=st.integers(1, 5),
    counts=st.booleans(),
    data=st.data(),
)
def test_any_words_and_floats_come_back_bit_for_bit(scratch, words, width, counts, data):
    vectors = data.draw(arrays(np.float32, (len(words), width), elements=finite))
    tensors = {"vectors": vectors} | ({"vocab.counts": np.arange(len(words))} if counts else {})
    sha = write_native(scratch, "vectors", words, tensors, {})
    for mmap in (False, True):
        _, found, arrays_, _ = read_native(scratch, mmap=mmap)
        assert found == words
        assert arrays_["vectors"].tobytes() == vectors.tobytes()
        assert arrays_.keys() == tensors.keys()
    assert verify_native(scratch) == sha == inspect_native(scratch)["sha256"]


def test_equal_models_give_equal_bytes_in_any_memory_order(tmp_path, saved, monkeypatch):
    expected = saved.read_bytes()
    matrix = ARRAYS["vectors"]
    padded = np.full((3, 16), np.nan, np.float32)
    padded[:, :2] = matrix
    backwards = matrix[::-1, ::-1].copy()[::-1, ::-1]
    big_endian = {name: array.astype(array.dtype.newbyteorder(">")) for name, array in ARRAYS.items()}
    for block in (1 << 24, 1):
        monkeypatch.setattr("w2v.files.arrays.BLOCK", block)
        for vectors in (np.asfortranarray(matrix), padded[:, :2], backwards, matrix):
            write_native(
                tmp_path / "n",
                "word2vec",
                WORDS,
                dict(reversed((ARRAYS | {"vectors": vectors}).items())),
                META,
            )
            assert (tmp_path / "n").read_bytes() == expected
        write_native(tmp_path / "n", "word2vec", WORDS, big_endian, META)
        assert (tmp_path / "n").read_bytes() == expected
        assert (read_native(tmp_path / "n")[2]["vectors"] == matrix).all()
    constant = np.broadcast_to(np.float32(3), (3, 2))
    write_native(tmp_path / "n", "vectors", WORDS, {"vectors": constant}, {})
    assert (read_native(tmp_path / "n")[2]["vectors"] == 3).all()


def test_meta_is_hashed_as_it_will_be_read(tmp_path):
    write_native(
        tmp_path / "n",
        "vectors",
        ["a"],
        {"vectors": np.ones((1, 1), np.float32)},
        {"t": (1,), "k": {10: 1, 9: 2}},
    )
    assert read_native(tmp_path / "n")[3] == {"t": [1], "k": {"10": 1, "9": 2}}
    with pytest.raises(ValueError, match="JSON"):
        write_native(tmp_path / "n", "vectors", ["a"], {"vectors": np.ones((1, 1), np.float32)}, {"x": float("nan")})


def test_the_safetensors_package_reads_our_files_and_we_read_its(saved, tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    found = safetensors.load_file(saved)
    for name, array in ARRAYS.items():
        assert (found[name] == array).all()
    assert bytes(found["vocab.bytes"]) == "aé".encode()
    header, _ = split(saved)
    # Its layout differs (other order, unaligned data); words before the vectors shift them off alignment.
    theirs = tmp_path / "theirs"
    safetensors.save_file(found, theirs, metadata=header["__metadata__"])
    for mmap in (False, True):
        kind, words, arrays_, meta = read_native(theirs, mmap=mmap)
        assert (kind, words, meta) == ("word2vec", WORDS, META)
        assert (arrays_["vectors"] == ARRAYS["vectors"]).all()


def test_unaligned_tensors_are_copied_rather_than_mapped(saved, tmp_path):
    header, data = split(saved)
    metadata = header.pop("__metadata__")
    order = sorted(header, key=lambda name: header[name]["dtype"] != "U8")  # three bytes of words first
    shuffled = b""
    for name in order:
        begin, end = header[name]["data_offsets"]
        header[name]["data_offsets"] = [len(shuffled), len(shuffled) + end - begin]
        shuffled += data[begin:end]
    path = join(tmp_path / "n", {"__metadata__": metadata} | header, shuffled)
    for mmap in (False, True):
        assert (read_native(path, mmap=mmap)[2]["vectors"] == ARRAYS["vectors"]).all()


def test_inspection_reads_the_header_alone(saved):
    found = inspect_native(saved)
    assert (found["format"], found["kind"], found["words"], found["vector_size"]) == (1, "word2vec", 3, 2)
    assert found["meta"] == META
    assert found["bytes"] == saved.stat().st_size
    assert found["tensors"]["vectors"] == {"dtype": "F32", "shape": [3, 2]}
    raw = bytearray(saved.read_bytes())
    raw[-1] ^= 1
    saved.write_bytes(raw)
    assert inspect_native(saved) == found


def test_a_file_cut_at_any_byte_is_refused(saved, tmp_path):
    raw = saved.read_bytes()
    for length in range(len(raw)):
        (tmp_path / "cut").write_bytes(raw[:length])
        for read in (read_native, lambda path: read_native(path, mmap=True), inspect_native, verify_native):
            with pytest.raises(FormatError):
                read(tmp_path / "cut")
    with pytest.raises(TruncatedError):
        read_native(tmp_path / "cut")


def test_any_changed_byte_is_found(saved):
    raw = saved.read_bytes()
    for position in range(len(raw)):
        changed = bytearray(raw)
        changed[position] ^= 0x80 if position % 2 else 1
        saved.write_bytes(changed)
        try:
            found = read_native(saved)
        except FormatError:
            continue
        # Only padding and the JSON's own spelling may change without a change of content.
        assert found[0] == "word2vec"
        assert found[1] == WORDS
        assert all((found[2][name] == array).all() for name, array in ARRAYS.items())


@settings(deadline=None, max_examples=300)
@given(data=st.data(), mmap=st.booleans())
def test_any_bytes_give_a_model_or_a_format_error(scratch, data, mmap):
    write_native(scratch, "word2vec", WORDS, ARRAYS, META)
    raw = bytearray(scratch.read_bytes())
    mutation = data.draw(st.sampled_from(["noise", "splice", "header"]))
    if mutation == "noise":
        raw = bytearray(data.draw(st.binary(max_size=100)))
    elif mutation == "splice":
        begin = data.draw(st.integers(0, len(raw)))
        raw[begin : begin + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    else:
        header, body = split(scratch)
        name = data.draw(st.sampled_from(sorted(header)))
        odd = st.one_of(
            st.integers(-5, 1 << 70),
            st.text(max_size=3),
            st.none(),
            st.floats(),
            st.lists(st.integers(-1, 1 << 41), max_size=3),
        )
        if data.draw(st.booleans()) and name != "__metadata__":
            header[name][data.draw(st.sampled_from(["dtype", "shape", "data_offsets"]))] = data.draw(odd)
        else:
            header[name] = data.draw(odd)
        text = json.dumps(header).encode()
        raw = struct.pack("<Q", len(text)) + text + body
    scratch.write_bytes(raw)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            _, words, arrays_, _ = read_native(scratch, mmap=mmap)
        except FormatError:
            return
    assert len(words) == len(arrays_["vectors"])


def alter(header, data, **changes):
    for name, fields in changes.items():
        header[name] = header[name] | fields if isinstance(fields, dict) else fields
    return header, data


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h, d: (h, d + b"x"), "bytes long, but its header describes"),
        (lambda h, d: alter(h, d, vectors={"dtype": "F99"}), "unknown dtype 'F99'"),
        (lambda h, d: alter(h, d, vectors={"dtype": "I32"}), "'vectors' must be there, float32"),
        (lambda h, d: alter(h, d, vectors={"shape": [6]}), "'vectors' must be there, float32"),
        (lambda h, d: alter(h, d, vectors={"shape": [2, 3]}), "is missing|, not"),
        (lambda h, d: alter(h, d, vectors={"shape": [1 << 33, 1 << 33]}), "needs"),
        (lambda h, d: alter(h, d, vectors={"shape": [3, -2]}), "impossible shape"),
        (lambda h, d: alter(h, d, vectors={"shape": [3, True]}), "impossible shape"),
        (lambda h, d: alter(h, d, vectors={"data_offsets": [0, 24]}), "gap or an overlap"),
        (lambda h, d: alter(h, d, vectors={"extra": 1}), "not described by"),
        (lambda h, d: ({k: v for k, v in h.items() if k != "__metadata__"}, d), "without w2v's metadata"),
        (lambda h, d: alter(h, d, __metadata__={"w2v": "{"}), "metadata is not sound JSON"),
        (lambda h, d: alter(h, d, __metadata__={"w2v": '{"a":1,"a":1}'}), "a name occurs twice"),
        (lambda h, d: alter(h, d, __metadata__={"w2v": '{"format":2}'}), "format 2; this w2v reads format 1"),
        (lambda h, d: alter(h, d, __metadata__={"w2v": '{"format":1}'}), "w2v's fields"),
        (lambda h, d: alter(h, d, __metadata__={"w2v": '{"format":NaN}'}), "NaN is not JSON"),
        (lambda h, d: alter(h, d, __metadata__={"w2v": "[" * 100000}), "not sound JSON"),
        (
            lambda h, d: alter(h, d, __metadata__={"w2v": h["__metadata__"]["w2v"].replace("word2vec", "no name")}),
            "kind 'no name'",
        ),
        (
            lambda h, d: alter(h, d, __metadata__={"w2v": h["__metadata__"]["w2v"].replace("0.025", "1e999")}),
            "not sound JSON",
        ),
        (lambda h, d: (h, d[:-1] + b"\xff"), "damaged"),
        (lambda h, d: alter(h, d, __metadata__={"w2v": "[1]"}), "not a JSON object"),
        (lambda h, d: alter(h, d, **{"vocab.bytes": {"dtype": "I8"}}), "'vocab.bytes' must be uint8"),
        (
            lambda h, d: alter(h, d, __metadata__={"w2v": h["__metadata__"]["w2v"].replace('"word2vec"', "[]")}),
            "w2v's types",
        ),
    ],
)
def test_a_wrong_header_is_refused(saved, change, message):
    join(saved, *change(*split(saved)))
    with pytest.raises(FormatError, match=message):
        read_native(saved)


def test_names_that_occur_twice_are_refused(saved):
    header, data = split(saved)
    text = json.dumps(header)
    join(saved, None, data, text[:-1] + ', "vectors": ' + json.dumps(header["vectors"]) + "}")
    with pytest.raises(FormatError, match="a name occurs twice"):
        read_native(saved)


def resealed(path, header, data):
    """Write changed data under a hash that fits, as a hostile writer would."""
    about = json.loads(header["__metadata__"]["w2v"])
    with open(join(path, header, data), "rb") as file:
        _, tensors = native._read_header(file, "x")
        _, digest = native._read_tensors(file, "x", tensors, lambda name: False)
    about.pop("sha256")
    digest.update(native._canonical(about))
    header["__metadata__"]["w2v"] = native._canonical(about | {"sha256": digest.hexdigest()}).decode()
    return join(path, header, data)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("vectors", np.array([[0, 1], [np.nan, 3], [4, 5]], "<f4"), "row 1 of 'vectors' holds a NaN"),
        ("outputs.negative", np.full((3, 2), np.inf, "<f4"), "row 0 of 'outputs.negative'"),
        ("vocab.counts", np.array([5, -2, 1], "<i8"), "negative count"),
        ("vocab.offsets", np.array([0, 3, 1, 3], "<i8"), "do not cut"),
        ("vocab.offsets", np.array([0, 1, 3, 1 << 40], "<i8"), "do not cut"),
        ("vocab.offsets", np.array([0, 1, 2, 3], "<i8"), "not UTF-8"),
        ("vocab.offsets", np.array([0, 0, 0, 3], "<i8"), "a word occurs twice"),
    ],
)
def test_wrong_contents_are_refused_even_under_a_fitting_hash(saved, name, values, message):
    header, data = split(saved)
    begin, end = header[name]["data_offsets"]
    resealed(saved, header, data[:begin] + values.tobytes() + data[end:])
    verify_native(saved)
    with pytest.raises(FormatError, match=message):
        read_native(saved)


def test_a_huge_claim_costs_no_memory(saved):
    import tracemalloc

    header, data = split(saved)
    size = 1 << 39
    header["vectors"] = {"dtype": "F32", "shape": [size // 8, 2], "data_offsets": [0, size]}
    join(saved, header, data)
    tracemalloc.start()
    for read in (read_native, inspect_native, verify_native):
        with pytest.raises(FormatError):
            read(saved)
    saved.write_bytes(struct.pack("<Q", 1 << 40) + b"{}")
    with pytest.raises(FormatError, match="byte 0"):
        read_native(saved)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_pickle_is_named_as_one(tmp_path):
    import pickle

    (tmp_path / "p").write_bytes(pickle.dumps({"vectors": 1}))
    with pytest.raises(FormatError, match=r"a pickle.*allow_pickle=True"):
        read_native(tmp_path / "p")
    with pytest.raises(FileNotFoundError):
        read_native(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("kind", "words", "changes", "message"),
    [
        ("Other!", WORDS, {}, "kind 'Other!'"),
        ("vectors", ["a", "a", "b"], {}, "a word occurs twice"),
        ("vectors", ["a", 1, "b"], {}, "not the key 1"),
        ("vectors", ["a", "b"], {}, "2 words for 3 rows"),
        ("vectors", WORDS, {"vectors": np.zeros((3, 2))}, "float32"),
        ("vectors", WORDS, {"vectors": np.zeros((3, 0), np.float32)}, "vector_size"),
        ("vectors", WORDS, {"outputs.negative": np.zeros((3, 3), np.float32)}, "outputs.negative"),
        ("vectors", WORDS, {"outputs.hierarchical": np.zeros((3, 2), np.float32)}, "outputs.hierarchical"),
        ("vectors", WORDS, {"vocab.counts": np.array([1, -1, 1])}, "negative count"),
        ("vectors", WORDS, {"attr.x": np.zeros(2)}, "attr.x"),
        ("vectors", WORDS, {"more": np.zeros(3)}, "'more' is no part of a model"),
        ("vectors", WORDS, {"attr.x": np.array(1.0)}, "attr.x"),
        ("vectors", WORDS, {"more": np.array(["x"])}, "dtype"),
        ("vectors", WORDS, {"more": np.array([{}])}, "dtype"),
        ("vectors", WORDS, {"attr.x": np.array([1, np.inf, 1])}, "row 1 of 'attr.x'"),
    ],
)
def test_unloadable_contents_are_not_saved(saved, kind, words, changes, message):
    before = saved.read_bytes()
    with pytest.raises(ValueError, match=message):
        write_native(saved, kind, words, ARRAYS | changes, META)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == [saved.name]


@pytest.mark.parametrize("meta", [{"long": "x" * (1 << 23)}, {"many": [0] * (1 << 18)}], ids=["long", "many values"])
def test_a_header_beyond_the_limit_is_not_written(saved, meta):
    before = saved.read_bytes()
    for target in (saved, held := io.BytesIO()):
        with pytest.raises(ValueError, match="is too long, or has too many values"):
            write_native(target, "word2vec", WORDS, ARRAYS, meta)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == [saved.name]
    assert held.getvalue() == b""


def test_a_header_at_the_limit_is_written_and_read(saved):
    about = native._MAX_HEADER - 4096, native._MAX_VALUES - 200
    for meta in ({"long": "x" * about[0]}, {"many": [0] * about[1]}):
        write_native(saved, "word2vec", WORDS, ARRAYS, meta)
        assert read_native(saved)[3] == meta


HOSTILE_HEADERS = {
    "nested": lambda size: b'{"a":[' + b"[]," * (size // 3) + b"[]]}",
    "pairs": lambda size: b'{"a":[' + b'{"":0},' * (size // 7) + b"0]}",
    "names": lambda size: b"{" + b",".join(b'"%d%s":0' % (i, b"x" * 20) for i in range(size // 31)) + b"}",
    "numbers": lambda size: b'{"a":[' + b"0.5," * (size // 4) + b"0]}",
    "wide": lambda size: b'{"__metadata__":{"w2v":"{\\"a\\":\\"' + "\U0001f600".encode() + b"x" * size + b'\\"}"}}',
}


@pytest.mark.parametrize("size", [8_300_000, 85_000_000])
@pytest.mark.parametrize("kind", HOSTILE_HEADERS)
def test_a_hostile_header_costs_little_memory(kind, size, tmp_path):
    """Of as many values as may be, and of as many bytes; without the limits, 222 MB for 9 MB and 2.3 GB for 85 MB."""
    text = HOSTILE_HEADERS[kind](min(size, 1 << 23) - 100)
    if kind != "wide" and size < 1 << 23:
        fewer = HOSTILE_HEADERS[kind](3 * native._MAX_VALUES)  # what is counted and found to be few enough
        texts = [text, fewer + b" " * (size - len(fewer))]
    else:
        texts = [text]
    for header in texts:
        (tmp_path / "m").write_bytes(struct.pack("<Q", max(size, len(header))) + header)
        os.truncate(tmp_path / "m", 8 + max(size, len(header)))
        tracemalloc.start()
        try:
            for read in (read_native, inspect_native, verify_native):
                with pytest.raises(FormatError):
                    read(tmp_path / "m")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < (100_000_000 if size < 1 << 23 else 1_000_000)


# What changes while it is saved


class Sent(io.RawIOBase):
    """A file that is open for writing and cannot seek, as a pipe."""

    def __init__(self):
        self.data = b""

    def writable(self):
        return True

    def write(self, data):
        self.data += bytes(data)
        return len(data)


def test_a_file_saved_while_another_thread_trains_can_be_loaded(saved):
    rows = np.zeros((40_000, 25), np.float32)
    words, done = [f"w{i}" for i in range(len(rows))], threading.Event()

    def train():
        while not done.is_set():
            np.add(rows, 1, out=rows)

    thread = threading.Thread(target=train)
    thread.start()
    try:
        for _ in range(5):
            sha256 = write_native(saved, "vectors", words, {"vectors": rows}, {})
            assert verify_native(saved) == sha256
            write_native(sent := Sent(), "vectors", words, {"vectors": rows}, {})
            saved.write_bytes(sent.data)
            assert read_native(saved)[1] == words
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("call", ["row_blocks", "check_finite"])
def test_the_bytes_checked_are_the_bytes_written(saved, monkeypatch, call):
    """Right after a block has been copied, or found sound, all becomes NaN."""
    rows, old, whole = np.ones((50, 4), np.float32), saved.read_bytes(), getattr(native, call)

    def blocks(array, dtype=None):
        for block in whole(array, dtype):
            rows[:] = np.nan
            yield block

    def check(array, dtype=None):
        found = whole(array, dtype)
        rows[:] = np.nan
        return found

    words = [f"w{i}" for i in range(50)]
    for block in (1 << 24, 100):
        rows[:] = 1
        with monkeypatch.context() as patch:
            patch.setattr("w2v.files.arrays.BLOCK", block)
            patch.setattr(native, call, blocks if call == "row_blocks" else check)
            if block > 100:
                write_native(saved, "vectors", words, {"vectors": rows}, {})
                saved_rows = read_native(saved)[2]["vectors"]
                saved.write_bytes(old)
            else:  # from the second block on
                with pytest.raises(ValueError, match="row 6 of 'vectors' holds a NaN"):
                    write_native(saved, "vectors", words, {"vectors": rows}, {})
    assert (saved_rows == 1).all()
    assert saved.read_bytes() == old
    assert os.listdir(saved.parent) == [saved.name]


def test_a_file_that_is_open_and_cannot_seek_gets_the_same_bytes(saved):
    write_native(sent := Sent(), "word2vec", WORDS, ARRAYS, META)
    assert sent.data == saved.read_bytes()
    with pytest.raises(ValueError, match="holds a NaN"):
        write_native(sent := Sent(), "vectors", WORDS, {"vectors": np.full((3, 2), np.nan, np.float32)}, {})
    assert sent.data == b""  # it cannot be taken back


def test_a_mapped_file_holds_one_descriptor(saved):
    before = len(os.listdir("/proc/self/fd"))
    arrays = read_native(saved, mmap=True)[2]
    assert len(os.listdir("/proc/self/fd")) == before + 1
    assert len(arrays) == len(ARRAYS)
    del arrays
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_that_shrinks_while_it_is_read_is_refused(saved, monkeypatch):
    write_native(saved, "vectors", WORDS, {"vectors": np.ones((3, 50_000), np.float32)}, {})  # beyond any buffer
    real = native._read_header

    def shrink(file, name):
        found = real(file, name)
        os.truncate(saved, saved.stat().st_size - 1)
        return found

    monkeypatch.setattr("w2v.files.native._read_header", shrink)
    with pytest.raises(TruncatedError, match="ends inside tensor"):
        read_native(saved)


def test_a_whole_model_needs_counts(tmp_path):
    with pytest.raises(ValueError, match=r"'vocab\.counts' is missing"):
        write_native(tmp_path / "m", "word2vec", WORDS, {"vectors": ARRAYS["vectors"]}, {})


def test_saving_does_not_change_the_arrays(saved):
    for array in ARRAYS.values():
        array.flags.writeable = False
    write_native(saved, "word2vec", WORDS, ARRAYS, META)


class Hasty(io.RawIOBase):
    """A file that takes so many bytes of what it is given, as pipes and sockets may, and after some calls nothing."""

    def __init__(self, most):
        self.most, self.taken = most, bytearray()

    def writable(self):
        return True

    def write(self, data):
        if len(self.taken) > 3 * self.most:
            return None
        self.taken += bytes(data[: self.most])
        return self.most


def test_a_raw_file_gets_all_bytes_or_an_error(tmp_path):
    vectors = KeyedVectors.from_arrays(["a", "b"], np.ones((2, 50), np.float32))
    vectors.save(tmp_path / "whole")
    slow = Hasty(1 << 20)
    vectors.save(slow)
    assert bytes(slow.taken) == (tmp_path / "whole").read_bytes()
    with pytest.raises(BlockingIOError):
        vectors.save(Hasty(100))
    with (tmp_path / "raw").open("wb", buffering=0) as raw:
        vectors.save(raw)
        assert not raw.closed
    assert (tmp_path / "raw").read_bytes() == bytes(slow.taken)

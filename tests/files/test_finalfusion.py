"""finalfusion's files: the layout number by number, both ways, and damage with its place."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2v import FormatError, KeyedVectors, load_finalfusion, save_finalfusion

WORDS = ["größe", "", "the"]
VECTORS = np.array([[3, 4], [0, 0], [0.5, -1]], np.float32)


def chunk(kind, body):
    return struct.pack("<IQ", kind, len(body)) + body


def fifu(words=WORDS, vectors=VECTORS, norms=None, kinds=None, extra=b""):
    """A file as finalfusion's own writer lays it out."""
    listed = kinds or ([1, 2] if norms is None else [1, 2, 6])
    data = b"FiFu" + struct.pack(f"<II{len(listed)}I", 0, len(listed), *listed)
    encoded = [word.encode() for word in words]
    data += chunk(1, struct.pack("<Q", len(words)) + b"".join(struct.pack("<I", len(w)) + w for w in encoded))
    padding = bytes(4 - (len(data) + 28) % 4)
    data += chunk(2, struct.pack("<QII", *vectors.shape, 10) + padding + vectors.astype("<f4").tobytes())
    if norms is not None:
        padding = bytes(4 - (len(data) + 24) % 4)
        data += chunk(6, struct.pack("<QI", len(norms), 10) + padding + np.array(norms, "<f4").tobytes())
    return data + extra


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vectors.fifu"


@pytest.mark.parametrize("words", [WORDS, ["a", "b", "c"], ["a" * 1, "bb", "c"], ["aa", "bb", "c" * 3]])
def test_a_file_is_read_whatever_its_padding(path, words):
    path.write_bytes(fifu(words))
    found = load_finalfusion(path)
    assert found.index_to_key == words
    assert np.array_equal(found.vectors, VECTORS)


def test_with_norms_a_row_is_its_unit_times_its_norm(path):
    path.write_bytes(fifu(norms=[5, 0, 2]))
    assert np.array_equal(load_finalfusion(path).vectors, VECTORS * np.array([[5], [0], [2]]))


@given(rows=st.integers(0, 6), width=st.integers(1, 5), seed=st.integers(0, 99))
def test_what_is_written_is_read_again(tmp_path_factory, rows, width, seed):
    path = tmp_path_factory.mktemp("fifu") / "vectors.fifu"
    vectors = np.random.default_rng(seed).standard_normal((rows, width), np.float32)
    words = [f"wörd{n}" * (n + 1) for n in range(rows)]
    save_finalfusion(KeyedVectors.from_arrays(list(words), vectors), path)
    found = load_finalfusion(path)
    assert found.index_to_key == words
    np.testing.assert_allclose(found.vectors, vectors, rtol=3e-7)


DAMAGED = [
    (b"", "byte 0: not a .fifu"),
    (b"FiFu", "ends at byte 4"),
    (b"FiFu" + struct.pack("<II", 1, 2), "byte 4: version 1"),
    (b"FiFu" + struct.pack("<II", 0, 10**9), "chunks"),
    (fifu(kinds=[2, 1]), "a chunk 1, where the list has 2"),
    (fifu(kinds=[1, 1]), "nothing twice"),
    (fifu(kinds=[1]), "one vocabulary and one matrix"),
    (fifu()[:-1], "more than left"),
    (fifu(extra=b"\0"), "the file goes on"),
    (fifu(words=["a", "b", "a"]), "a word occurs twice"),
    (fifu(words=["a", "b"]), "2 words and 3 rows"),
    (fifu(vectors=np.full((3, 2), np.inf, np.float32)), "row 0 of the matrix"),
    (fifu(norms=[1, 2]), "3 words and 2 norms"),
    (fifu(norms=[1, np.nan, 1]), "row 1 of the norms"),
    (fifu().replace(struct.pack("<QII", 3, 2, 10), struct.pack("<QII", 3, 2, 11)), "type 11"),
    (fifu().replace(struct.pack("<QII", 3, 2, 10), struct.pack("<QII", 2**60, 2, 10)), "does not fill its chunk"),
    (fifu().replace(struct.pack("<QI", 3, 7), struct.pack("<QI", 3, 2**31)), "a word of 2,147,483,648 bytes"),
    (fifu().replace(struct.pack("<QI", 3, 7), struct.pack("<QI", 2**60, 7)), "words in"),
    (fifu().replace("größe".encode(), b"gr\xffssen1"[:7]), "not UTF-8"),
]


@pytest.mark.parametrize(("data", "said"), DAMAGED, ids=[said for _, said in DAMAGED])
def test_damage_is_named_with_its_place(path, data, said):
    path.write_bytes(data)
    with pytest.raises(FormatError, match=said):
        load_finalfusion(path)


def test_what_is_not_read_is_named(path):
    path.write_bytes(fifu(kinds=[7, 2]))
    with pytest.raises(ValueError, match="subwords of fastText"):
        load_finalfusion(path)


def test_what_the_format_cannot_hold_is_not_written(path):
    for words, vectors in (([5], VECTORS[:1]), (["\ud800"], VECTORS[:1]), (["a"], np.full((1, 2), np.nan, np.float32))):
        with pytest.raises(ValueError, match=r"vectors\.fifu"):
            save_finalfusion(KeyedVectors.from_arrays(words, vectors), path)
    assert not path.exists()

"""The table under KeyedVectors: look-up, and changes that leave nothing stale."""

import pickle

import numpy as np
import pytest

from w2v.vectors import KeyedVectors


@pytest.fixture
def kv():
    made = KeyedVectors(2)
    made.add_vectors(["east", "north", "far", "none"], [[1, 0], [0, 1], [30, 40], [0, 0]])
    return made


def test_attributes_are_those_that_dependents_compare(kv):
    expected = "expandos index_to_key key_to_index mapfile_path next_index norms vector_size vectors"
    assert set(vars(kv)) == set(expected.split())


def test_a_key_gives_a_read_only_view_and_a_list_a_copy(kv):
    assert kv["far"].tolist() == [30, 40]
    assert kv["far"].base is not None
    with pytest.raises(ValueError, match="read-only"):
        kv["far"][0] = 1
    kv.vectors[2] = 7  # the matrix itself stays writable
    several = kv[["far", "east"]]
    several[0] = 0
    assert kv["far"].tolist() == [7, 7]
    assert kv[[]].shape == (0, 2)
    assert kv[("east", "far")].shape == kv[np.array([0, 2])].shape == (2, 2)


def test_an_int_is_a_key_first_and_a_row_second():
    kv = KeyedVectors(1)
    kv.add_vectors([1, "a", 0], [[10], [11], [12]])
    assert (kv[1][0], kv[0][0], kv[2][0]) == (10, 12, 12)
    assert np.int64(2) in kv
    assert 3 not in kv
    assert -1 not in kv


def test_a_missing_word_says_how_many_there_are_and_what_is_close():
    kv = KeyedVectors(1)
    kv.add_vectors(["queen", "king", "quern", *map(str, range(2000))], np.ones((2003, 1)))
    with pytest.raises(KeyError) as caught:
        kv["qeen"]
    assert str(caught.value) == "'qeen' is not among the 2,003 words kept; close to it: 'queen'"
    with pytest.raises(KeyError) as caught:
        kv.get_index("zebra")
    assert str(caught.value) == "'zebra' is not among the 2,003 words kept"
    copied = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(copied, KeyError)
    assert len(pickle.dumps(caught.value)) < 200
    assert kv.get_index("zebra", default=-7) == -7
    with pytest.raises(KeyError, match="5000 is not"):
        kv[5000]


def test_unit_vectors(kv):
    assert kv.get_vector("far", norm=True) == pytest.approx([0.6, 0.8])
    assert kv.get_vector("none", norm=True).tolist() == [0, 0]
    assert kv.get_normed_vectors() == pytest.approx(np.array([[1, 0], [0, 1], [0.6, 0.8], [0, 0]]))
    assert kv["far"].tolist() == [30, 40]
    assert kv.norms == pytest.approx([1, 1, 50, 0])
    kv.unit_normalize_all()
    assert kv["far"] == pytest.approx([0.6, 0.8])
    assert kv.norms is None


def test_every_write_forgets_the_norms(kv):
    def writes():
        yield lambda: kv.add_vector("south", [0, -2])
        yield lambda: kv.add_vectors(["west"], [[-3, 0]])
        yield lambda: kv.__setitem__("west", [-4, 0])
        yield lambda: kv.__setitem__(["west", "east"], np.array([[-5, 0], [5, 0]]))
        yield kv.resize_vectors
        yield kv.unit_normalize_all
        yield lambda: (kv.set_vecattr("far", "count", 3), kv.sort_by_descending_frequency())

    for write in writes():
        kv.fill_norms()
        write()
        assert kv.norms is None
        assert kv.similar_by_vector([0, 1], topn=1)[0][0] == "north"
        assert kv.norms == pytest.approx(np.linalg.norm(kv.vectors, axis=1))
    assert kv.index_to_key[0] == "far"


def test_norms_follow_a_replaced_matrix(kv):
    kv.fill_norms()
    kv.vectors = np.ones((3, 2), np.float32)
    kv.fill_norms()
    assert len(kv.norms) == 3


def test_mean_vectors(kv):
    assert kv.get_mean_vector(["east", "far"]) == pytest.approx([0.8, 0.4])
    assert kv.get_mean_vector(["east", "far"], pre_normalize=False) == pytest.approx([15.5, 20])
    assert kv.get_mean_vector(["east", "north"], weights=[3, -1]) == pytest.approx([0.75, -0.25])
    assert kv.get_mean_vector(["east", "north"], post_normalize=True) == pytest.approx([0.5**0.5] * 2)
    assert kv.get_mean_vector(["east", "nowhere", np.array([0, 3.0])]) == pytest.approx([0.5, 1.5])
    assert kv.get_mean_vector(["nowhere"]).tolist() == [0, 0]
    assert kv.get_mean_vector(["east"], weights=[0]).tolist() == [0, 0]
    assert kv.get_mean_vector(["east"]).dtype == np.float32
    with pytest.raises(ValueError, match="no keys"):
        kv.get_mean_vector([])
    with pytest.raises(ValueError, match="2 keys, but weights"):
        kv.get_mean_vector(["east", "far"], weights=[1])
    with pytest.raises(KeyError, match="nowhere"):
        kv.get_mean_vector(["nowhere"], ignore_missing=False)


def test_adding_keeps_the_dtype_and_what_is_there(kv):
    kv.add_vectors(["far", "west", "west"], np.array([[9, 9], [-1, 0], [-2, 0]], np.float64))
    assert kv.vectors.dtype == np.float32
    assert kv["far"].tolist() == [30, 40]
    assert kv["west"].tolist() == [-1, 0]
    kv.add_vectors(["far", "far"], [[8, 8], [9, 9]], replace=True)
    assert kv["far"].tolist() == [9, 9]
    assert len(kv) == 5 == len(kv.vectors)
    kv["up"] = np.array([5.0, 5.0])
    assert kv["up"].tolist() == [5, 5]
    with pytest.raises(ValueError, match="not \\[2, 2\\]"):
        kv[["a", "b"]] = [[1, 2]]
    with pytest.raises(ValueError, match="not \\[1, 2\\]"):
        kv["a"] = [1, 2, 3]
    assert "a" not in kv
    kv.add_vectors("one", [1, 1])
    assert kv["one"].tolist() == [1, 1]


def test_extras_reach_the_right_rows(kv):  # gensim raises ValueError here
    kv.add_vectors(["west", "east"], [[-1, 0], [2, 0]], extras={"count": [5, 6]}, replace=True)
    assert kv.expandos["count"].tolist() == [6, 0, 0, 0, 5]
    kv.add_vectors(["up", "east"], [[1, 1], [3, 0]], extras={"count": np.array([7, 8])})
    assert kv.expandos["count"].tolist() == [6, 0, 0, 0, 5, 7]
    assert kv["east"].tolist() == [2, 0]
    with pytest.raises(ValueError, match="give one for each"):
        kv.add_vectors(["x"], [[1, 1]], extras={"count": [1, 2]})


def test_vectors_mapped_read_only_are_copied_before_a_change(kv):
    kv.vectors.flags.writeable = False
    kv["east"] = [2, 0]
    assert kv["east"].tolist() == [2, 0]


def test_rows_allocated_ahead_are_filled_first():
    kv = KeyedVectors(2, count=2)
    assert (len(kv), kv.index_to_key) == (2, [None, None])
    assert [kv.add_vector(key, [i, 1]) for i, key in enumerate("abc")] == [0, 1, 2]
    assert kv.add_vector("a", [9, 9]) == 0
    assert kv.index_to_key == ["a", "b", "c"]
    assert kv.vectors.tolist() == [[0, 1], [1, 1], [2, 1]]
    with pytest.raises(ValueError, match="at least 1"):
        KeyedVectors(0)


def test_attributes_of_words(kv):
    kv.set_vecattr("far", "count", 5)
    assert kv.get_vecattr("far", "count") == 5
    assert kv.expandos["count"].dtype == np.int64
    kv.add_vector("up", [1, 1])
    assert kv.expandos["count"].tolist() == [0, 0, 5, 0, 0]
    kv.set_vecattr("far", "tag", "noun")
    assert kv.get_vecattr("far", "tag") == "noun"
    with pytest.raises(TypeError, match="'count' holds int64, not float64"):
        kv.set_vecattr("far", "count", 5.5)
    with pytest.raises(KeyError):
        kv.get_vecattr("far", "other")


def test_sorting_moves_everything_and_reverses_ties(kv):
    for key, count in [("east", 1), ("north", 3), ("far", 1), ("none", 3)]:
        kv.set_vecattr(key, "count", count)
    kv.sort_by_descending_frequency()
    assert kv.index_to_key == ["none", "north", "far", "east"]
    assert kv.expandos["count"].tolist() == [3, 3, 1, 1]
    assert kv["far"].tolist() == [30, 40]


def test_sorting_before_there_are_vectors():
    kv = KeyedVectors(2)
    kv.sort_by_descending_frequency()
    kv.index_to_key = ["a", "b"]
    kv.sort_by_descending_frequency()
    assert kv.index_to_key == ["a", "b"]
    kv.expandos["count"] = np.array([1, 2])
    kv.sort_by_descending_frequency()
    assert kv.key_to_index == {"b": 0, "a": 1}


def test_resizing_keeps_old_rows_and_draws_new_ones():
    kv = KeyedVectors(4)
    kv.add_vectors(["a"], [[1, 2, 3, 4]])
    kv.index_to_key += ["b", "c"]
    kv.resize_vectors(seed=3)
    assert kv["a"].tolist() == [1, 2, 3, 4]
    assert (np.abs(kv.vectors[1:]) <= 0.25).all()
    assert len(np.unique(kv.vectors[1:])) == 8
    first = kv.vectors.copy()
    kv.index_to_key.append("d")
    kv.resize_vectors(seed=3)
    assert (kv.vectors[:3] == first).all()


def test_pickle_keeps_the_table(kv):
    copied = pickle.loads(pickle.dumps(kv))
    assert copied.index_to_key == kv.index_to_key
    assert (copied.vectors == kv.vectors).all()

"""The table under KeyedVectors: look-up, and changes that leave nothing stale."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2v import Word2Vec
from w2v.vectors import queries, spelling
from w2v.vectors.keyed import KeyedVectors
from w2v.vectors.spelling import near_words


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


def test_a_missing_word_reports_the_count_and_close_spellings():
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


def test_close_words_are_other_cases_first_then_few_edits():
    keys = ["rivet", "river", "RIVER", "rover", "quiver", "liver", "a", "receive", 7]
    assert near_words("River", keys) == ["river", "RIVER", "rivet"]
    assert near_words("River", keys, count=9) == ["river", "RIVER", "rivet", "rover", "liver"]
    assert near_words("recieve", keys) == ["receive"]
    assert near_words("Recieved", keys) == []
    assert near_words("RECEIVED", dict.fromkeys(keys)) == ["receive"]
    assert near_words("b", keys) == ["a"]
    assert near_words("", keys) == near_words(7, keys) == near_words("x", []) == []
    assert near_words("\ud800x", ["\ud800y", "x\0"]) == ["\ud800y"]


@settings(deadline=None, max_examples=100)
@given(word=st.text(max_size=6), others=st.lists(st.text(max_size=6), min_size=1, max_size=6))
def test_edit_distances_are_those_of_the_textbook(word, others):
    def distance(a, b):
        if not a or not b:
            return len(a) + len(b)
        other = min(distance(a[1:], b), distance(a, b[1:])) + 1
        return min(other, distance(a[1:], b[1:]) + (a[0] != b[0]))

    assert spelling._edits(word, others).tolist() == [distance(word, other) for other in others]


def test_a_miss_among_long_words_is_told_at_once():
    script = """
import random, numpy
from w2v import KeyedVectors
words = ["a" + "".join(random.Random(i).choices("ab", k=2000)) for i in range(3000)]
kv = KeyedVectors.from_arrays(words, numpy.ones((3000, 1)))
try:
    kv["ab" * 1000]
except KeyError as error:
    print(len(str(error)) < 200)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "True\n"


def test_bytes_are_no_key_in_any_method(kv):
    for ask in (
        lambda: kv[b"east"],
        lambda: kv[[b"east"]],
        lambda: b"east" in kv,
        lambda: kv.get_index(b"east", default=0),
        lambda: kv.get_vector(b"east"),
        lambda: kv.get_mean_vector(b"east"),
        lambda: kv.get_mean_vector(["east", b"far"]),
        lambda: kv.add_vector(b"up", [1, 1]),
        lambda: kv.add_vectors(b"up", [[1, 1], [2, 2]]),
        lambda: kv.add_vectors([b"up"], [[1, 1]]),
        lambda: kv.__setitem__(b"up", [1, 1]),
    ):
        with pytest.raises(TypeError, match=r"is bytes, and words are str; decode it"):
            ask()
    assert len(kv) == 4


def test_a_string_is_not_the_list_of_its_characters(kv):
    with pytest.raises(TypeError, match="keys='east' is a string, not a list of words"):
        kv.get_mean_vector("east")
    with pytest.raises(TypeError, match=r"keys=3\.5 must be a list of words"):
        kv.get_mean_vector(3.5)


@pytest.mark.parametrize("weights", [[np.nan, 1], [1, np.inf], [True, False], ["a", "b"], [None, 1]])
def test_weights_are_finite_numbers(kv, weights):
    with pytest.raises((TypeError, ValueError), match="weights="):
        kv.get_mean_vector(["east", "far"], weights=weights)


def cosines_of(rows):
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1)
    return pytest.approx(rows @ rows[0].astype(np.float64) / lengths / lengths[0], abs=1e-6)


def asked(kv):
    """Every way to the cosines of the first word with all."""
    first, everything = kv.index_to_key[0], range(len(kv))
    yield kv.most_similar(first, topn=None)
    yield [dict(kv.most_similar_batch([first], topn=9)[0]).get(key, 1) for key in kv.index_to_key]
    yield 1 - kv.distances(first)
    yield 1 - kv.distances(first, list(everything))
    yield [kv.similarity(first, i) for i in everything]
    yield kv.get_normed_vectors() @ kv.get_vector(first, norm=True)
    yield 2 * kv.most_similar_cosmul(first, topn=None) * (1 + 1e-6) - 1  # over nothing and an epsilon


def wild(seed, rows=7):
    return (np.random.default_rng(seed).normal(size=(rows, 5)) * 10.0 ** np.arange(-3, rows - 3)[:, None]).astype("f4")


@pytest.fixture
def scaled():
    return KeyedVectors.from_arrays([f"w{i}" for i in range(7)], wild(0))


def test_rows_written_in_place_give_their_own_cosines(scaled):
    for seed in range(1, 4):
        list(asked(scaled))  # norms are known, and stale after the next line
        scaled.vectors[:] = wild(seed)
        for found in asked(scaled):
            assert found == cosines_of(scaled.vectors)


def test_any_holder_of_the_matrix_may_write_to_it(scaled):
    def holders():
        yield scaled.vectors
        yield scaled.vectors[1:]
        yield np.asarray(memoryview(scaled.vectors))
        scaled.vectors = own = wild(1)
        yield own
        scaled.vectors = own[:, ::-1]
        yield own

    for held in holders():
        for seed in range(2, 5):
            list(asked(scaled))
            held[:] = wild(seed)[: len(held)]
            for found in asked(scaled):
                assert found == cosines_of(scaled.vectors)


def test_norms_are_measured_once_while_nobody_holds_the_rows(scaled, monkeypatch):
    measured = []
    monkeypatch.setattr(queries, "row_norms", lambda v, real=queries.row_norms: measured.append(len(v)) or real(v))

    def whole():
        del measured[:]
        for _ in range(3):
            scaled.most_similar(negative=[np.ones(5)])
        return measured.count(7)

    assert whole() == 1
    row, several = scaled["w3"], scaled[["w1", "w2"]]
    assert whole() == 0, "rows that queries gave out cannot be written to"
    scaled.vectors[3] = 1
    assert whole() == 1
    held = scaled.vectors
    assert whole() == 3
    del held
    assert whole() == 1
    with pytest.raises(ValueError, match=r"WRITEABLE|read-only"):
        row.flags.writeable = True
    assert len(several) == 2


def test_norms_of_a_trained_model_are_remembered():
    model = Word2Vec([["a", "b", "c", "d"]] * 50, vector_size=20, min_count=1, workers=1, sample=0)
    assert not model.wv._is_lent()
    assert model.output_vectors._is_lent()  # by the model
    model.wv.most_similar("a")
    norms = model.wv.norms
    model.wv.most_similar("b")
    assert model.wv.norms is norms
    model.train([["a", "b", "c", "d"]] * 50, total_examples=50, epochs=1)
    assert dict(model.wv.most_similar("a", topn=9)) == {
        key: pytest.approx(float(model.wv.similarity("a", key)), abs=1e-6)
        for key in model.wv.index_to_key
        if key != "a"
    }


def test_a_model_in_training_holds_its_rows():
    class Corpus:
        def __iter__(self):
            lent.append(model is not None and model.wv._is_lent())
            return iter([["a", "b", "c", "d"]] * 50)

    lent, model = [], None
    model = Word2Vec(vector_size=20, min_count=1, workers=1, epochs=2, cache="none")
    model.build_vocab(Corpus())
    del lent[:]
    model.train(Corpus(), total_examples=50, epochs=2)
    assert lent[-2:] == [True, True]
    assert not model.wv._is_lent()


def test_a_write_in_the_middle_of_a_query_is_seen(scaled, monkeypatch):
    def interrupted(vectors, norms, query, real=queries.cosines):
        if norms is not None:
            scaled.vectors[:] = wild(3)
        return real(vectors, norms, query)

    list(asked(scaled))
    monkeypatch.setattr(queries, "cosines", interrupted)
    found = scaled.most_similar([scaled.vectors[0].copy()], topn=None)
    expected = wild(3).astype(np.float64) @ wild(0)[0]
    assert found == pytest.approx(expected / np.linalg.norm(wild(3), axis=1) / np.linalg.norm(wild(0)[0]), abs=1e-6)


def test_norms_filled_on_request_stay(scaled):
    held = scaled.vectors
    held[0] = [3, 4, 0, 0, 0]
    scaled.fill_norms()
    assert scaled.norms[0] == pytest.approx(5)
    held[0] = [6, 8, 0, 0, 0]
    assert (scaled.vectors / scaled.norms[:, None])[0].tolist() == pytest.approx([1.2, 1.6, 0, 0, 0])
    scaled.fill_norms()
    assert scaled.norms[0] == pytest.approx(10)


def test_copies_and_pickles_are_of_the_attributes_alone(scaled):
    scaled.fill_norms()
    for made in (copy.copy(scaled), copy.deepcopy(scaled), pickle.loads(pickle.dumps(scaled))):
        assert vars(made).keys() == vars(scaled).keys()
        made.vectors[:] = wild(5)
        for found in asked(made):
            assert found == cosines_of(wild(5))
    assert scaled.vectors[0].tolist() == wild(5)[0].tolist()  # the shallow copy has the same matrix
    for found in asked(scaled):
        assert found == cosines_of(wild(5))


def test_whoever_holds_the_memory_under_the_matrix_may_write_to_it(scaled):
    memory = bytearray(wild(1).tobytes())
    scaled.vectors = np.frombuffer(memory, np.float32).reshape(7, 5)
    for seed in range(2, 5):
        list(asked(scaled))
        memory[:] = wild(seed).tobytes()
        for found in asked(scaled):
            assert found == cosines_of(wild(seed))
    del memory
    assert not scaled._is_lent()
    constant = wild(1).tobytes()
    scaled.vectors = np.frombuffer(constant, np.float32).reshape(7, 5)
    assert not scaled._is_lent()


def test_vectors_of_integers_are_asked_and_scaled():
    numbers = np.arange(1, 13).reshape(4, 3) * [1, -1, 1]
    whole, exact = (KeyedVectors.from_arrays(list("abcd"), numbers.astype(kind)) for kind in (np.int64, np.float64))
    for ask in (lambda v: v.most_similar("a"), lambda v: v.most_similar_cosmul(["a"])):
        assert [key for key, _ in ask(whole)] == [key for key, _ in ask(exact)]
    assert whole.doesnt_match(list("abc")) == exact.doesnt_match(list("abc"))
    whole.unit_normalize_all()
    assert np.linalg.norm(whole.vectors, axis=1) == pytest.approx(1)

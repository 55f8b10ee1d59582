"""KeyedVectors: similarity with answers known by construction, against brute force, and its files."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from w2v.files.errors import FormatError
from w2v.files.native import write_native
from w2v.vectors.keyed import KeyedVectors, _load_word2vec_format, load_word2vec_format


def circle(*degrees, scale=1.0):
    """Words d<angle> on a circle: their cosines are known."""
    angles = np.radians(degrees)
    kv = KeyedVectors(2)
    kv.add_vectors([f"d{d}" for d in degrees], scale * np.stack([np.cos(angles), np.sin(angles)], 1))
    return kv


@pytest.fixture(scope="module")
def cloud():
    """300 random words on a row-padded matrix, as training leaves it."""
    rng = np.random.default_rng(7)
    matrix = np.full((300, 32), 1e30, np.float32)
    matrix[:, :20] = rng.normal(size=(300, 20)) * rng.lognormal(size=(300, 1))
    kv = KeyedVectors(20)
    kv.add_vectors([f"w{i}" for i in range(300)], np.zeros((300, 20)))
    kv.vectors = matrix[:, :20]
    return kv


def unit_rows(kv):
    exact = np.array(kv.vectors, np.float64)
    return exact / np.linalg.norm(exact, axis=1, keepdims=True)


def brute(scores, topn, exclude):
    rows = sorted(set(range(len(scores))) - set(exclude), key=lambda row: (-scores[row], row))
    return [f"w{row}" for row in rows[:topn]], pytest.approx([scores[row] for row in rows[:topn]], abs=1e-6)


def test_the_nearest_on_a_circle():
    kv = circle(0, 90, 10, 180, 30, scale=3)
    found = kv.most_similar("d0", topn=3)
    assert [word for word, _ in found] == ["d10", "d30", "d90"]
    assert [score for _, score in found] == pytest.approx([math.cos(math.radians(d)) for d in (10, 30, 90)], abs=1e-6)
    assert type(found[0][1]) is float
    assert kv.most_similar(negative=["d0"], topn=1) == [("d180", pytest.approx(1))]
    assert [word for word, _ in kv.most_similar(["d0", "d90"], topn=1)] == ["d30"]


def test_a_query_by_vector_finds_its_own_word_first(cloud):
    for row in range(0, 300, 29):
        assert cloud.similar_by_vector(cloud.vectors[row], topn=1) == [(f"w{row}", pytest.approx(1, abs=1e-6))]
        assert f"w{row}" not in [word for word, _ in cloud.most_similar(row, topn=300)]


def test_most_similar_is_brute_force(cloud):
    units = unit_rows(cloud)
    for a, b, c in [(0, 1, 2), (5, 299, 17), (40, 41, 42)]:
        mean = units[a] + 0.3 * units[b] - units[c]
        scores = units @ (mean / np.linalg.norm(mean))
        found = cloud.most_similar([f"w{a}", (f"w{b}", 0.3)], [f"w{c}"], topn=25)
        words, values = brute(scores, 25, {a, b, c})
        assert [word for word, _ in found] == words
        assert [score for _, score in found] == values
        everything = cloud.most_similar([f"w{a}", (f"w{b}", 0.3)], [f"w{c}"], topn=None)
        assert everything == pytest.approx(scores, abs=1e-6)
        assert everything.dtype == np.float32


def test_restrictions_look_only_at_their_rows(cloud):
    scores = unit_rows(cloud) @ unit_rows(cloud)[250]
    restricted = [word for word, _ in cloud.most_similar("w250", restrict_vocab=100, clip_start=50)]
    assert restricted == brute(scores[:100], 10, set())[0]
    clipped = [word for word, _ in cloud.most_similar("w250", topn=99, clip_start=240, clip_end=260)]
    assert len(clipped) == 19
    assert set(clipped) == {f"w{i}" for i in range(240, 260)} - {"w250"}
    assert cloud.most_similar("w250", topn=None, clip_start=3, clip_end=7) == pytest.approx(scores[3:7], abs=1e-6)


def test_items_may_be_words_rows_vectors_and_weighted_pairs(cloud):
    word = cloud.most_similar("w5")
    assert cloud.most_similar(5) == cloud.most_similar(["w5"]) == cloud.most_similar([("w5", 2.0)]) == word
    assert cloud.most_similar(np.int64(5)) == cloud.most_similar(("w5",)) == word
    assert cloud.similar_by_word("w5") == cloud.similar_by_key("w5") == word
    # The same path of arithmetic, hence the same bits:
    by_vector = cloud.most_similar(positive=[cloud.get_vector("w5", norm=True)], topn=11)
    assert [pair for pair in by_vector if pair[0] != "w5"] == word
    # The weight of a pair carries its sign, as in gensim:
    assert cloud.most_similar(["w1"], [("w2", -1.0)]) == cloud.most_similar(["w1"], ["w2"])


def test_topn_below_one_is_an_empty_answer(cloud):
    for topn in (0, -1, np.uint8(0)):
        assert cloud.most_similar("w1", topn=topn) == cloud.most_similar_cosmul("w1", topn=topn) == []
    assert len(cloud.most_similar(["w1", "w2"], topn=np.uint8(255))) == 255


def test_an_indexer_may_answer(cloud):
    class Indexer:
        def most_similar(self, vector, topn):
            return vector, topn

    vector, topn = cloud.most_similar("w1", topn=3, indexer=Indexer())
    assert topn == 3
    assert vector == pytest.approx(unit_rows(cloud)[1])


def test_equal_scores_come_in_row_order():
    kv = KeyedVectors(2)
    kv.add_vectors([f"w{i}" for i in range(100)], np.tile([1.0, 1.0], (100, 1)))
    assert [word for word, _ in kv.most_similar("w3", topn=4)] == ["w0", "w1", "w2", "w4"]
    assert [word for word, _ in kv.most_similar_batch(["w3"], topn=4)[0]] == ["w0", "w1", "w2", "w4"]


def test_zero_vectors_have_similarity_zero_and_no_warning():
    kv = circle(0, 90)
    kv.add_vector("zero", [0, 0])
    assert kv.similarity("zero", "d0") == 0 == kv.similarity("zero", "zero")
    assert kv.most_similar("zero") == [("d0", 0.0), ("d90", 0.0)]
    assert dict(kv.most_similar("d0"))["zero"] == 0
    assert kv.most_similar("d0", "d0") == [("d90", 0.0), ("zero", 0.0)]
    assert kv.most_similar_batch(["zero"]) == [[("d0", 0.0), ("d90", 0.0)]]
    assert kv.n_similarity(["zero"], ["d0"]) == 0
    assert kv.distances("zero").tolist() == [1, 1, 1]
    assert np.isfinite([score for _, score in kv.most_similar_cosmul("zero", "zero")]).all()
    assert kv.relative_cosine_similarity("zero", "d0") == 0


def test_malformed_queries_are_refused(cloud):
    for ask in (cloud.most_similar, cloud.most_similar_cosmul):
        with pytest.raises(KeyError, match="'nowhere' is not among the 300 words kept"):
            ask(["w1", "nowhere"])
        with pytest.raises(ValueError, match="NaN"):
            ask([np.full(20, np.nan)])
        with pytest.raises(ValueError, match=r"shape \(3,\), where vector_size is 20"):
            ask([np.ones(3)])
        with pytest.raises(ValueError, match=r"no keys|nothing"):
            ask()
    with pytest.raises(KeyError):
        cloud.most_similar_batch(["w1", "nowhere"])
    with pytest.raises(ValueError, match="NaN"):
        cloud.distances(np.full(20, np.inf))


def test_cosmul_is_brute_force(cloud):
    shifted = lambda row: (1 + unit_rows(cloud) @ unit_rows(cloud)[row]) / 2  # noqa: E731
    scores = shifted(1) * shifted(2) / (shifted(3) + 1e-6)
    found = cloud.most_similar_cosmul(["w1", 2], "w3", topn=12)
    words, _ = brute(scores, 12, {1, 2, 3})
    assert [word for word, _ in found] == words
    assert [score for _, score in found] == pytest.approx([scores[int(word[1:])] for word in words], rel=1e-4)
    assert cloud.most_similar_cosmul(["w1", "w2"], ["w3"], topn=None) == pytest.approx(scores, rel=1e-4)
    assert len(cloud.most_similar_cosmul(["w1"], topn=500, restrict_vocab=50)) == 49
    assert cloud.most_similar_cosmul([cloud["w1"]], topn=1)[0] == ("w1", pytest.approx(1))


def test_a_batch_gives_what_single_queries_give(cloud):
    words = [f"w{i}" for i in range(0, 300, 7)] + [0, "w0"]
    for options in ({}, {"topn": 3, "restrict_vocab": 60}, {"topn": 1000}):
        batch = cloud.most_similar_batch(words, **options)
        for word, found in zip(words, batch, strict=True):
            single = cloud.most_similar(word, **options)
            assert [key for key, _ in found] == [key for key, _ in single]
            assert [score for _, score in found] == pytest.approx([score for _, score in single], abs=1e-6)
    assert cloud.most_similar_batch([]) == []
    assert cloud.most_similar_batch(["w1"], topn=0) == [[]]


def test_similarities_and_distances_of_known_angles():
    kv = circle(0, 60, 90, 180, scale=7)
    assert kv.similarity("d0", "d60") == pytest.approx(0.5)
    assert type(kv.similarity("d0", "d60")) is np.float32
    assert kv.distance("d0", "d180") == pytest.approx(2)
    assert kv.distances("d0") == pytest.approx([0, 0.5, 1, 2], abs=1e-6)
    assert kv.distances(kv["d0"], ["d180", "d60"]) == pytest.approx([2, 0.5], abs=1e-6)
    assert kv.n_similarity(["d0", "unknown"], ["d0", "d60"]) == pytest.approx(math.cos(math.radians(30)))
    with pytest.raises(ZeroDivisionError):
        kv.n_similarity([], ["d0"])
    cosines = KeyedVectors.cosine_similarities(kv["d0"], np.concatenate([kv.vectors, np.zeros((1, 2))]))
    assert cosines == pytest.approx([1, 0.5, 0, -1, 0], abs=1e-6)


def test_odd_ones_and_ranks():
    kv = circle(0, 10, 20, 30, 120)
    assert kv.doesnt_match(["d0", "d120", "d20", "unknown"]) == "d120"
    ranked = kv.rank_by_centrality(["d0", "d20", "d30"])
    assert [word for _, word in ranked] == ["d20", "d0", "d30"] or ranked[0][1] == "d20"
    assert ranked[0][0] > ranked[-1][0]
    with pytest.raises(ValueError, match="none of"):
        kv.doesnt_match(["unknown"])
    assert kv.most_similar_to_given("d0", ["d120", "d30", "d20"]) == "d20"
    assert kv.closer_than("d0", "d30") == ["d10", "d20"]
    assert (kv.rank("d0", "d10"), kv.rank("d0", "d120")) == (1, 4)
    expected = math.cos(math.radians(20)) / (math.cos(math.radians(10)) + math.cos(math.radians(20)))
    assert kv.relative_cosine_similarity("d0", "d20", topn=2) == pytest.approx(expected)
    with pytest.raises(ValueError, match="topn=0"):
        kv.relative_cosine_similarity("d0", "d20", topn=0)


def test_vectors_for_all_keeps_the_known_in_the_order_asked(cloud):
    cloud.set_vecattr("w9", "count", 4)
    made = cloud.vectors_for_all(iter(["w9", "nowhere", "w2", "w9"]), copy_vecattrs=True)
    assert made.index_to_key == ["w9", "w2"]
    assert (made["w2"] == cloud["w2"]).all()
    assert made.get_vecattr("w9", "count") == 4
    assert cloud.vectors_for_all(["w9", "w2"]).expandos["count"].tolist() == [2, 1]


def test_queries_leave_the_vectors_alone(cloud):
    before, words = cloud.vectors.copy(), dict(cloud.key_to_index)
    cloud.vectors.flags.writeable = False
    try:
        cloud.most_similar(["w1", "w2"], ["w3"])
        cloud.most_similar_batch(["w1"])
        cloud.most_similar_cosmul("w1")
        cloud.get_normed_vectors()
    finally:
        cloud.vectors.flags.writeable = True
    assert (cloud.vectors == before).all()
    assert cloud.key_to_index == words


@settings(deadline=None, max_examples=60)
@given(
    words=st.lists(st.text(st.characters(codec=None)), unique=True, max_size=8),
    data=st.data(),
)
def test_any_words_and_floats_are_saved_and_loaded(tmp_path_factory, words, data):
    values = data.draw(
        arrays(np.float32, (len(words), 3), elements=st.floats(width=32, allow_nan=False, allow_infinity=False))
    )
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    kv = KeyedVectors(3)
    kv.add_vectors(words, values, extras={"count": np.arange(len(words))})
    kv.save(path)
    for loaded in (
        KeyedVectors.load(path),
        KeyedVectors.load(path, mmap="r"),
        KeyedVectors.load(path, mmap=True),
    ):
        assert loaded.index_to_key == words
        assert loaded.vectors.tobytes() == values.tobytes()
        assert loaded.expandos["count"].tolist() == list(range(len(words)))
        assert vars(loaded).keys() == vars(kv).keys()


def test_saving_keeps_numeric_attributes_and_refuses_others(tmp_path, cloud):
    kv = cloud.vectors_for_all(["w1", "w2", "w3"])
    kv.set_vecattr("w1", "count", 5)
    kv.set_vecattr("w2", "weight", 0.5)
    kv.save(tmp_path / "a")
    loaded = KeyedVectors.load(tmp_path / "a")
    assert loaded.get_vecattr("w1", "count") == 5
    assert loaded.get_vecattr("w2", "weight") == 0.5
    assert loaded.expandos["weight"].dtype == np.float64
    kv.set_vecattr("w2", "tag", "noun")
    with pytest.raises(ValueError, match="attribute 'tag' holds object"):
        kv.save(tmp_path / "a")
    assert KeyedVectors.load(tmp_path / "a").index_to_key == ["w1", "w2", "w3"]


def test_saving_refuses_contents_that_the_format_cannot_hold(tmp_path):
    kv = KeyedVectors(2, dtype=np.float64)
    with pytest.raises(ValueError, match="float32, not float64"):
        kv.save(tmp_path / "a")
    kv = KeyedVectors(2, count=1)
    with pytest.raises(ValueError, match="not the key None"):
        kv.save(tmp_path / "a")
    kv = KeyedVectors(2)
    kv.add_vectors(["a"], [[1, np.nan]])
    with pytest.raises(ValueError, match="row 0 of 'vectors' holds a NaN"):
        kv.save(tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_a_mapped_file_is_read_only_until_it_is_changed(tmp_path, cloud):
    cloud.vectors_for_all(["w1", "w2", "w3"]).save(tmp_path / "a")
    kv = KeyedVectors.load(tmp_path / "a", mmap="r")
    assert not kv.vectors.flags.writeable
    assert [word for word, _ in kv.most_similar("w1")] == [
        word for word, _ in KeyedVectors.load(tmp_path / "a").most_similar("w1")
    ]
    kv["w1"] = np.ones(20)
    assert (KeyedVectors.load(tmp_path / "a")["w1"] == cloud["w1"]).all()
    with pytest.raises(ValueError, match="mmap='r'"):
        KeyedVectors.load(tmp_path / "a", mmap="r+")


def test_the_vectors_of_a_whole_model_are_loaded(tmp_path):
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    arrays_ = {"vectors": matrix, "outputs.negative": matrix * 2, "vocab.counts": np.array([3, 1])}
    write_native(tmp_path / "m", "word2vec", ["a", "b"], arrays_, {"seed": 1})
    kv = KeyedVectors.load(tmp_path / "m")
    assert kv["b"].tolist() == [3, 4, 5]
    assert kv.get_vecattr("a", "count") == 3
    assert list(kv.expandos) == ["count"]


def test_word2vec_files_are_sorted_by_count_and_come_back(tmp_path):
    kv = KeyedVectors(2)
    kv.add_vectors(["a", "b", "c"], [[1, 0.1], [1e-5, 1e20], [3.25, -0.0]], extras={"count": [1, 3, 3]})
    kv.save_word2vec_format(tmp_path / "v.txt", fvocab=tmp_path / "voc")
    assert (tmp_path / "v.txt").read_bytes() == b"3 2\nb 1e-05 1e+20\nc 3.25 -0.0\na 1.0 0.1\n"
    assert (tmp_path / "voc").read_bytes() == b"b 3\nc 3\na 1\n"
    loaded = load_word2vec_format(tmp_path / "v.txt", fvocab=tmp_path / "voc")
    assert loaded.index_to_key == ["b", "c", "a"]
    assert loaded.expandos["count"].tolist() == [3, 3, 1]
    assert all((loaded[word] == kv[word]).all() for word in "abc")
    made_up = KeyedVectors.load_word2vec_format(tmp_path / "v.txt", limit=2)
    assert made_up.expandos["count"].tolist() == [2, 1]
    (tmp_path / "voc").write_text("b 3\na 1\n")
    with pytest.raises(FormatError, match="no count for the word 'c'"):
        load_word2vec_format(tmp_path / "v.txt", fvocab=tmp_path / "voc")


def test_word2vec_files_with_prefix_total_and_appended_rows(tmp_path):
    first, second = circle(0), circle(90)
    path = tmp_path / "v.bin"
    first.save_word2vec_format(path, binary=True, total_vec=2, prefix="*")
    second.save_word2vec_format(path, binary=True, write_header=False, append=True)
    kv = KeyedVectors.load_word2vec_format(path, binary=True)
    assert kv.index_to_key == ["*d0", "d90"]
    for chunk in (5, 16, 1024):
        again = _load_word2vec_format(KeyedVectors, path, binary=True, limit=1, binary_chunk_size=chunk)
        assert again.index_to_key == ["*d0"]


def test_int_keys_that_are_their_row_come_first_and_once(tmp_path):
    kv = KeyedVectors(1)
    kv.add_vectors([0, 1, "x", "y"], np.arange(4).reshape(4, 1), extras={"count": [1, 2, 3, 4]})
    kv.save_word2vec_format(tmp_path / "v")
    assert (tmp_path / "v").read_text() == "4 1\n0 0.0\n1 1.0\ny 3.0\nx 2.0\n"


def test_a_vocabulary_file_needs_the_attribute(tmp_path):
    with pytest.raises(ValueError, match="no attribute 'count'"):
        circle(0).save_word2vec_format(tmp_path / "v", fvocab=tmp_path / "voc")
    assert not list(tmp_path.iterdir())


def test_load_points_to_the_loader_of_other_formats(tmp_path):
    circle(0, 1).save_word2vec_format(tmp_path / "v.txt")
    circle(0, 1).save_word2vec_format(tmp_path / "v.bin", binary=True)
    for name in ("v.txt", "v.bin"):
        with pytest.raises(FormatError, match=r"load_word2vec_format\(\)"):
            KeyedVectors.load(tmp_path / name)
    (tmp_path / "v.pkl").write_bytes(b"\x80\x04\x95" + bytes(100))
    with pytest.raises(FormatError, match=r"a pickle.*allow_pickle=True"):
        KeyedVectors.load(tmp_path / "v.pkl")


def test_skipped_rows_are_listed_on_demand(tmp_path):
    (tmp_path / "v").write_text("3 2\na 1 2\nb 1\na 3 4\n")
    skipped = ["before"]
    kv = KeyedVectors.load_word2vec_format(tmp_path / "v", errors="skip", skipped=skipped)
    assert kv.index_to_key == ["a"]
    assert skipped == [
        "before",
        (3, "not 2 numbers after the word"),
        (4, "the word 'a' occurs a second time"),
    ]
    assert vars(kv).keys() == vars(circle(0)).keys()


def test_arrays_are_taken_over_as_they_are():
    vectors, counts = np.ones((2, 3), np.float32), np.array([2, 1])
    for keys in (["a", "b"], {"a": 0, "b": 1}):
        kv = KeyedVectors.from_arrays(keys, vectors, {"count": counts})
        assert kv.vectors is vectors
        assert kv.expandos["count"] is counts
        assert (kv.index_to_key, kv.key_to_index, kv.vector_size) == (["a", "b"], {"a": 0, "b": 1}, 3)
        assert vars(kv).keys() == vars(KeyedVectors(3)).keys()
        assert kv.add_vector("c", [1, 2, 3]) == 2


def test_a_subclass_loads_as_itself(tmp_path):
    class Mine(KeyedVectors):
        pass

    circle(0, 1).save(tmp_path / "a")
    circle(0, 1).save_word2vec_format(tmp_path / "b")
    assert type(Mine.load(tmp_path / "a")) is type(Mine.load_word2vec_format(tmp_path / "b")) is Mine
    assert str(Mine.load(tmp_path / "a")) == "Mine<vector_size=2, 2 keys>"


LISTS = {
    "words": lambda kv, words: (kv.doesnt_match(words), kv.most_similar_batch(words), kv.rank_by_centrality(words)),
    "keys": lambda kv, words: (kv.vectors_for_all(words), kv.rows_of(words)),
    "ws1": lambda kv, words: kv.n_similarity(words, ["d0"]),
    "ws2": lambda kv, words: kv.n_similarity(["d0"], words),
    "document1": lambda kv, words: kv.wmdistance(words, ["d0"]),
    "document2": lambda kv, words: kv.wmdistance(["d0"], words),
    "other_words": lambda kv, words: kv.distances("d0", words),
    "keys_list": lambda kv, words: kv.most_similar_to_given("d0", words),
}


@pytest.mark.parametrize("name", LISTS)
def test_one_string_is_no_list_of_words(name):
    kv = circle(*range(0, 200, 2))
    with pytest.raises(TypeError, match=f"{name}='d0' is a string, not a list of words"):
        LISTS[name](kv, "d0")
    with pytest.raises(TypeError, match=f"{name}=b'd0' is bytes, and words are str; decode it"):
        LISTS[name](kv, b"d0")
    with pytest.raises(TypeError, match=f"{name}=None must be a list of words"):
        LISTS[name](kv, None)
    LISTS[name](kv, ("d0", "d2"))


def test_each_list_alone_refuses_a_string():
    kv = circle(0, 2)
    for ask in (kv.doesnt_match, kv.most_similar_batch, kv.rank_by_centrality, kv.vectors_for_all, kv.rows_of):
        for wrong in ("d0", b"d0"):
            with pytest.raises(TypeError, match=r"is a string|is bytes"):
                ask(wrong)


def test_bytes_are_no_word_of_any_question():
    kv = circle(*range(200))
    for ask in (kv.most_similar, kv.most_similar_cosmul, kv.similar_by_word, kv.similar_by_key, kv.distances):
        for wrong in (b"d0", [b"d0"], [b"d0", "d1"]):
            if ask in (kv.most_similar, kv.most_similar_cosmul) or not isinstance(wrong, list):
                with pytest.raises(TypeError, match="is bytes, and words are str; decode it"):
                    ask(wrong)
    for ask in (kv.similarity, kv.distance, kv.closer_than, kv.rank, kv.relative_cosine_similarity):
        for words in ((b"d0", "d1"), ("d1", b"d0")):
            with pytest.raises(TypeError, match="=b'd0' is bytes, and words are str; decode it"):
                ask(*words)
    assert kv.most_similar("d1", topn=1) == kv.most_similar(["d1"], topn=1)


@pytest.mark.parametrize("wrong", [True, np.True_, 2.0, math.nan, "3"])
@pytest.mark.parametrize("name", ["topn", "restrict_vocab", "clip_start", "clip_end"])
def test_only_whole_numbers_are_accepted(name, wrong):
    kv = circle(0, 2, 4)
    asks = [kv.most_similar]
    if name in ("topn", "restrict_vocab"):
        asks += [
            kv.most_similar_cosmul,
            kv.similar_by_word,
            lambda word, **options: kv.most_similar_batch([word], **options),
        ]
    if name == "topn":
        asks.append(lambda word, topn: kv.relative_cosine_similarity(word, "d2", topn))
    for ask in asks:
        with pytest.raises(TypeError, match=f"{name}=.* must be an integer"):
            ask("d0", **{name: wrong})


def test_restrictions_below_zero_are_refused():
    kv = circle(0, 2, 4)
    for ask in (kv.most_similar, kv.most_similar_cosmul, kv.similar_by_word):
        with pytest.raises(ValueError, match="restrict_vocab=-1 must be at least 0"):
            ask("d0", restrict_vocab=-1)
        assert ask("d0", restrict_vocab=0) == []
        assert len(ask("d0", topn=10**15)) == 2
    with pytest.raises(TypeError, match="topn=None"):
        kv.most_similar_batch(["d0"], topn=None)


def test_objects_that_cannot_index_are_refused():
    with pytest.raises(TypeError, match=r"indexer=7 has no method most_similar"):
        circle(0, 2).most_similar("d0", indexer=7)


def test_weights_of_words_are_numbers():
    kv = circle(0, 2, 4)
    for name in ("positive", "negative"):
        for wrong, error in ((math.nan, ValueError), (True, TypeError), ("d2", TypeError)):
            with pytest.raises(error, match=f"the weight of 'd0' in {name}"):
                kv.most_similar(**{name: [("d0", wrong)]})
        for wrong in (("d0", 1, 2), 2.5, None):
            with pytest.raises(TypeError, match=f"{name}: .* is no word, row, vector, or pair"):
                kv.most_similar(**{name: [wrong]})
        with pytest.raises(TypeError, match=f"{name}=2.5 must be a list of words"):
            kv.most_similar(**{name: 2.5})


def test_cosines_do_not_exceed_one():
    rows = np.random.default_rng(0).normal(size=(200, 33)).astype(np.float32)
    kv = KeyedVectors.from_arrays([f"{side}{i}" for side in "ab" for i in range(200)], np.concatenate([rows, rows * 3]))
    for i in range(200):
        assert kv.similarity(f"a{i}", f"b{i}") <= 1
        assert kv.distance(f"a{i}", f"b{i}") >= 0
        assert kv.n_similarity([f"a{i}"], [f"b{i}"]) <= 1
        assert kv.most_similar(f"a{i}", topn=1)[0][1] <= 1
        assert kv.most_similar_batch([f"a{i}"], topn=1)[0][0][1] <= 1
        assert kv.distances(f"a{i}").min() >= 0


def test_cosines_of_whole_numbers_are_not_rounded():
    found = KeyedVectors.cosine_similarities(np.array([1, 1]), np.array([[1, 0], [0, 2], [3, 3], [0, 0]]))
    assert found == pytest.approx([0.5**0.5, 0.5**0.5, 1, 0])


@pytest.mark.parametrize("path", [None, 7, b"vectors", ["vectors"]])
def test_a_target_that_is_no_path_is_named(tmp_path, path):
    kv = circle(0, 2)
    with pytest.raises(TypeError, match=r"fname_or_handle=.* is neither a path nor a file"):
        kv.save(path)
    with pytest.raises(TypeError, match=r"fname=.* is not a path"):
        kv.save_word2vec_format(path)
    if path is not None:
        with pytest.raises(TypeError, match=r"fvocab=.* is not a path"):
            kv.save_word2vec_format(tmp_path / "v", fvocab=path)
    assert not list(tmp_path.iterdir())


def test_a_word_that_is_no_unicode_is_refused_by_name(tmp_path):
    kv = KeyedVectors(1)
    kv.add_vectors(["a", "b\ud800"], [[1], [2]])
    for binary in (True, False):
        with pytest.raises(ValueError, match=r"v: .*b\\ud800"):
            kv.save_word2vec_format(tmp_path / "v", binary=binary)
    assert not list(tmp_path.iterdir())
    kv.save(tmp_path / "native")
    assert KeyedVectors.load(tmp_path / "native").index_to_key == kv.index_to_key

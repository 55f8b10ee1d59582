"""What gensim 4.4 does wrong, and we do right: a test for each row of the table in docs/migrating-from-gensim.md."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from corpora import TOPICS, two_topics
from numbered import fault, rows_of, rows_shown
from places import ROOT

from w2v import RULE_DISCARD, RULE_KEEP, Doc2Vec, KeyedVectors, TaggedDocument, Word2Vec, training
from w2v.tokens.encode import Encoded
from w2v.tokens.tags import Tags

PAGE = ROOT / "docs" / "migrating-from-gensim.md"


def small(corpus=None, **options):
    return Word2Vec(corpus, **({"vector_size": 8, "min_count": 1, "workers": 1, "sample": 0} | options))


def test_every_row_of_the_table_has_its_test():
    assert sorted(set(rows_shown(globals().values()))) == rows_of(PAGE)


@fault(1)
@pytest.mark.parametrize("workers", [0, -2])
def test_no_workers_are_an_error(workers):
    with pytest.raises(ValueError, match=f"workers={workers}"):
        small(two_topics(), workers=workers)
    assert small(two_topics(), workers=-1).history[0].raw_words == 600 * 8


class FailsInTheSecondPass:
    def __init__(self):
        self.passes = 0

    def __iter__(self):
        self.passes += 1
        yield from two_topics()
        if self.passes > 1:
            raise OSError("the disk is gone")


@fault(2)
@pytest.mark.parametrize("workers", [1, 4])
def test_an_exception_of_the_corpus_surfaces(workers):
    corpus = FailsInTheSecondPass()
    with pytest.raises(OSError, match="the disk is gone"):
        small(corpus, workers=workers, cache="none")
    model = small()
    model.build_vocab(two_topics())
    with pytest.raises(OSError, match="the disk is gone"):
        model.train(corpus, total_examples=1, epochs=1)


@fault(3)
def test_no_word_of_a_long_sentence_is_dropped():
    corpus = [TOPICS[0] * 5_000]
    model = small(corpus, batch_words=100_000)
    assert {epoch.raw_words for epoch in model.history} == {30_000}
    assert {epoch.trained_words for epoch in model.history} == {30_000}


@fault(4)
def test_init_weights_starts_again():
    model = small(two_topics())
    model.init_weights()
    untrained = small()
    untrained.build_vocab(two_topics())
    assert np.array_equal(model.wv.vectors, untrained.wv.vectors)
    assert not model.syn1neg.any()


@fault(5)
def test_a_second_vocabulary_does_not_inherit_rows():
    model = small(two_topics())
    model.build_vocab([list(reversed(sentence)) for sentence in two_topics(seed=3)])
    untrained = small()
    untrained.build_vocab([list(reversed(sentence)) for sentence in two_topics(seed=3)])
    assert model.wv.index_to_key == untrained.wv.index_to_key
    assert np.array_equal(model.wv.vectors, untrained.wv.vectors)


@fault(6)
@pytest.mark.parametrize("binary", [False, True])
def test_vectors_of_a_file_are_taken_over(tmp_path, binary):
    given = KeyedVectors.from_arrays(["sun", "other"], np.ones((2, 8), np.float32))
    given.save_word2vec_format(tmp_path / "given", binary=binary)
    model = small(two_topics())
    assert model.wv.intersect_word2vec_format(tmp_path / "given", binary=binary) == 1
    assert (model.wv["sun"] == 1).all()


@fault(7)
def test_vectors_are_added_with_their_attributes():
    vectors = KeyedVectors(2)
    vectors.add_vectors(["a", "b"], np.eye(2), extras={"count": np.array([3, 4])})
    assert vectors.get_vecattr("b", "count") == 4


@fault(8)
def test_norms_follow_every_change():
    model = small(two_topics())
    model.wv.most_similar("sun")
    model.wv.add_vectors(["new"], model.wv["sun"][None] * 100)
    assert model.wv.most_similar("sun", topn=1)[0][0] == "new"
    model.wv["new"] = -np.array(model.wv["sun"])
    assert model.wv.most_similar("sun", topn=20)[-1][0] == "new"
    assert model.wv.similarity("sun", "new") == pytest.approx(-1)
    model.wv.vectors[model.wv.key_to_index["new"]] *= -100
    assert model.wv.most_similar("sun", topn=1) == [("new", pytest.approx(1))]


@fault(9)
def test_the_similarity_function_of_an_evaluation_is_used(tmp_path):
    (tmp_path / "questions").write_text(": one\nsun moon bread cheese\n")

    class Counting(KeyedVectors):
        asked = 0

        def most_similar_of_mine(self, **question):
            type(self).asked += 1
            return self.most_similar(**question)

    model = small(two_topics())
    mine = Counting.from_arrays(model.wv.index_to_key, model.wv.vectors)
    mine.evaluate_word_analogies(tmp_path / "questions", similarity_function="most_similar_of_mine")
    assert Counting.asked == 1


@fault(10)
def test_an_evaluation_changes_nothing(tmp_path):
    (tmp_path / "questions").write_text("no section\n")
    model = small(two_topics())
    before = dict(model.wv.key_to_index)
    with pytest.raises(ValueError, match="section"):
        model.wv.evaluate_word_analogies(tmp_path / "questions")
    assert model.wv.key_to_index == before


@fault(11)
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_every_line_of_a_file_is_trained_once(tmp_path, workers):
    lines = [" ".join(f"w{i}_{j}" for j in range(20)) for i in range(5)] * 800 + ["a " * 9000]
    (tmp_path / "skewed.txt").write_text("\n".join(lines))
    model = small(corpus_file=tmp_path / "skewed.txt", workers=workers, epochs=1, window=1)
    assert model.history[0].raw_words == 800 * 5 * 20 + 9000


@fault(12)
@pytest.mark.parametrize("workers", [1, 4])
def test_the_learning_rate_of_a_file_falls_as_it_should(tmp_path, workers):
    (tmp_path / "text.txt").write_text("\n".join(" ".join(words) for words in two_topics(sentences=6000)))
    model = small(corpus_file=tmp_path / "text.txt", workers=workers, epochs=4)
    rates = [epoch.alpha for epoch in model.history]
    step = (0.025 - 0.0001) / 4
    assert rates == pytest.approx([0.025 - step, 0.025 - 2 * step, 0.025 - 3 * step, 0.0001])


@fault(13)
def test_a_file_is_split_in_one_way(tmp_path):
    (tmp_path / "wide.txt").write_text("a　b　c d\n" * 100, encoding="utf-8")
    model = small(corpus_file=tmp_path / "wide.txt", epochs=1)
    assert sorted(model.wv.index_to_key) == ["a", "b", "c", "d"]
    assert model.history[0].raw_words == 400


@fault(14)
def test_an_update_adds_counts_up():
    model = small([["a", "b"]] * 10, sample=1e-3)
    model.build_vocab([["a", "c"]] * 5, update=True)
    assert {word: int(model.wv.get_vecattr(word, "count")) for word in "abc"} == {"a": 15, "b": 10, "c": 5}


@fault(15)
def test_norms_in_a_callback_are_those_of_the_moment():
    seen = []

    class Look:
        def on_train_begin(self, model): ...
        def on_epoch_begin(self, model): ...
        def on_train_end(self, model): ...
        def on_epoch_end(self, model):
            model.wv.most_similar("sun")
            seen.append((model.wv.norms.copy(), np.linalg.norm(model.wv.vectors, axis=1)))

    small(two_topics(), callbacks=[Look()], epochs=3)
    assert len(seen) == 3
    for known, true in seen:
        assert known == pytest.approx(true, rel=1e-5)


@fault(16)
def test_hashfxn_is_accepted_and_documented_as_ignored():
    assert np.array_equal(small(two_topics(), hashfxn=len).wv.vectors, small(two_topics()).wv.vectors)
    assert "ignored" in Word2Vec.__doc__.split("hashfxn :")[1].split("\n")[0]


@fault(17)
def test_the_accuracy_of_the_command_line_works(tmp_path):
    (tmp_path / "questions").write_text(": one\nsun moon bread cheese\n")
    model = small(two_topics())
    model.wv.save_word2vec_format(tmp_path / "vectors.bin", binary=True)
    for command in (
        ["evaluate", "vectors.bin", "--analogies", "questions"],
        ["compute-accuracy", "vectors.bin", "-questions", "questions"],
    ):
        subprocess.run([sys.executable, "-m", "w2v", *command], cwd=tmp_path, check=True, capture_output=True)


@fault(18)
@pytest.mark.parametrize("once", [iter, lambda corpus: itertools.chain(corpus), lambda corpus: map(list, corpus)])
def test_a_one_shot_iterable_is_trained_in_every_epoch(once):
    assert np.array_equal(small(once(two_topics())).wv.vectors, small(two_topics()).wv.vectors)


@fault(19)
def test_a_call_that_fails_changes_nothing():
    model = small(two_topics())
    for wrong in ({"epochs": None}, {"epochs": 0}, {"epochs": 2, "start_alpha": -1}):
        with pytest.raises(ValueError, match=r"epochs|alpha"):
            model.train(two_topics(), total_examples=1, **wrong)
    with pytest.raises(ValueError, match="total"):
        model.train(two_topics(), epochs=1)
    assert (model.epochs, model.alpha) == (5, 0.025)


@fault(20)
def test_zero_means_zero():
    model = small(min_count=5, sample=1e-3)
    model.build_vocab([["a", "b"], ["a"]], min_count=0, sample=0)
    assert sorted(model.wv.index_to_key) == ["a", "b"]
    assert model.sample == 0
    before = model.wv.vectors.copy()
    model.train([["a", "b"], ["a"]], total_examples=2, epochs=1, start_alpha=0, end_alpha=0)
    assert np.array_equal(model.wv.vectors, before)


@fault(21)
def test_the_loss_counts_every_worker_and_is_a_mean():
    one = small(two_topics(sentences=6000), compute_loss=True, workers=1)
    four = small(two_topics(sentences=6000), compute_loss=True, workers=4)
    assert four.loss_history == pytest.approx(one.loss_history, rel=0.2)
    assert four.get_latest_training_loss() == pytest.approx(one.get_latest_training_loss(), rel=0.2)
    later = small(compute_loss=True)
    later.build_vocab(two_topics())
    later.train(two_topics(), total_examples=1, epochs=1)
    assert later.get_latest_training_loss() > 0


@fault(22)
def test_a_window_of_zero_is_an_error():
    with pytest.raises(ValueError, match="window=0"):
        small(two_topics(), window=0)


@fault(23)
def test_many_sentences_without_a_known_word_do_no_harm():
    model = small()
    model.build_vocab(two_topics())
    nothing = [["nowhere"]] * 50_000
    assert model.train([*nothing, *two_topics()], total_examples=1, epochs=1) == (4800, 50_000 + 4800)


@fault(24)
def test_a_badly_wrong_pair_learns():
    model = small([["a", "b"]] * 50, sg=1, negative=1, epochs=1)
    model.wv.vectors[:] = 3
    model.syn1neg[:] = -3  # dot -72, far beyond +-6
    model.train([["a", "b"]] * 50, total_examples=1, epochs=1)
    assert (model.wv.vectors < 3).all()


@fault(25)
def test_huge_scores_are_probabilities_still():
    model = small(two_topics())
    model.wv.vectors[:] = 1e3
    model.syn1neg[:] = 1e3
    assert np.isfinite([probability for _, probability in model.predict_output_word(["sun"])]).all()


@fault(26)
def test_the_hash_seed_does_not_change_the_bytes():
    script = (
        "import hashlib; from w2v import Word2Vec; "
        "model = Word2Vec([['sun', 'moon', 'star']] * 99, vector_size=8, min_count=1, workers=1); "
        "print(hashlib.sha256(model.wv.vectors.tobytes()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(found) == 1
    assert training.schedule.SCHEME == 4


def test_without_a_seed_one_is_drawn_and_kept():
    one, other = small(two_topics(), seed=None), small(two_topics(), seed=None)
    assert one.seed != other.seed
    assert np.array_equal(small(two_topics(), seed=one.seed).wv.vectors, one.wv.vectors)


def test_many_epochs_over_an_iterator_are_trained_and_told(caplog):
    model = small()
    model.build_vocab(two_topics())
    model.train(iter(two_topics(10)), total_examples=1, epochs=100)
    assert len(model.history) == 100
    assert "100 epochs over an iterator" in caplog.text


def documents():
    return [TaggedDocument(words, [number]) for number, words in enumerate(two_topics(60))]


def small_of_documents(corpus=None, **options):
    return Doc2Vec(corpus, **({"vector_size": 8, "min_count": 1, "workers": 1, "sample": 0, "epochs": 2} | options))


@fault(27)
def test_dm_mean_of_zero_is_a_sum():
    mean, other = (small_of_documents(documents(), dm_mean=value) for value in (1, 0))
    assert (mean.cbow_mean, other.cbow_mean) == (1, 0)
    assert str(other).startswith("Doc2Vec<dm/s")
    assert not np.array_equal(mean.dv.vectors, other.dv.vectors)


@fault(28)
def test_doc2vec_uses_trim_rule_and_comment():
    def rule(word, count, min_count):
        return RULE_KEEP if word in TOPICS[0] else RULE_DISCARD

    model = small_of_documents(documents(), trim_rule=rule, comment="of stars")
    assert set(model.wv.index_to_key) == set(TOPICS[0])
    assert model.comment == "of stars"
    assert '"of stars"' in str(model)


@fault(29)
def test_new_tags_are_added_and_old_ones_keep_their_vectors():
    model = small_of_documents(documents())
    before = model.dv.vectors.copy()
    new = [TaggedDocument(["sun", "bread"], [tag]) for tag in ("late", 61, 500)]
    model.build_vocab(new, update=True)
    assert len(model.dv.vectors) == len(model.dv) == 502
    assert np.array_equal(model.dv.vectors[:60], before)
    first = model.dv["late"].copy()
    model.train(new, total_examples=model.corpus_count, epochs=2)
    assert np.array_equal(model.dv.vectors[:60], before)
    assert not np.array_equal(model.dv["late"], first)


@fault(30)
def test_rows_of_tags_lie_beyond_4_billion_numbers(tmp_path):
    """In a file that is empty but for the rows that are touched."""
    rows = 2**32 // 16 + 3
    inputs, outputs = (training.matrices.new_matrix(4, 16) for _ in range(2))
    outputs[:] = [[0.1], [0.2], [0.3], [0.4]]
    matrix = training.matrices.mapped_matrix(tmp_path / "rows", rows, 16)
    noise = np.array([[2**32 - 1, 0]] * 4, np.uint32)
    kernel = training.epoch.Kernel(
        *(training.matrices.padded(one) for one in (inputs, outputs)), None, None, noise, None, None, None,
        documents=training.matrices.padded(matrix), words=False, window=2, negative=1, shrink=True, shared=True,
        cbow=False, mean_forward=True, mean_backward=False, with_loss=False,
    )  # fmt: skip
    touched = [rows - 1, rows - 2, 2**31 // 16, 0]
    tags = Tags(np.array(touched, np.int32), np.arange(5))
    part = Encoded(np.array([0, 1, 2, 3], np.int32), np.arange(5), 4, tags=tags)
    [checked] = training.epoch.check_parts(kernel, [part])
    stop, counts, loss = np.zeros(2, np.int32), np.zeros(3, np.int64), np.zeros(1)
    racer = training._train.Racer(np.zeros(1, np.int64), 1, 0, counts, loss)
    whole = training._train.Part(part.tokens, part.offsets, 1, 0, *tags, checked.most_tags)
    kernel.train(whole, training._train.Epoch(1, training.schedule.Schedule(0.5, 0, 4), stop), racer)
    assert counts.tolist() == [4, 4, 4]
    assert matrix[touched].any(axis=1).all()
    assert not matrix[[1, rows - 3, 2**31 // 16 - 1, 2**31 // 16 + 1]].any()


@fault(31)
def test_locks_of_words_are_those_of_words_under_pv_dm():
    model = small_of_documents(documents())
    before, tags = model.wv.vectors.copy(), model.dv.vectors.copy()
    model.dv.vectors_lockf = np.zeros(len(model.dv), np.float32)
    model.wv.vectors_lockf = np.array([0, 1] * 6, np.float32)
    model.train(documents(), total_examples=1, epochs=1)
    assert (model.wv.vectors == before).all(axis=1).tolist() == [True, False] * 6
    assert np.array_equal(model.dv.vectors, tags)


@fault(32)
def test_train_of_documents_returns_both_counts():
    model = small_of_documents(documents())
    assert model.train(documents(), total_examples=1, epochs=2) == (960, 960)

"""Evaluation: answers known by construction, a brute-force twin, and the details that scores hang on."""

import math
import os

import numpy as np
import pytest
from places import SHARED

from w2v.vectors import scores
from w2v.vectors.keyed import KeyedVectors

DATA = SHARED / "data/eval"
needs_data = pytest.mark.skipif(
    not DATA.exists() and os.environ.get("CI") != "true", reason="the evaluation sets are not here"
)


def keyed(words, vectors):
    kv = KeyedVectors(len(vectors[0]))
    kv.add_vectors(words, vectors)
    return kv


def write(path, text):
    path.write_bytes(text.encode())
    return path


@pytest.fixture
def royal():
    """Two orthogonal directions, royalty and womanhood, and words that differ by exactly one of them."""
    base, royal, woman = np.eye(3)
    rows = [base, base + woman, base + royal, base + royal + woman, -woman, -royal]
    return keyed(["man", "woman", "king", "queen", "stone", "peasant"], rows)


def test_the_queen_is_found(royal, tmp_path):
    path = write(tmp_path / "q", ": royal\nman king woman queen\nMan Woman King Queen\nking man queen stone")
    for function in ("most_similar", "most_similar_cosmul"):
        score, sections = royal.evaluate_word_analogies(path, similarity_function=function)
        assert score == pytest.approx(2 / 3)
        assert sections[0] == {
            "section": "royal",
            "correct": [("MAN", "KING", "WOMAN", "QUEEN"), ("MAN", "WOMAN", "KING", "QUEEN")],
            "incorrect": [("KING", "MAN", "QUEEN", "STONE")],
        }
        assert sections[1] == sections[0] | {"section": "Total accuracy"}


def test_unknown_words_are_skipped_or_count_as_wrong(royal, tmp_path):
    path = write(
        tmp_path / "q",
        ": one\r\nman king woman queen\r\nman king woman duchess\r\n: two\r\nthree words only\r\n",
    )
    score, sections = royal.evaluate_word_analogies(path)
    assert score == 1
    assert [section["section"] for section in sections] == ["one", "two", "Total accuracy"]
    score, sections = royal.evaluate_word_analogies(path, dummy4unknown=True)
    assert score == 0.5
    assert sections[0]["incorrect"] == [("MAN", "KING", "WOMAN", "DUCHESS")]
    score, sections = royal.evaluate_word_analogies(path, restrict_vocab=3)
    assert (score, sections[-1]["correct"], sections[-1]["incorrect"]) == (0, [], [])


def test_spelling_counts_only_if_asked_for(royal, tmp_path):
    path = write(tmp_path / "q", ": s\nMan king woman queen\nman king woman queen\n")
    _, sections = royal.evaluate_word_analogies(path, case_insensitive=False)
    assert sections[0]["correct"] == [("man", "king", "woman", "queen")]


def test_only_the_most_frequent_spelling_can_answer(tmp_path):
    # "King", nearly "king", would be the nearest; it is the question's own word, and so passed over.
    a, b, c, d = np.eye(4)[0], np.eye(4)[1], np.eye(4)[2], np.eye(4)[1] + np.eye(4)[2]
    kv = keyed(["man", "king", "woman", "King", "QUEEN", "queen"], [a, b, c, b + c - a, d, -d])
    path = write(tmp_path / "q", ": s\nman king woman queen\n")
    assert kv.evaluate_word_analogies(path)[0] == 1


def test_an_answer_beyond_the_first_five_counts_as_missing(tmp_path):
    b, c = np.eye(3)[1], np.eye(3)[2]
    variants = ["kING", "kInG", "KiNG", "KING", "kinG"]
    near = [b + c + 0.01 * i * np.eye(3)[0] for i in range(5)]
    path = write(tmp_path / "q", ": s\nman king woman queen\n")
    for passed_over in (4, 5):
        words = ["man", "king", "woman", *variants[:passed_over], "queen"]
        kv = keyed(words, [np.eye(3)[0] * 0.1, b, c, *near[:passed_over], b + 0.5 * c])
        for function in ("most_similar", "most_similar_cosmul", "similar_sum"):
            kv.similar_sum = kv.most_similar
            assert kv.evaluate_word_analogies(path, similarity_function=function)[0] == (passed_over < 5)


def test_another_similarity_function_is_honoured(royal, tmp_path):  # gensim ignores it
    path = write(tmp_path / "q", ": s\nman king woman queen\nman king woman peasant\n")

    class Revolution(KeyedVectors):
        def always_peasant(self, positive, negative, topn, restrict_vocab):
            assert (positive, negative, topn, restrict_vocab) == (["king", "woman"], ["man"], 5, 100)
            return [("king", 2.0), ("peasant", 1.0)]

    royal.__class__ = Revolution
    _, sections = royal.evaluate_word_analogies(path, restrict_vocab=100, similarity_function="always_peasant")
    assert sections[0]["correct"] == [("MAN", "KING", "WOMAN", "PEASANT")]
    assert sections[0]["incorrect"] == [("MAN", "KING", "WOMAN", "QUEEN")]


def test_files_without_questions_are_refused(royal, tmp_path):
    with pytest.raises(ValueError, match="line 2: a question before the first"):
        royal.evaluate_word_analogies(write(tmp_path / "q", "\nman king woman queen\n"))
    for text in ("", ": s\n", ": s\nonly three words\n"):
        with pytest.raises(ValueError, match="no question of four words"):
            royal.evaluate_word_analogies(write(tmp_path / "q", text))


@pytest.mark.parametrize("function", ["most_similar", "most_similar_cosmul"])
@pytest.mark.parametrize("block", [1, 5000, 1 << 24])
def test_blocks_answer_like_single_queries(tmp_path, monkeypatch, function, block):
    monkeypatch.setattr("w2v.vectors.scores._BLOCK_BYTES", block)
    rng = np.random.default_rng(4)
    padded = np.full((200, 16), 1e30, np.float32)
    padded[:, :12] = rng.normal(size=(200, 12))
    padded[7, :12] = 0
    kv = keyed([f"w{i}" for i in range(200)], np.zeros((200, 12)))
    kv.vectors = padded[:, :12]
    lines, right = [": s"], []
    for a, b, c in rng.integers(0, 150, (60, 3)).tolist():
        ask = getattr(kv, function)
        found = ask(positive=[f"w{b}", f"w{c}"], negative=[f"w{a}"], topn=5, restrict_vocab=150)
        answer = found[0][0] if len(lines) % 3 else found[1][0]
        right.append(bool(len(lines) % 3))
        lines.append(f"w{a} w{b} w{c} {answer}")
    score, sections = kv.evaluate_word_analogies(
        write(tmp_path / "q", "\n".join(lines)), restrict_vocab=150, similarity_function=function
    )
    assert score == pytest.approx(np.mean(right))
    questions = [tuple(line.upper().split()) for line in lines[1:]]
    assert sections[0]["correct"] == [q for q, good in zip(questions, right, strict=True) if good]


def test_pairs_in_the_right_order_correlate_perfectly(tmp_path):
    angles = np.radians([0, 10, 40, 80])
    kv = keyed(["A", "b", "c", "d"], np.stack([np.cos(angles), np.sin(angles)], 1))
    text = "# a comment\na\tb\t9.0\r\na\tC\t5\r\n\r\nnot a pair\na\tb\tnan\na\tzzz\t3\na\td\t1"
    pearson, spearman, oov = kv.evaluate_word_pairs(write(tmp_path / "p", text))
    assert spearman.statistic == spearman[0] == pytest.approx(1)
    assert pearson.statistic == pearson[0] == pytest.approx(np.corrcoef([9, 5, 1], np.cos(angles[1:]))[0, 1])
    assert pearson.pvalue == pearson[1]
    assert oov == 25
    pearson, _, oov = kv.evaluate_word_pairs(tmp_path / "p", dummy4unknown=True)
    expected = np.corrcoef([9, 5, 3, 1], [*np.cos(angles[1:3]), 0, np.cos(angles[3])])[0, 1]
    assert pearson[0] == pytest.approx(expected)
    assert oov == 25
    _, _, oov = kv.evaluate_word_pairs(write(tmp_path / "p", text.replace("a\t", "A\t")), case_insensitive=False)
    assert oov == 50


def test_pairs_know_only_the_most_frequent(tmp_path):
    kv = keyed(["a", "b", "c", "d"], np.random.default_rng(0).normal(size=(4, 3)))
    path = write(tmp_path / "p", "a;b;1\nb;c;3\na;c;2\na;d;4\n")
    assert kv.evaluate_word_pairs(path, delimiter=";", restrict_vocab=3)[2] == 25
    assert kv.evaluate_word_pairs(path, delimiter=";", restrict_vocab=None)[2] == 0


def test_too_few_pairs_are_refused(tmp_path):
    kv = keyed(["a", "b"], [[1, 0], [1, 1]])
    for text, count in [("", 0), ("x\ty\t1\n", 0), ("a\tb\t1\nx\ty\t2\n", 1), ("a b 1\nb a 2\n", 0)]:
        with pytest.raises(ValueError, match=f"{count} pairs to compare"):
            kv.evaluate_word_pairs(write(tmp_path / "p", text))


@pytest.mark.parametrize("text", ["a\tb\t1\na\tc\t1\nb\tc\t1\n", "a\tc\t1\nb\tc\t2\nb\td\t3\n"])
def test_equal_scores_or_similarities_give_nan_and_no_warning(tmp_path, text):
    kv = keyed(["a", "b", "c", "d"], [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 2]])
    pearson, spearman, oov = kv.evaluate_word_pairs(write(tmp_path / "p", text))
    assert np.isnan([pearson[0], pearson[1], spearman[0], spearman[1]]).all()
    assert oov == 0


def test_evaluation_changes_nothing_but_the_norms(royal, tmp_path):
    path = write(tmp_path / "q", ": s\nman king woman queen\n")
    royal.vectors.flags.writeable = False
    words = royal.key_to_index
    royal.evaluate_word_analogies(path)
    assert royal.key_to_index is words
    assert list(words) == ["man", "woman", "king", "queen", "stone", "peasant"]


def test_results_are_logged(royal, tmp_path, caplog):
    caplog.set_level("INFO")
    royal.evaluate_word_analogies(write(tmp_path / "q", ": s\nman king woman queen\nx y z z\n"))
    assert "s: 100.0% (1/1)" in caplog.messages
    assert "questions with unknown words: 50.0%" in caplog.messages
    KeyedVectors.log_accuracy({"section": "t", "correct": [], "incorrect": []})
    KeyedVectors.log_evaluate_word_pairs((0.1, 0.2), (0.3, 0.4), 5.0, "pairs.tsv")
    assert "Spearman rank correlation with pairs.tsv: 0.3000" in caplog.messages


@needs_data
def test_every_published_set_is_read():
    questions = [asked for _, asked in scores.read_analogies(DATA / "questions-words.txt", True)]
    assert (len(questions), sum(map(len, questions))) == (14, 19544)
    files = sorted((DATA / "word-sim").glob("EN-*.txt"))
    assert len(files) == 13
    pairs = [line.split("\t") for path in files for line in path.read_text().split("\n")]
    words = sorted({word for pair in pairs for word in pair[:2] if word})
    kv = keyed(words, np.random.default_rng(0).normal(size=(len(words), 4)))
    for path in files:  # some have CRLF line ends, some no final newline
        _, spearman, oov = kv.evaluate_word_pairs(path, case_insensitive=False)
        assert oov == 0
        assert abs(spearman[0]) < 0.5


def test_a_malformed_question_file_is_refused_by_name(royal, tmp_path):
    path = write(tmp_path / "q", ": s\nman king woman queen\n")
    for wrong in (None, 0, ["q"], b"q"):
        with pytest.raises(TypeError, match=r"analogies=.* is not a path"):
            royal.evaluate_word_analogies(wrong)
        with pytest.raises(TypeError, match=r"pairs=.* is not a path"):
            royal.evaluate_word_pairs(wrong)
    for wrong in (True, 2.0, math.nan, "3"):
        for ask in (royal.evaluate_word_analogies, royal.evaluate_word_pairs):
            with pytest.raises(TypeError, match=r"restrict_vocab=.* must be an integer"):
                ask(path, restrict_vocab=wrong)
    for wrong in ("", b";", None):
        with pytest.raises(ValueError, match="delimiter="):
            royal.evaluate_word_pairs(path, delimiter=wrong)
    for wrong in ("no_such_method", "vector_size", None):
        with pytest.raises(ValueError, match="similarity_function="):
            royal.evaluate_word_analogies(path, similarity_function=wrong)


def test_scores_are_of_the_rows_as_they_are(royal, tmp_path):
    analogies = write(tmp_path / "q", ": s\nman king woman queen\n")
    pairs = write(tmp_path / "p", "man\tking\t3\nman\tqueen\t1\nman\twoman\t2\n")
    held = royal.vectors
    for factor in (1, 1e-6, 1e6):
        royal.evaluate_word_analogies(analogies)
        expected = [royal.evaluate_word_pairs(pairs)[0][0], *royal.evaluate_word_analogies(analogies)[:1]]
        held[royal.key_to_index["stone"]] *= factor  # the direction, and so every answer, stays
        found = [royal.evaluate_word_pairs(pairs)[0][0], *royal.evaluate_word_analogies(analogies)[:1]]
        assert found == pytest.approx(expected)
    held[:] = np.random.default_rng(0).normal(size=held.shape) * np.logspace(-3, 3, len(held))[:, None]
    units = dict(zip(royal.index_to_key, held / np.linalg.norm(held, axis=1, keepdims=True), strict=True))
    cosines = [units["man"] @ units[other] for other in ("king", "queen", "woman")]
    assert royal.evaluate_word_pairs(pairs)[0][0] == pytest.approx(np.corrcoef([3, 1, 2], cosines)[0, 1], abs=1e-5)

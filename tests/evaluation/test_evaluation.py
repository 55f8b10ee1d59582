"""What `evaluate` says of models: right counts, both conventions, bands, comparisons, and what it prints."""

import json
import os
import tempfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import SHARED
from scipy import stats

from w2v import KeyedVectors, evaluate
from w2v.cli import program
from w2v.evaluation import resampling, tasks
from w2v.vectors import c_programs

DATA = SHARED / "data" / "eval"
needs_data = pytest.mark.skipif(
    not DATA.exists() and os.environ.get("CI") != "true", reason="the shared evaluation sets are not here"
)


@pytest.fixture(autouse=True)
def fewer_samples(monkeypatch):
    monkeypatch.setattr(resampling, "RESAMPLES", 300)
    monkeypatch.setattr(resampling, "SHUFFLES", 999)


def vectors_of(words, seed=1, size=10):
    return KeyedVectors.from_arrays(
        list(words), np.random.default_rng(seed).normal(size=(len(words), size)).astype("f4")
    )


WORDS = [f"w{number}" for number in range(40)]


@pytest.fixture
def files(tmp_path):
    draw = np.random.default_rng(0)
    pick = lambda: " ".join(draw.choice(WORDS, 4, replace=False))  # noqa: E731
    questions = [": first", *(pick() for _ in range(30)), "w1 w2 w3 unheard", ": gram2", *(pick() for _ in range(20))]
    (tmp_path / "questions.txt").write_text("\n".join(questions) + "\n")
    lines = ["# rated", "word\tword\tscore"]
    lines += ["\t".join([*draw.choice(WORDS, 2, replace=False), f"{draw.random():.2f}"]) for _ in range(50)]
    (tmp_path / "pairs.tsv").write_text("\n".join([*lines, "w1\tunheard\t0.5"]) + "\n")
    return tmp_path


def test_counts_are_gensims(files):
    kv = vectors_of(WORDS)
    found = evaluate(kv, analogies=files / "questions.txt", pairs=files / "pairs.tsv")
    for measure, function in (("3CosAdd", "most_similar"), ("3CosMul", "most_similar_cosmul")):
        score, sections = kv.evaluate_word_analogies(files / "questions.txt", similarity_function=function)
        dummy, _ = kv.evaluate_word_analogies(files / "questions.txt", similarity_function=function, dummy4unknown=True)
        whole = found.score("A", measure)
        assert (whole.value, whole.value_all) == pytest.approx((score, dummy))
        assert (whole.known, whole.items) == (50, 51)
        part = found.score("A", measure, part="gram2")
        assert round(part.value * part.known) == len(sections[1]["correct"])
    pearson_and_more = kv.evaluate_word_pairs(files / "pairs.tsv")
    of_pairs = found.score("A", "spearman")
    assert of_pairs.value == pearson_and_more[1].statistic
    assert of_pairs.value_all == kv.evaluate_word_pairs(files / "pairs.tsv", dummy4unknown=True)[1].statistic
    assert of_pairs.coverage == 50 / 51


def test_a_right_answer_is_right():
    king, man, woman = np.eye(3, 6, dtype=np.float32)
    kv = KeyedVectors.from_arrays(["king", "man", "woman", "queen"], np.array([king, man, woman, king - man + woman]))
    task = tasks.Task("t", [("MAN", "KING", "WOMAN", "QUEEN"), ("A", "B", "C", "D")], ["s", "s"], np.empty(0))
    values = tasks.answers(task, [kv], None, True).values
    for measure in tasks.FORMULAS:
        assert values[measure][0, 0] == 1
        assert np.isnan(values[measure][0, 1])


@needs_data
def test_correlations_are_scipys_on_all_thirteen_sets():
    paths = sorted((DATA / "word-sim").glob("EN-*.txt"))
    assert len(paths) == 13
    words = {word for path in paths for line in path.read_text().splitlines() for word in line.split()[:2]}
    kv = vectors_of(sorted(words, key=lambda word: (len(word), word))[: len(words) * 3 // 4])
    for path in paths:
        task = tasks.read_pairs(path, True)
        assert len(task.items) == len(path.read_text().splitlines())
        [values] = tasks.answers(task, [kv], None, True).values["spearman"]
        known = ~np.isnan(values)
        [mine] = resampling.spearman(task.gold[known], values[None, known])
        assert mine == stats.spearmanr(task.gold[known], values[known])[0]


def test_bands_are_those_of_the_rarest_word(files, monkeypatch):
    monkeypatch.setattr(tasks, "EDGES", (0, 10, 20))
    found = evaluate(vectors_of(WORDS), pairs=files / "pairs.tsv")
    parts = {score.part: score.items for score in found.scores}
    lines = (files / "pairs.tsv").read_text().splitlines()[2:-1]
    rarest = [max(int(word[1:]) for word in line.split("\t")[:2]) for line in lines]
    assert parts == {
        "all": 51,
        "rank 1-10": sum(row < 10 for row in rarest),
        "rank 11-20": sum(10 <= row < 20 for row in rarest),
        "rank 21-": sum(row >= 20 for row in rarest),
    }
    assert list(parts) == ["all", "rank 1-10", "rank 11-20", "rank 21-"]


def test_a_better_model_is_found(files):
    lines = [line.split("\t") for line in (files / "pairs.tsv").read_text().splitlines()[2:-1]]
    good = vectors_of(WORDS, size=60)
    scores = [(a, b, good.similarity(a, b)) for a, b, _ in lines]
    (files / "fit.tsv").write_text("\n".join(f"{a}\t{b}\t{score:.4f}" for a, b, score in scores))
    found = evaluate({"good": good, "other": vectors_of(WORDS, 2)}, pairs=files / "fit.tsv")
    [comparison] = found.comparisons
    assert comparison.difference > 0.5
    assert comparison.low > 0
    assert comparison.p < 0.05
    [turned] = evaluate({"other": vectors_of(WORDS, 2), "good": good}, pairs=files / "fit.tsv").comparisons
    assert turned.difference == -comparison.difference


def test_a_model_is_not_better_than_itself(files):
    found = evaluate(
        [vectors_of(WORDS), vectors_of(WORDS)], analogies=files / "questions.txt", pairs=files / "pairs.tsv"
    )
    assert {comparison.difference for comparison in found.comparisons} == {0.0}
    assert {comparison.p for comparison in found.comparisons} == {1.0}


def test_runs_are_replicates(files):
    runs = {
        "a": [vectors_of(WORDS, seed) for seed in range(4)],
        "b": [vectors_of(WORDS, seed) for seed in range(9, 13)],
    }
    found = evaluate(runs, pairs=files / "pairs.tsv")
    each = [run.evaluate_word_pairs(files / "pairs.tsv")[1].statistic for run in runs["a"]]
    assert found.score("a", "spearman").value == pytest.approx(np.mean(each))
    assert found.score("a", "spearman").sd == pytest.approx(np.std(each, ddof=1))
    assert found.comparisons[0].least_p == 2 / 70


def test_the_same_arguments_give_the_same_numbers(files):
    both = [evaluate(vectors_of(WORDS), analogies=files / "questions.txt").to_json() for _ in range(2)]
    assert both[0] == both[1]


def test_json_says_what_the_records_say(files):
    found = evaluate([vectors_of(WORDS), vectors_of(WORDS, 2)], pairs=files / "pairs.tsv")
    read = json.loads(found.to_json())
    assert len(read["scores"]) == len(found.scores)
    assert read["comparisons"][0]["p"] == found.comparisons[0].p
    assert read["scores"][0]["coverage"] == found.scores[0].coverage


def test_the_counts_of_the_c_program_are_those_of_its_command(files, capsys):
    kv = vectors_of(WORDS)
    kv.save_word2vec_format(files / "vectors.bin", binary=True, sort_attr="none")
    found = evaluate(kv, analogies=files / "questions.txt", restrict_vocab=30, c_counts=True)
    code = program.main(
        ["compute-accuracy", str(files / "vectors.bin"), "30", "-questions", str(files / "questions.txt")]
    )
    assert code == 0
    assert capsys.readouterr().out == found.c_counts["A"]
    assert "Questions seen / total:" in c_programs.accuracy(kv, (files / "questions.txt").read_bytes(), None)


def test_what_cannot_be_evaluated_is_refused(files):
    kv = vectors_of(WORDS)
    pairs = files / "pairs.tsv"
    for given_, match in (({}, "analogies=, pairs="), ({"pairs": pairs, "restrict_vocab": 0}, "restrict_vocab=0")):
        with pytest.raises(ValueError, match=match):
            evaluate(kv, **given_)
    with pytest.raises(ValueError, match="no model"):
        evaluate([], pairs=pairs)
    with pytest.raises(TypeError, match=r"KeyedVectors\.load reads a file"):
        evaluate("vectors.bin", pairs=pairs)
    with pytest.raises(ValueError, match="of the same language"):
        evaluate(vectors_of(["one", "two"]), pairs=pairs)
    (files / "bad.tsv").write_text("a\tb\t1\nc\td\t2\nof no use\ne\tf\t3\n")
    with pytest.raises(ValueError, match=r"bad.tsv, line 3: 'of no use'"):
        evaluate(kv, pairs=files / "bad.tsv")
    (files / "few.tsv").write_text("a\tb\t1\n")
    with pytest.raises(ValueError, match="at least 3"):
        evaluate(kv, pairs=files / "few.tsv")


@pytest.mark.parametrize("sign", ["\t", ",", ";", " ", "   "])
def test_pairs_may_be_separated_in_many_ways(tmp_path, sign):
    (tmp_path / "p").write_text("".join(f"a{n}{sign}b{n}{sign}{n}.5\r\n" for n in range(4)))
    task = tasks.read_pairs(tmp_path / "p", False)
    assert task.items[3] == ("a3", "b3")
    assert task.gold.tolist() == [0.5, 1.5, 2.5, 3.5]


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_any_text_is_pairs_or_an_error(text):
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        try:
            task = tasks.read_pairs(file.name, True)
        except ValueError:
            return
        assert len(task.items) == len(task.gold) >= 3


def test_the_figure_has_a_line_for_each_test(files):
    found = evaluate(
        [vectors_of(WORDS), vectors_of(WORDS, 2)], analogies=files / "questions.txt", pairs=files / "pairs.tsv"
    )
    [axes] = found.plot().axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "questions.txt, 3CosAdd", "questions.txt, 3CosMul", "pairs.tsv, spearman"
    ]  # fmt: skip


def test_the_tables_name_all_models(files):
    found = evaluate({"old": vectors_of(WORDS), "new": vectors_of(WORDS, 2)}, analogies=files / "questions.txt")
    assert "old - new" in str(found)
    assert "gram2" in found.table(parts=True)
    assert "50 of 51" in str(found)

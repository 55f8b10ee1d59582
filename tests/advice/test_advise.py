"""Advice: what a text says is told as it is, the probes tell good vectors from bad ones, and it repeats."""

import json
import math

import numpy as np
import pytest
from corpora import TOPICS

from w2v import KeyedVectors, advise
from w2v.advice import advisor, probes
from w2v.advice.advisor import _Search, _Text
from w2v.advice.report import Point


def lines_of_topics(lines=600, seed=0):
    """Every line is about one of eight topics of twelve words each."""
    draw = np.random.default_rng(seed)
    return [[f"t{line % 8}w{word}" for word in draw.integers(0, 12, 14)] for line in range(lines)]


@pytest.fixture(scope="module")
def advice():
    return advise(lines_of_topics(), seconds=1000, workers=1)


def test_the_text_is_described_as_it_is(advice):
    assert (advice.words, advice.lines, advice.vocabulary) == (600 * 14, 600, 96)
    assert advice.kept_words == 96
    assert advice.kept_share == 1.0
    assert advice.complete
    assert advice.passages == 60  # a tenth of the lines


def test_the_choice_is_the_best_that_was_tried(advice):
    best = max(found for one, found in advice.tried if one["model"] == advice.model)
    chosen = [
        found
        for one, found in advice.tried
        if one["model"] == advice.model
        and all(one[name] == value for name, value in advice.settings.items() if name in ("vector_size", "window"))
    ]
    assert max(chosen) >= best - advisor.NEAR
    assert {one["model"] for one, _ in advice.tried} == {"SGNS", "PPMI", "LSA"}


def test_the_advice_is_printed_and_is_data(advice):
    page = str(advice)
    assert "8,400 words in 600 lines, 96 different" in page
    assert f"take {'Word2Vec' if advice.model == 'SGNS' else advice.model}: " in page
    assert advice.command("text.txt") in page.replace("CORPUS", "text.txt")
    assert json.loads(json.dumps(advice.to_dict()))["model"] == advice.model


def test_the_command_that_is_advised_works(advice, tmp_path, monkeypatch):
    from shlex import split

    from w2v.cli import program

    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("\n".join(map(" ".join, lines_of_topics())), encoding="utf-8")
    assert program.main(split(advice.command("text.txt"))[1:]) == 0
    assert KeyedVectors.load("model.safetensors").vector_size == advice.settings["vector_size"]


def test_the_same_text_gets_the_same_advice(advice, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\n".join(map(" ".join, lines_of_topics())), encoding="utf-8")
    again = advise(path, seconds=1000, workers=2).to_dict()
    assert {**again, "seconds": 0} == {**advice.to_dict(), "seconds": 0}


def test_without_time_the_smallest_part_is_tried_all_the_same():
    found = advise(lines_of_topics(2500), seconds=0, workers=1)
    assert not found.complete
    assert {point.model for point in found.curve} == {"SGNS", "PPMI", "LSA"}
    assert len({point.words for point in found.curve}) == 1
    assert "seconds=... gives more" in str(found)


def test_a_text_that_is_too_short_is_refused():
    with pytest.raises(ValueError, match=r"80 words in 10 lines are too few.*PPMI"):
        advise([["a", "b"] * 4] * 10)
    with pytest.raises(TypeError, match="split it"):
        advise(["one line", "another line"])
    with pytest.raises(ValueError, match="seconds"):
        advise(lines_of_topics(), seconds=-1)


def test_parts_are_nested_and_never_what_is_held_out():
    lines = [[f"line{number}", *TOPICS[number % 2], "the"] for number in range(500)]
    text = _Text(lines, 1)
    small, large = ({line[0] for line in text.part(words)} for words in (800, 2400))
    assert small < large
    assert sum(map(len, text.part(800))) >= 800
    ours = [line for line in lines if line[0] in large]
    assert text.part(2400) == ours  # in the order of the text
    everything = {line[0] for line in text.part(10**9)}
    held = {word for halves in text.passages.halves for half in halves for word in half if word.startswith("line")}
    assert not held & everything
    assert len(held) == len(text.passages.halves) == 50


def test_a_long_text_is_sampled_and_counted_as_a_whole(monkeypatch):
    monkeypatch.setattr(advisor, "PROBE_WORDS", 1500)
    text = _Text(lines_of_topics(1000), 1)
    assert (text.words, text.lines) == (14_000, 1000)
    assert text.most <= 3000
    late = {id(line) for line in text.part(10**9)}
    assert len(late) > 100
    assert sum(text.counts.values()) == 14_000


def test_vectors_that_know_the_topics_are_better_than_others():
    lines = lines_of_topics(400)
    passages = probes.held_out(lines, 1)
    words = sorted({word for line in lines for word in line})
    draw = np.random.default_rng(1)
    random = draw.normal(size=(len(words), 16)).astype(np.float32)
    topics = np.eye(8, 16, dtype=np.float32)[[int(word[1]) for word in words]] + random / 100
    counts = {"count": np.full(len(words), 50)}
    good, bad = (KeyedVectors.from_arrays(words, vectors, counts) for vectors in (topics, random))
    assert probes.quality(good, passages) > probes.quality(bad, passages) > 0
    own = [([f"t{number}w0"], [f"t{number}w1"]) for number in range(8)]
    assert probes.quality(good, probes.Passages(own)) == 1.0
    nothing = KeyedVectors.from_arrays(words, np.zeros((len(words), 4), np.float32), counts)
    assert probes.quality(nothing, probes.Passages(own)) == pytest.approx(1 / 4.5)  # all are equal: the middle rank


def test_stability_is_the_share_of_neighbours_that_stay():
    draw = np.random.default_rng(1)
    words = [f"w{number}" for number in range(200)]
    first, second = (KeyedVectors.from_arrays(words, draw.normal(size=(200, 8)).astype("f4")) for _ in range(2))
    assert probes.stability(first, first) == 1.0
    assert 0 < probes.stability(first, second) < 0.2
    few = KeyedVectors.from_arrays(words[:5], np.ones((5, 2), np.float32))
    assert probes.stability(few, few) is None


def search_with(qualities, words=10**6):
    """A search whose probes are done, with these qualities by model and size."""
    search = object.__new__(_Search)
    search.curve = [Point(m, size, q, 1.0) for m, points in qualities.items() for size, q in points.items()]
    search.text = type("Text", (), {"words": words})()
    return search


def test_the_crossing_is_where_the_lines_meet():
    search = search_with({"SGNS": {100: 0.1, 1000: 0.5}, "PPMI": {100: 0.3, 1000: 0.3}, "LSA": {100: 0.1, 1000: 0.1}})
    assert search._crossing() == pytest.approx(10**2.5)
    beyond = search_with({"SGNS": {100: 0.1, 1000: 0.2}, "PPMI": {100: 0.4, 1000: 0.4}, "LSA": {100: 0, 1000: 0}})
    assert beyond._crossing() == pytest.approx(10**5)
    never = search_with({"SGNS": {100: 0.1, 1000: 0.1}, "PPMI": {100: 0.2, 1000: 0.3}, "LSA": {100: 0, 1000: 0}})
    assert never._crossing() is None
    always = search_with({"SGNS": {100: 0.5, 1000: 0.6}, "PPMI": {100: 0.2, 1000: 0.3}, "LSA": {100: 0, 1000: 0}})
    assert always._crossing() is None


def test_quality_is_expected_on_the_line_through_the_last_points():
    search = search_with({"SGNS": {100: 0.0, 1000: 0.2, 10_000: 0.3}}, words=100_000)
    assert search._slope("SGNS") == pytest.approx(0.1 / math.log(10))
    assert search._expected("SGNS") == pytest.approx(0.4)


def test_a_figure_has_a_line_for_each_model(advice):
    pytest.importorskip("matplotlib")
    figure = advice.plot()
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert [label for label in labels if "quality" in label] == ["SGNS, quality", "PPMI, quality", "LSA, quality"]

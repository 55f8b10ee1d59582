"""Phrases: counts, scores, divisions, passes, files."""

import copy
import gzip
import json
import logging
import math
import pickle
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from term_twins import divisions, longest_first, pair_counts

from w2v import ENGLISH_CONNECTOR_WORDS, FormatError, FrozenPhrases, LineSentence, Phraser, Phrases
from w2v.terms import _pairs, scoring
from w2v.terms._terms import Joiner
from w2v.terms.dividing import Level
from w2v.terms.transformation import PhrasesTransformation

letters = st.sampled_from("abcdef")
corpora = st.lists(st.lists(letters, max_size=9), max_size=12)
few = settings(max_examples=60, deadline=None)
fewer = settings(max_examples=20, deadline=None)
ROYAL = [["the", "king", "of", "spain", "met", "new", "york", "city"], ["new", "york", "is", "big"]] * 6


def flat_scorer(worda_count, wordb_count, bigram_count, len_vocab, min_count, corpus_word_count):
    return 1.0


@few
@given(corpora, st.sets(letters, max_size=2), st.integers(1, 4))
def test_counts_are_those_of_counting_one_by_one(corpus, connectors, workers):
    phrases = Phrases(corpus, connector_words=connectors, workers=workers)
    words, pairs = pair_counts(corpus, connectors)
    joined = {"_".join(pair): count for pair, count in pairs.items()}
    assert phrases.vocab == dict(words) | joined
    assert phrases.corpus_word_count == sum(map(len, corpus))


@fewer
@given(corpora, st.sampled_from([4, 6, 9]), st.integers(1, 3))
def test_counts_beyond_the_limit_are_within_the_bound(corpus, most, workers):
    corpus = corpus * 4
    phrases = Phrases(max_vocab_size=most, workers=workers)
    for sentence in corpus:  # prunes often: after every call
        phrases.add_vocab([sentence])
    words, pairs = pair_counts(corpus)
    true = dict(words) | {"_".join(pair): count for pair, count in pairs.items()}
    found, lost = phrases.vocab, phrases.lost_at_most
    assert len(found) <= most
    assert all(true[name] - lost <= found.get(name, 0) <= true[name] for name in true)
    assert lost * most <= 4 * phrases.corpus_word_count
    assert (lost > 0) == (found != true)


def test_a_loss_is_reported(caplog):
    with caplog.at_level(logging.WARNING, "w2v"):
        phrases = Phrases([[str(n), str(n + 1)] for n in range(200)], max_vocab_size=50)
    assert f"may lack up to {phrases.lost_at_most}" in caplog.text


def test_a_pair_that_was_never_forgotten_has_no_error():
    noise = [[f"a{n}", f"b{n}"] for n in range(300)]
    phrases = Phrases(max_vocab_size=100, min_count=1, threshold=1e-9)
    for part in noise:
        phrases.add_vocab([["new", "york"], part])
    [row] = [row for row in phrases.table() if row.phrase == "new_york"]
    assert (row.pair_count, row.error) == (300, 0)
    assert phrases.lost_at_most > 0


def test_counts_beyond_32_bits_are_exact():
    counter = _pairs.PairCounter()
    many = 2**40
    pairs = np.array([[0], [0], [1], [many]], np.int64)
    counter.restore(np.array([many, many]), pairs, [(0, -1)], 2 * many, 0)
    counter.take(np.array([0, 1], np.int32), np.array([2], np.int64))
    counter.count(0, 2)
    counter.count(1, 2)
    assert counter.pairs(1)[3].tolist() == [many + 1]
    assert counter.words()[0].tolist() == [many + 1, many + 1]
    found = scoring.scores_of(scoring.original_scorer, *(np.array([many]),) * 3, 100, 5, 2 * many)
    assert found[0] == scoring.original_scorer(many, many, many, 100, 5, 2 * many)


def test_a_phrase_is_found_and_joined():
    phrases = Phrases(ROYAL, min_count=2, threshold=1, connector_words=ENGLISH_CONNECTOR_WORDS)
    assert phrases[["new", "york", "of", "king", "of", "spain"]] == ["new_york", "of", "king_of_spain"]
    assert list(phrases[ROYAL[:1]]) == [["the", "king_of_spain", "met", "new_york", "city"]]
    assert list(phrases.analyze_sentence(["new", "york", "met"]))[1] == ("met", None)
    assert phrases.score_candidate("king", "spain", ["of"])[0] == "king_of_spain"
    assert phrases.score_candidate("york", "new", []) == (None, None)
    assert set(phrases.find_phrases(ROYAL[:1])) == {"king_of_spain", "new_york"}


@few
@given(corpora, st.sets(letters, max_size=2), st.sampled_from(["default", "npmi", flat_scorer]))
def test_greedy_is_what_a_candidate_at_a_time_gives(corpus, connectors, scorer):
    phrases = Phrases(corpus, min_count=1, threshold=0.3, connector_words=connectors, scoring=scorer)
    for sentence in corpus:
        slow = list(PhrasesTransformation.analyze_sentence(phrases, sentence))
        assert list(phrases.analyze_sentence(sentence)) == slow
        assert phrases[sentence] == phrases.freeze()[sentence] == [word for word, _ in slow]


@few
@given(st.lists(st.lists(letters, min_size=2, max_size=3), min_size=1, max_size=8, unique_by=tuple), st.data())
def test_best_has_the_greatest_sum(terms, data):
    scores = [float(data.draw(st.integers(0, 5))) for _ in terms]
    of = {tuple(term): score for term, score in zip(terms, scores, strict=True)}
    outputs = ["_".join(term) for term in terms]
    sentence = data.draw(st.lists(letters, max_size=9))
    best, greedy = (Joiner([Level(terms, outputs, scores, best)]) for best in (True, False))

    def total(parts):
        return sum(scores[term] for term, *_ in parts if term >= 0)

    greatest = max(sum(of.get(part, 0) for part in parts) for parts in divisions(sentence, of))
    assert total(best.parts(sentence)) == greatest >= total(greedy.parts(sentence))
    assert [sentence[begin:end] for _, begin, end in greedy.parts(sentence)] == list(
        map(list, longest_first(sentence, of))
    )
    assert greedy.joined(sentence) == ["_".join(part) for part in longest_first(sentence, of)]


def test_the_better_of_two_overlapping_phrases_is_joined():
    def joined(scores, best):
        return Joiner([Level([["a", "b"], ["b", "c"]], ["a_b", "b_c"], scores, best)]).joined(list("abc"))

    assert joined([0.25, 0.45], best=True) == ["a", "b_c"]
    assert joined([0.25, 0.45], best=False) == ["a_b", "c"]
    assert joined([0.5, 0.5], best=True) == ["a_b", "c"]


def test_toys_r_us_is_one_phrase():
    text = [["they", "sell", "toys", "r", "us"], ["toys", "r", "us", "is", "big"], ["r", "us"]] * 10
    text += [["toys"], ["they", "is"], ["big", "sell"]] * 5
    for mode in ("greedy", "best"):
        phrases = Phrases(text, min_count=2, threshold=0.3, scoring="npmi", max_length=3, mode=mode)
        assert "toys_r_us" in phrases[["we", "like", "toys", "r", "us"]]


@few
@given(corpora, st.integers(2, 5), st.sampled_from(["greedy", "best"]))
def test_npmi_stays_within_one_after_any_number_of_passes(corpus, length, mode):
    phrases = Phrases(corpus * 3, min_count=1, threshold=-1, scoring="npmi", max_length=length, mode=mode)
    assert all(-1 <= row.score <= 1 + 1e-12 for row in phrases.table())
    assert all(len(row.phrase.split("_")) <= length for row in phrases.table())
    chained = Phrases(phrases[corpus * 3], min_count=1, threshold=-1, scoring="npmi")
    assert all(-1 <= row.score <= 1 + 1e-12 for row in chained.table())


@fewer
@given(corpora, st.integers(2, 4), st.sampled_from(["greedy", "best"]))
def test_threads_files_and_freezing_change_nothing(tmp_path_factory, corpus, length, mode):
    corpus = [sentence for sentence in corpus if sentence]
    path = tmp_path_factory.mktemp("text") / "corpus.txt"
    path.write_text("".join(" ".join(sentence) + "\n" for sentence in corpus))
    options = {"min_count": 1, "threshold": 0.5, "max_length": length, "mode": mode}
    live = Phrases(corpus, workers=1, **options)
    for other in (Phrases(corpus_file=path, workers=3, **options), Phrases(LineSentence(path), workers=2, **options)):
        assert other.passes() == live.passes()
        assert other.vocab == live.vocab
    assert [live.freeze()[sentence] for sentence in corpus] == [live[sentence] for sentence in corpus]


def test_add_vocab_adds_up():
    whole, parts = Phrases(ROYAL), Phrases(ROYAL[:3])
    parts.add_vocab(ROYAL[3:])
    assert (whole.vocab, whole.corpus_word_count) == (parts.vocab, parts.corpus_word_count)


def test_a_threshold_can_be_changed_later():
    phrases = Phrases(ROYAL, min_count=1, threshold=1)
    assert phrases.export_phrases()
    phrases.threshold = 1e9
    assert phrases[ROYAL[1]] == ROYAL[1]
    assert phrases.export_phrases() == {}


def test_a_word_with_the_delimiter_is_not_the_pair():
    phrases = Phrases([["new_york", "x"], ["new", "york"], ["new", "york"]], min_count=1, threshold=0.1)
    [row] = [row for row in phrases.table() if row.words == ("new", "york")]
    assert row.pair_count == 2


def test_the_table_is_sorted_and_can_be_written(tmp_path):
    phrases = Phrases(ROYAL, min_count=1, threshold=0.1)
    scores = [row.score for row in phrases.table()]
    assert scores == sorted(scores, reverse=True)
    phrases.write_table(tmp_path / "table.tsv")
    lines = [line.split("\t") for line in (tmp_path / "table.tsv").read_text().splitlines()]
    assert lines[0][:3] == ["phrase", "score", "count"]
    assert [(name, float(score)) for name, score, *_ in lines[1:]] == [row[:2] for row in phrases.table()]


def test_spans_lead_back_to_the_words():
    phrases = Phrases(ROYAL, min_count=2, threshold=1, max_length=3)
    sentence = ROYAL[0]
    spans = phrases.spans(sentence)
    assert [span.word for span in spans] == phrases[sentence]
    assert [word for span in spans for word in sentence[span.begin : span.end]] == sentence
    assert all(span.word == "_".join(sentence[span.begin : span.end]) for span in spans)


@pytest.mark.parametrize("scorer", ["default", "npmi", flat_scorer])
@pytest.mark.parametrize("name", ["phrases.json", "phrases.json.gz"])
def test_files_hold_all_there_is(tmp_path, scorer, name):
    options = {"min_count": 1, "threshold": 0.2, "scoring": scorer, "connector_words": {"of", "the"}, "max_length": 3}
    phrases = Phrases(ROYAL, **options)
    phrases.save(tmp_path / name)
    for again in (Phrases.load(tmp_path / name), copy.deepcopy(phrases), pickle.loads(pickle.dumps(phrases))):
        assert (again.passes(), again.vocab, str(again)) == (phrases.passes(), phrases.vocab, str(phrases))
        again.add_vocab([["new", "york", "city"]])
        assert again.vocab["york_city"] == phrases.vocab["york_city"] + 1
    frozen = phrases.freeze()
    frozen.save(tmp_path / name)
    again = Phraser.load(tmp_path / name)
    assert (again.passes(), again.scoring, again.connector_words) == (
        frozen.passes(),
        frozen.scoring,
        frozen.connector_words,
    )
    assert pickle.loads(pickle.dumps(frozen)).passes() == frozen.passes()


def test_a_file_can_have_nothing_imported_or_called(tmp_path):
    path = tmp_path / "phrases.json"
    Phrases(ROYAL, scoring=flat_scorer).save(path)
    for name in ("os:system", "antigravity:fly", "builtins:eval"):
        path.write_text(path.read_text().replace(scoring.name_of(flat_scorer), name))
        with pytest.raises(FormatError, match="is not there; import its module first"):
            Phrases.load(path)
        path.write_text(path.read_text().replace(name, scoring.name_of(flat_scorer)))


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"format": 1', '"format": 7'),
        lambda text: text.replace('"total_words"', '"words_in_all"'),
        lambda text: text.replace('"min_count": 5', '"min_count": "many"'),
        lambda text: text.replace('"n_pairs": ', '"n_pairs": 9'),
        lambda text: text.replace('"york"', '"new"'),
        lambda text: json.dumps(["w2v"]),
        lambda text: "[" * 100_000,
    ],
)
def test_damaged_files_are_refused(tmp_path, damage):
    path = tmp_path / "phrases.json"
    Phrases(ROYAL).save(path)
    path.write_text(damage(path.read_text()))
    with pytest.raises(FormatError, match=r"phrases\.json"):
        Phrases.load(path)


def test_a_compressed_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("w2v.files.reading.MOST_UNPACKED", 1000)
    path = tmp_path / "phrases.json.gz"
    path.write_bytes(gzip.compress(b" " * 10_000_000))
    with pytest.raises(FormatError, match="unpacks to more"):
        Phrases.load(path)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"min_count": 0}, ValueError, "min_count=0 must be at least 1"),
        ({"threshold": 0}, ValueError, "must be positive"),
        ({"threshold": 2, "scoring": "npmi"}, ValueError, r"in \[-1, 1\]"),
        ({"scoring": "pmi"}, ValueError, "'default', 'npmi' or a function"),
        ({"scoring": lambda worda_count: 1}, ValueError, "has no parameter wordb_count"),
        ({"scoring": 3}, TypeError, "scoring=3"),
        ({"mode": "fast"}, ValueError, "mode='fast'"),
        ({"max_length": 1}, ValueError, "max_length=1"),
        ({"workers": 0}, ValueError, "workers=0"),
        ({"connector_words": "of"}, TypeError, "is a string"),
        ({"max_vocab_size": 0}, ValueError, "max_vocab_size=0"),
        ({"delimiter": 3}, TypeError, "delimiter=3"),
    ],
)
def test_bad_parameters_are_refused_before_any_work(options, error, match):
    def unread():
        raise AssertionError("the corpus was read")
        yield

    with pytest.raises(error, match=match):
        Phrases(unread(), **options)


def test_bad_sentences_are_refused():
    phrases = Phrases(ROYAL, min_count=1, threshold=1)
    with pytest.raises(TypeError, match="is a string"):
        phrases["new york"]
    with pytest.raises(TypeError, match="must be str"):
        phrases[["new", 3]]
    with pytest.raises(TypeError, match="tokens must be str"):
        Phrases([["new", 3]])


def test_the_scores_are_the_formulas():
    assert scoring.original_scorer(4, 5, 7, 100, 2, 50) == (7 - 2) / 20 * 100
    expected = math.log(Fraction(3, 50) / (Fraction(4, 50) * Fraction(5, 50))) / -math.log(3 / 50)
    assert scoring.npmi_scorer(4, 5, 3, 100, 2, 50) == pytest.approx(expected, rel=1e-12)
    assert scoring.npmi_scorer(4, 5, 1, 100, 2, 50) == -math.inf
    assert scoring.original_scorer(0, 5, 7, 100, 2, 50) == -math.inf


def test_a_long_sentence_is_divided_in_stretches_of_bounded_length():
    joiner = Joiner([Level([["a", "a"]], ["a_a"], [1.0], True)])
    assert joiner.joined(["a"] * 30_001).count("a_a") == 15_000


def test_frozen_phrases_can_be_frozen_again():
    frozen = Phrases(ROYAL, min_count=1, threshold=0.1).freeze()
    assert FrozenPhrases(frozen).phrasegrams == frozen.phrasegrams
    assert list(islice(frozen[iter(ROYAL)], 2)) == [frozen[sentence] for sentence in ROYAL[:2]]

"""Dictionaries of terms: what is mapped, conflicts, files, reports."""

import copy
import lzma
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import SHARED
from term_twins import longest_first

from w2v import FormatError, TermMap, load_terms

letters = st.sampled_from("abcd")
TERMS = {"pulmonary embolism": "PE", "pe": "PE", "heart": "HEART", "heart attack": "MI", "mi": "MI"}


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(st.lists(letters, min_size=1, max_size=4).map(tuple), st.integers(0, 9), max_size=8),
    st.lists(st.lists(letters, max_size=12), max_size=6),
)
def test_the_longest_term_at_each_place_is_mapped(tmp_path_factory, entries, corpus):
    terms = TermMap({" ".join(term): f"C{number}" for term, number in entries.items()})
    of = {term: f"C{number}" for term, number in entries.items()}
    for sentence in corpus:
        parts = longest_first(sentence, of)
        assert terms[sentence] == [of.get(part, part[0]) for part in parts]
        spans = terms.spans(sentence)
        assert [tuple(sentence[span.begin : span.end]) for span in spans] == parts
    report = terms.report(corpus)
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text("\n".join(map(" ".join, corpus)))
    assert terms.report(corpus_file=path, workers=2) == report
    found = [part for sentence in corpus for part in longest_first(sentence, of) if part in of]
    assert report.mapped == {" ".join(part): found.count(part) for part in found}
    assert sorted(report.mapped) + sorted(report.never) == sorted(report.mapped) + sorted(
        " ".join(term) for term in of if term not in found
    )
    assert sum(report.concepts.values()) == len(found)


def test_case_and_punctuation_can_be_ignored():
    sentence = ["Massive", "Pulmonary", "embolism,", "no", "MI."]
    assert TermMap(TERMS)[sentence] == sentence
    assert TermMap(TERMS, ignore_case=True)[sentence] == sentence
    both = TermMap(TERMS, ignore_case=True, ignore_punctuation=True)
    assert both[sentence] == ["Massive", "PE", "no", "MI"]
    assert both[[",", "..."]] == [",", "..."]


def test_a_concept_that_is_a_term_stands_for_its_own_concept():
    assert TermMap({"a": "b c", "b c": "d", "d": "d"}).concepts == {"a": "d", "b c": "d", "d": "d"}


def test_white_space_in_a_concept_becomes_the_delimiter():
    assert TermMap({"pe": "pulmonary embolism"})[["pe"]] == ["pulmonary_embolism"]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("a\tA\nb\tB\na\tC\n", r"line 3: 'a' becomes 'C', and 'A' by line 1"),
        ("a\tA\n\n \tB\n", r"line 3: the term ' ' is empty"),
        ("a\tA\nb\t\n", r"line 2: the concept of 'b' is empty"),
        ("x\tX\na\tb\nb\tc\nc\ta\n", r"line 2, 3, 4: 'a' becomes itself by a detour"),
        ("a\tA\nb B\n", r"line 2: 1 fields, not term<TAB>concept"),
        (b"a\tA\nb\xe9\tB\n", r"line 2: not UTF-8"),
    ],
)
def test_a_bad_dictionary_is_an_error_with_its_line(tmp_path, text, match):
    path = tmp_path / "terms.tsv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FormatError, match=rf"terms\.tsv, {match}"):
        TermMap.from_file(path)


def test_conflicts_are_decided_as_asked():
    entries = [("a", "A"), ("b", "B"), ("a", "C")]
    with pytest.raises(ValueError, match="entry 3: 'a' becomes 'C'"):
        TermMap(entries)
    assert TermMap(entries, conflicts="first")[["a", "b"]] == ["A", "B"]
    assert TermMap(entries, conflicts="last")[["a", "b"]] == ["C", "B"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("terms.tsv", "heart attack\tMI\nmi\tMI\n"),
        ("terms.csv", '"heart attack",MI\nmi,MI\r\n'),
        ("terms.clever", "1|heart attack|MI\n2|mi|MI\n"),
        ("terms.tsv.xz", "\ufeffheart attack\tMI\nmi\tMI\n"),
    ],
)
def test_every_format_is_read_and_kept(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(lzma.compress(text.encode()) if name.endswith(".xz") else text.encode())
    terms = TermMap.from_file(path, ignore_case=True)
    assert terms.concepts == {"heart attack": "MI", "mi": "MI"}
    terms.save(tmp_path / "terms.json")
    for again in (TermMap.load(tmp_path / "terms.json"), copy.copy(terms), pickle.loads(pickle.dumps(terms))):
        assert (again.concepts, again[["Heart", "Attack"]]) == (terms.concepts, ["MI"])
    assert isinstance(load_terms(tmp_path / "terms.json"), TermMap)


def test_a_quoted_field_without_end_is_an_error_with_its_line(tmp_path):
    (tmp_path / "terms.csv").write_text('a,A\n"b,B\n')
    with pytest.raises(FormatError, match=r"terms\.csv, line 2"):
        TermMap.from_file(tmp_path / "terms.csv")


def test_an_unknown_format_is_refused(tmp_path):
    (tmp_path / "terms.txt").write_text("a\tA\n")
    with pytest.raises(ValueError, match="does not tell its format"):
        TermMap.from_file(tmp_path / "terms.txt")
    assert len(TermMap.from_file(tmp_path / "terms.txt", "tsv")) == 1
    with pytest.raises(TypeError, match="entry 1"):
        TermMap([("a", 3)])


CLEVER = SHARED / "data" / "clinical" / "clever" / "clever_base_terminology.txt"


@pytest.mark.skipif(not CLEVER.exists(), reason="the shared data is not there")
def test_clevers_own_dictionary_is_read():
    terms = TermMap.from_file(CLEVER, "clever", conflicts="first", ignore_case=True)
    assert len(terms) > 500
    assert "NEGEX" in terms[["No", "evidence", "of", "fracture"]]

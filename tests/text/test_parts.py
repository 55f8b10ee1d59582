"""Text files in parts that threads read for themselves."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2v.text import parts, readers, units
from w2v.text._text import WordTable
from w2v.text.readers import Text, read_blocks
from w2v.text.units import units_of_text

PIECES = [" ", "\n", "\t", "\x1c", "\u3000", "\u2028", "\u00a0", "a", "bc", "\u00e9", "\u20ac", "\U0001f600", "longer"]


def parts_of(path):
    return [read() for read in parts.parts_of_file(path)]


def numbered(path):
    for stretch in units_of_text(Text([str(path)])).stretches:
        for unit in stretch:
            unit(WordTable())


@settings(max_examples=150, deadline=None)
@given(
    text=st.lists(st.sampled_from(PIECES), max_size=60).map("".join),
    block=st.integers(1, 40),
    overhang=st.integers(3, 9),
    mark=st.booleans(),
)
def test_parts_together_are_the_text(tmp_path_factory, text, block, overhang, mark):
    path = tmp_path_factory.getbasetemp() / "parts"
    path.write_text(text, encoding="utf-8-sig" if mark else "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readers, "BLOCK", block)
        patch.setattr(parts, "OVERHANG", overhang)
        found = parts_of(path) if text or mark else []
    at = 3 if mark else 0
    for part, begin in found:
        assert begin == at or not part
        at += len(part)
    decoded = [bytes(part).decode() for part, _ in found]
    assert "".join(decoded) == text
    whole = [part for part in decoded if part]
    assert all(part[-1].isspace() for part in whole[:-1])
    assert len(found) == -(-os.path.getsize(path) // block)


@pytest.mark.parametrize("before", [b"", b"a word ", b"x\xe2\x80\xa8"])
def test_parts_name_the_word_that_is_too_long(tmp_path, monkeypatch, before):
    path = tmp_path / "long"
    path.write_bytes(before + "\u00e9".encode() * 40 + b" and more")
    for module in (readers, units):
        monkeypatch.setattr(module, "LONGEST_WORD", 50)
    monkeypatch.setattr(readers, "BLOCK", 8)
    monkeypatch.setattr(parts, "OVERHANG", 4)
    with pytest.raises(ValueError, match=f"around byte {len(before)} of .*long") as found:
        numbered(path)
    with pytest.raises(ValueError, match="around byte") as sequential:
        list(read_blocks(path))
    assert str(found.value) == str(sequential.value)


def test_a_file_stays_open_until_its_last_part_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "BLOCK", 10)
    path = tmp_path / "text"
    path.write_text("one two three four five six seven")
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    reads = list(parts.parts_of_file(path))
    path.unlink()
    assert b"".join(read()[0] for read in reads) == b"one two three four five six seven"
    del reads
    assert not before or len(os.listdir("/proc/self/fd")) == before


def test_what_has_no_parts_is_read_from_end_to_end(tmp_path):
    (tmp_path / "text.gz").write_bytes(b"")
    (tmp_path / "empty").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe")
    for name in ("text.gz", "empty", "pipe", ""):
        assert parts.parts_of_file(tmp_path / name) is None
    with open(tmp_path / "empty", "rb") as opened:
        assert parts.parts_of_file(opened) is None


def test_words_of_eight_to_seventeen_bytes_are_told_apart():
    stem = "abcdefghijklmnopqr"
    words = [stem[:n] for n in range(1, 18)] + [stem[:n] + "X" for n in range(17)] + ["X" + stem[:n] for n in range(17)]
    words = list(dict.fromkeys(words))
    table = WordTable()
    tokens, _, _, _ = table.tokenize(" ".join(words * 3).encode(), 100)
    assert tokens.tolist() == list(range(len(words))) * 3
    assert table.counts().tolist() == [3] * len(words)
    assert table.words(np.arange(len(words))) == words

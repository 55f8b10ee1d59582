"""Texts as people have them: documents of office programs, spreadsheets, folders, slips of the keyboard."""

import pytest

from w2v import Texts, Word2Vec
from w2v.advice.rules import looks_wrapped
from w2v.cli import program

PAGE = "It was the best of times, it was the worst\nof times, and nobody\nknew it yet. All\n\n" * 30


def said(capsys, *line):
    try:
        code = program.main(list(line))
    except SystemExit as stop:
        code = stop.code
    out = capsys.readouterr()
    return code, out.out, out.err


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("book.docx", b"PK\x03\x04\x14\x00", "office program"),
        ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1", "office program"),
        ("book.pdf", b"%PDF-1.7\n", "PDF"),
        ("book.rtf", b"{\\rtf1\\ansi", "rich text"),
        ("page.html", b"\xef\xbb\xbf\n<!DOCTYPE html><p>The end.", "tags"),
        ("table.csv", b"id;text\r\n1;The end.\r\n", "--column NAME"),
        ("list.json", b'[{"text": "The end."}]', "--field NAME"),
        ("utf16.txt", "The end.".encode("utf-16"), "iconv -f utf-16"),
        ("empty.txt", b"", "no word in this corpus"),
    ],
)
def test_what_is_no_plain_text_is_named_for_what_it_is(place, capsys, name, content, what):
    (place / name).write_bytes(content)
    code, out, err = said(capsys, "train", name)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert name in err or name == "empty.txt"
    assert what in err


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("book.txt", "book.txt is a file, and no command: w2v train book.txt"),
        ("m.safetensors", "w2v explore m.safetensors"),
        ("trian book.txt", "did you mean train?"),
        ("xyzzy", "w2v --help lists them"),
        ("train book.txt m.safetensors", "a command reads one text"),
        ("train", "w2v train --help says more"),
    ],
)
def test_a_slip_on_the_command_line_gets_advice(place, capsys, line, advice):
    (place / "book.txt").write_text(PAGE)
    (place / "m.safetensors").touch()
    code, out, err = said(capsys, *line.split())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert advice in err


def test_help_is_a_command_as_well(capsys):
    assert said(capsys, "help", "train") == said(capsys, "train", "--help")


def test_a_folder_of_texts_is_a_corpus(place, capsys):
    (place / "texts").mkdir()
    for name, words in {"a.txt": "One river.\n", "b.txt": "Two rivers!", ".hidden": "\0\0"}.items():
        (place / "texts" / name).write_text(words * 30)
    assert said(capsys, "train", "texts/", "--tokenizer", "simple", "--min-count", "1")[0] == 0
    assert set(Word2Vec.load("texts.safetensors").wv.index_to_key) == {"one", "two", "river", "rivers"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", 'id,text\r\n1,"The end, ""they"" said.\r\nSo"\r\n2\r\n3,Yes\r\n'),
        ("t.csv", "id;text\n1;The end, they said. So\n2\n3;Yes"),
        ("t.tsv", "text\tid\nThe end, they said. So\t1\n\t2\nYes\t3\n"),
    ],
)
def test_a_column_of_a_spreadsheet_is_a_corpus(tmp_path, name, content):
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + content.encode())
    found = list(Texts(tmp_path / name, "simple", column="text"))
    assert found == [["the", "end", "they", "said", "so"], ["yes"]]
    with pytest.raises(ValueError, match=r"column='body' is not in .*, which has '"):
        list(Texts(tmp_path / name, column="body"))


def test_a_spreadsheet_in_another_encoding_says_how_to_save_it(tmp_path):
    (tmp_path / "t.csv").write_bytes("id,text\n1,été\n".encode("cp1252"))
    with pytest.raises(UnicodeDecodeError, match=r"t\.csv; is it UTF-8\? Spreadsheets save"):
        list(Texts(tmp_path / "t.csv", column="text"))


def test_raw_words_are_warned_of_where_nothing_was_said(place, capsys):
    (place / "book.txt").write_text(PAGE)
    options = ["train", "book.txt", "-o", "m.safetensors", "--min-count", "1", "--epochs", "1", "--workers", "1"]
    assert "--tokenizer simple" in said(capsys, *options)[2]
    assert said(capsys, *options, "--tokenizer", "whitespace")[2] == ""


def test_lines_broken_as_on_a_page_are_told_from_paragraphs(place, capsys):
    (place / "book.txt").write_text(PAGE)
    (place / "paragraphs.txt").write_text(PAGE.replace("\n\n", "\t").replace("\n", " ").replace("\t", "\n"))
    assert looks_wrapped(place / "book.txt")
    assert not looks_wrapped(place / "paragraphs.txt")
    assert "awk" in said(capsys, "train", "book.txt", "--min-count", "1")[1]
    assert "awk" not in said(capsys, "train", "paragraphs.txt", "--min-count", "1")[1]


def test_phrases_of_raw_text_are_those_of_its_words(place, capsys):
    (place / "book.txt").write_text("In New York. In New York, said he!\nA york is new.\n" * 20)
    line = "phrases book.txt -o p.json --tokenizer simple --min-count 5 --threshold 0.1 --apply joined.txt"
    assert said(capsys, *line.split())[0] == 0
    assert (place / "joined.txt").read_text().splitlines()[0].startswith("in_new york in_new york")

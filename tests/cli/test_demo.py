"""The demo: a corpus that is the same everywhere, and a run that repeats to the last bit."""

import os
import platform
import re
from pathlib import Path

import pytest

from w2v.cli import demo

SMALL = {**demo.SETTINGS, "epochs": 2, "vector_size": 16}


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        return demo.demo_sentences()


@pytest.fixture
def cached(sentences, tmp_path, monkeypatch):
    """The path of a cache file that holds the corpus."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = demo.cache_file()
    path.parent.mkdir()
    path.write_text("".join(" ".join(words) + "\n" for words in sentences))
    return path


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A folder that stands in for the standard library."""
    folder = tmp_path / "library"
    folder.mkdir()
    monkeypatch.setattr(demo, "_library_folder", lambda: folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def test_corpus_is_prose_of_a_useful_size(sentences):
    words = [word for sentence in sentences for word in sentence]
    assert len(words) > 200_000
    assert min(map(len, sentences)) > 1
    assert {"the", "file", "exception", "thread", "os.path", "__init__"} <= set(words)
    assert all(word == word.lower() and word.isascii() and " " not in word for word in words)
    assert words.count("the") > len(words) / 30  # as in English


def test_the_corpus_does_not_depend_on_directory_order(sentences, tmp_path, monkeypatch):
    walk = os.walk

    def backwards(top):
        for folder, folders, names in walk(top):
            folders.sort(reverse=True)
            yield folder, folders, sorted(names, reverse=True)

    monkeypatch.setattr("os.walk", backwards)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert demo.demo_sentences() == sentences


def test_only_the_standard_library_itself_is_read(library):
    others = "json/test/x.py email/tests/x.py unittest/idle_test/x.py site-packages/json.py tkinter/x.py site.py"
    for name in ["json/decoder.py", "abc.py", "mine.py", *others.split()]:
        path = library / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'"""Words of {name.replace("/", " slash ")}."""')
    (library / "json/broken.py").write_text('"""Broken source."""\ndef')
    (library / "json/null.py").write_bytes(b'"""Null byte."""\0')
    (library / "json/latin.py").write_bytes('"""Not declared: é."""'.encode("latin-1"))
    assert demo.demo_sentences() == [
        ["words", "of", "abc.py"],
        ["words", "of", "json", "slash", "decoder.py"],
    ]


def test_docstrings_at_every_level_and_help_topics_are_read(library):
    (library / "abc.py").write_text(
        '"""The module."""\nclass A:\n    """The class."""\n    async def f():\n        """The function."""\n'
        "    '''Not a docstring.'''\n"
    )
    (library / "pydoc_data").mkdir()
    (library / "pydoc_data/topics.py").write_text("topics = {'b': 'Second topic.', 'a': 'First topic.'}")
    assert [" ".join(words) for words in demo.demo_sentences()] == [
        "the module", "the class", "the function", "first topic", "second topic",
    ]  # fmt: skip


def test_nothing_of_the_library_is_imported(library):
    (library / "abc.py").write_text('"""A module that cannot be imported."""\nraise SystemExit')
    assert demo.demo_sentences()


def test_text_is_split_into_sentences_of_lower_cased_words():
    text = """Return os.path.join(a, b).  It isn't __read-only__!

    >>> excluded()
    ... excluded
    Use :class:`list`, or _not_ 42?
    """
    assert list(demo.split_sentences(text)) == [
        ["return", "os.path.join", "a", "b"],
        ["it", "isn't", "__read-only__"],
        ["use", "class", "list", "or", "_not_"],
    ]


def test_python_without_sources_gets_a_clear_error(library):
    with pytest.raises(OSError, match="no Python sources"):
        demo.demo_sentences()


def test_second_call_reads_the_cache(sentences, cached, monkeypatch):
    monkeypatch.setattr(demo, "standard_library_prose", lambda: pytest.fail("the cache was not used"))
    assert demo.demo_sentences() == sentences


def test_first_call_writes_the_cache_and_leaves_nothing_else(library):
    (library / "abc.py").write_text('"""One sentence. Another one."""')
    demo.demo_sentences()
    assert demo.cache_file().read_bytes() == b"one sentence\nanother one\n"
    assert list(demo.cache_file().parent.iterdir()) == [demo.cache_file()]
    assert platform.python_version() in demo.cache_file().name


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe"])
def test_unreadable_cache_is_built_anew(library, damage):
    (library / "abc.py").write_text('"""One sentence."""')
    demo.cache_file().parent.mkdir(parents=True)
    demo.cache_file().write_bytes(damage)
    assert demo.demo_sentences() == [["one", "sentence"]]
    assert demo.cache_file().read_bytes() == b"one sentence\n"


@pytest.mark.parametrize("base", [os.devnull, "relative"])
def test_cache_folder_that_cannot_be_made_is_no_error(library, tmp_path, monkeypatch, base):
    (library / "abc.py").write_text('"""One sentence."""')
    monkeypatch.setenv("XDG_CACHE_HOME", base)
    monkeypatch.chdir(tmp_path)
    assert demo.demo_sentences() == [["one", "sentence"]]
    assert not Path("relative").exists()


def test_failed_write_leaves_no_file(library, monkeypatch):
    def full(*paths, **folders):
        raise OSError(28, "No space left on device")

    (library / "abc.py").write_text('"""One sentence."""')
    monkeypatch.setattr("os.replace", full)
    assert demo.demo_sentences() == [["one", "sentence"]]
    assert not list(demo.cache_file().parent.iterdir())


def test_demo_prints_the_same_hash_twice(cached, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, "SETTINGS", SMALL)
    hashes = []
    for name in ("first.safetensors", "second.safetensors"):
        facts = demo.run_demo(tmp_path / name, progress=False)
        text = capsys.readouterr().out
        assert (tmp_path / name).exists()
        assert facts["sha256"] in text
        assert "words/s" in text
        assert re.search(rf"^  \S.* neighbors {re.escape(str(tmp_path / name))} thread$", text, re.MULTILINE)
        assert max(map(len, text.splitlines())) < 120 + len(str(tmp_path))
        hashes.append(facts["sha256"])
    assert hashes[0] == hashes[1]
    assert (tmp_path / "first.safetensors").read_bytes() == (tmp_path / "second.safetensors").read_bytes()


@pytest.mark.slow
def test_full_demo_answers_its_analogy(cached, tmp_path, capsys):
    facts = demo.run_demo(tmp_path / "demo.safetensors", progress=False)
    assert facts["analogy"][-1] == "encoder"
    assert "raised" in [word for word, _ in facts["neighbors"]["exception"]]

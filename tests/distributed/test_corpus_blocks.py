"""A corpus in blocks: every line in one of them, whatever the cuts; who has which; tables, addresses, damage."""

import bz2
import gzip
import os
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2v.distributed import manifest, sources
from w2v.distributed.manifest import Block
from w2v.files.reading import open_binary

lines = st.lists(st.binary(max_size=20).map(lambda text: text.replace(b"\n", b"")), max_size=12)


@given(lines=lines, ends=st.booleans(), cuts=st.lists(st.integers(0, 300), max_size=5), look=st.integers(1, 40))
@settings(deadline=None)
def test_every_line_is_in_one_block_whatever_the_cuts(tmp_path_factory, lines, ends, cuts, look):
    text = b"\n".join(lines) + (b"\n" if ends else b"")
    path = tmp_path_factory.getbasetemp() / "cut.txt"
    path.write_bytes(text)
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "LOOK", look)
        found = []
        for begin, end in pairwise(places):
            with open_binary(sources.TextBlock(str(path), begin, end)) as block:
                found.append(block.read())
    assert b"".join(found) == text
    assert all(part.endswith(b"\n") for part in found if part and part is not [one for one in found if one][-1])


def test_a_compressed_file_is_one_block(tmp_path):
    text = b"one two\n" * 40_000
    for name, opener in (("a.gz", gzip), ("b.bz2", bz2)):
        (tmp_path / name).write_bytes(opener.compress(text))
    blocks = manifest.blocks_of(manifest.paths_of(tmp_path), 4)
    assert [(os.path.basename(block.path), block.end) for block in blocks] == [("a.gz", -1), ("b.bz2", -1)]
    for block in blocks:
        with open_binary(sources.TextBlock(block.path, block.begin, block.end)) as opened:
            assert opened.read() == text


def test_a_plain_text_is_cut_so_that_all_have_something(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"one two three\n" * 40_000)
    blocks = manifest.blocks_of([path], 3)
    assert len(blocks) >= 3 * manifest.BLOCKS_PER_WORKER
    assert [block.begin for block in blocks] == [0, *(block.end for block in blocks[:-1])]
    owned = manifest.dealt(blocks, 3)
    assert sorted(number for own in owned for number in own) == list(range(len(blocks)))
    assert max(map(len, owned)) - min(map(len, owned)) <= 1


def test_one_text_is_cut_into_as_much_for_each(tmp_path):
    (tmp_path / "text.txt").write_bytes(b"a line of text\n" * 40_001)  # its size cannot be divided by 5 or 20
    blocks = manifest.blocks_of([tmp_path / "text.txt"], 5)
    assert len(blocks) == 5 * manifest.BLOCKS_PER_WORKER
    loads = [sum(blocks[number].size for number in own) for own in manifest.dealt(blocks, 5)]
    assert max(loads) - min(loads) <= manifest.BLOCKS_PER_WORKER


def test_blocks_go_to_whoever_has_least():
    blocks = [Block("a", 0, -1, size) for size in (5, 1, 1, 1, 1, 1, 5)]
    assert manifest.dealt(blocks, 2) == [[0, 6], [1, 2, 3, 4, 5]]


def test_files_folders_patterns_and_lists_name_files(tmp_path):
    for name in ("b.txt", "a.txt", "c.log"):
        (tmp_path / name).write_text("x")
    names = lambda corpus: [os.path.basename(path) for path in manifest.paths_of(corpus)]  # noqa: E731
    assert names(tmp_path) == ["a.txt", "b.txt", "c.log"]
    assert names(str(tmp_path / "*.txt")) == ["a.txt", "b.txt"]
    assert names([tmp_path / "c.log", tmp_path / "a.txt"]) == ["c.log", "a.txt"]
    with pytest.raises(FileNotFoundError, match="no such file"):
        manifest.paths_of(tmp_path / "*.gz")
    with pytest.raises(TypeError, match="write them to files"):
        manifest.paths_of([["a", "sentence"]])


def test_a_manifest_is_known_by_names_and_sizes():
    one = [Block("/here/a.txt", 0, -1, 5)]
    assert manifest.digest_of(one) == manifest.digest_of([Block("/there/a.txt", 0, -1, 5)])
    assert manifest.digest_of(one) != manifest.digest_of([Block("/here/a.txt", 0, -1, 6)])


def test_an_address_needs_an_extra_by_name(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    with pytest.raises(ModuleNotFoundError, match=r"w2v\[remote\]"):
        manifest.paths_of("s3://bucket/name.txt")


def test_an_address_is_read_like_a_file(tmp_path):
    fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")
    with fsspec.open("memory://corpus/a.txt", "wb") as file:
        file.write(b"one two\nthree\n" * 3000)
    with fsspec.open("memory://corpus/b.txt.gz", "wb") as file:
        file.write(gzip.compress(b"four\n"))
    blocks = manifest.blocks_of(manifest.paths_of("memory://corpus/"), 1)
    found = []
    for block in blocks:
        with open_binary(sources.TextBlock(block.path, block.begin, block.end)) as opened:
            found.append(opened.read())
    assert b"".join(found) == b"one two\nthree\n" * 3000 + b"four\n"


def test_a_table_gives_its_sentences_by_groups_of_rows(tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    from pyarrow import ipc, parquet

    rows = [["one", "two"], ["three"], [], ["four", "five"], ["six"]]
    table = pyarrow.table({"tokens": rows, "text": [" ".join(row) for row in rows], "n": range(5)})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    with ipc.new_file(str(tmp_path / "b.arrow"), table.schema) as file:
        file.write_table(table, max_chunksize=2)
    for name in ("a.parquet", "b.arrow"):
        blocks = manifest.blocks_of([tmp_path / name], 1)
        assert [(block.begin, block.end) for block in blocks] == [(0, 1), (1, 2), (2, 3)]
        for column in ("tokens", "text"):
            given_ = [sources.TableBlock(block.path, block.begin, block.end, column, False) for block in blocks]
            assert [sentence for block in given_ for sentence in block] == rows
        with pytest.raises(ValueError, match="say which by column="):
            list(sources.TableBlock(str(tmp_path / name), 0, 1, None, False))
        with pytest.raises(ValueError, match="no column 'n'"):
            list(sources.TableBlock(str(tmp_path / name), 0, 1, "n", False))
    assert [tuple(document) for document in sources.TableBlock(str(tmp_path / name), 2, 3, "text", True)] == [
        (["six"], [0])
    ]

"""Maps as data: neighbours are exact, pages hold them and nothing that could run, tables can be read."""

import base64
import gzip
import html
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from nasty import NASTY, nasty_vectors
from places import ROOT

from w2v import KeyedVectors, Word2Vec, align
from w2v.atlas import layout, page
from w2v.atlas.atlas import Atlas
from w2v.atlas.points import Colouring, Sheet, Space
from w2v.vectors import mapping

PAGE = ROOT / "src" / "w2v" / "atlas" / "page"


def vectors_of(count=300, size=10, seed=2):
    rows = np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)
    return KeyedVectors.from_arrays(
        [f"word{number}" for number in range(count)], rows, {"count": np.arange(count, 0, -1)}
    )


def unpacked(text):
    data = re.search(r'id="data">([^<]*)<', text)[1]
    raw = gzip.decompress(base64.b64decode(data))
    length = int.from_bytes(raw[:4], "little")
    header = json.loads(raw[4 : 4 + length])
    types = {"f4": "<f4", "i2": "<i2", "i4": "<i4", "u1": "u1", "u2": "<u2", "u4": "<u4"}
    return header, {
        name: np.frombuffer(raw, types[kind], count, 4 + length + offset)
        for name, (kind, offset, count) in header["arrays"].items()
    }


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def test_the_page_tells_the_neighbours_that_queries_give():
    vectors = vectors_of()
    header, arrays = unpacked(vectors.map(layout="pca").to_html())
    k, names = header["k"], header["names"]
    for row in (0, 17, 299):
        told = [(names[other], cosine / 10_000) for other, cosine in zip(
            arrays["rows0.0"][row * k : (row + 1) * k].tolist(), arrays["cosines0.0"][row * k : (row + 1) * k].tolist(),
            strict=True)]  # fmt: skip
        expected = vectors.most_similar(names[row], topn=k)
        assert [name for name, _ in told] == [name for name, _ in expected]
        assert [c for _, c in told] == pytest.approx([c for _, c in expected], abs=1e-4)


def test_a_model_tells_its_neighbours_in_both_spaces():
    sentences = [["sun", "moon", "star", "sky"], ["bread", "salt", "oven", "knife"]] * 100
    model = Word2Vec(sentences, vector_size=8, min_count=1, sg=1, workers=1)
    made = model.map(layout="pca", neighbors=3)
    assert [space.name for space in made.sheets[0].spaces] == ["used alike", "stand together"]
    for row, word in enumerate(made.names):
        expected = model.most_similar(word, topn=3, space="in-out")
        assert [made.names[other] for other in made.sheets[0].spaces[1].rows[row]] == [name for name, _ in expected]
    tied = Word2Vec(sentences, vector_size=8, min_count=1, workers=1, tied=True)
    assert len(tied.map(layout="pca").sheets[0].spaces) == 1


def test_each_row_begins_with_itself_also_among_equals():
    units = np.repeat(np.eye(3, dtype=np.float32), 8, axis=0)
    rows, cosines = mapping.nearest_of(units, 4)
    assert rows[:, 0].tolist() == list(range(24))
    assert all(len(set(row)) == len(row) for row in rows.tolist())
    assert cosines[:, 0].tolist() == [1] * 24


def test_equal_vectors_give_equal_pages(tmp_path):
    first, second = (vectors_of().map(layout="pca") for _ in range(2))
    first.save(tmp_path / "map.html")
    assert (tmp_path / "map.html").read_bytes() == second.to_html().encode()


def test_only_so_many_of_the_first_words_are_shown():
    vectors = vectors_of()
    assert vectors.map(20, layout="pca").names == vectors.index_to_key[:20]
    assert "The 20 most frequent of 300" in vectors.map(20, layout="pca").note
    assert len(vectors.map(None, layout="pca")) == 300
    for wrong in ({"most": 0}, {"neighbors": 0}, {"layout": "tsne"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            vectors.map(**wrong)
    with pytest.raises(ValueError, match="no words"):
        KeyedVectors(4).map()


def test_important_points_come_first_and_keep_their_neighbours():
    rows = np.array([[1, 2], [2, -1], [0, 1]])
    space = Space("near", rows, np.array([[0.9, 0.1], [0.5, 0.0], [0.9, 0.2]]))
    places = np.array([[0, 0], [1, 1], [2, 2.0]])
    made = Atlas(["a", "b", "c"], [Sheet("m", places, [space])], weights=[1, 5, 3], moved=[(0, 0.2)],
                 colourings=[Colouring("n", np.array([7, 8, 9]))])  # fmt: skip
    assert made.names == ["b", "c", "a"]
    assert made.sheets[0].places[:, 0].tolist() == [1, 2, 0]
    assert made.sheets[0].spaces[0].rows.tolist() == [[1, -1], [2, 0], [0, 1]]
    assert made.colourings[0].values.tolist() == [8, 9, 7]
    assert made.moved == [(2, 0.2)]


def test_two_models_share_a_plane_and_moved_words_are_listed():
    before = vectors_of(200)
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(10, 10)))
    rows = (before.vectors @ turn).astype(np.float32)
    rows[5] = -rows[5]
    after = KeyedVectors.from_arrays([*before.index_to_key[:150], *(f"new{n}" for n in range(50))], rows)
    found = align.fit(before, after)
    made = align.draw_map(found, ("one", "other"), layout="pca")
    place = {name: row for row, name in enumerate(made.names)}
    assert made.names[made.moved[0][0]] == "word5"
    assert made.moved[0][1] == pytest.approx(-1, abs=0.05)
    assert {made.names[row] for row, _ in made.moved} <= set(before.index_to_key) & set(after.index_to_key)
    part = align.draw_map(found, ("one", "other"), 100, layout="pca", moved=500)
    assert len(part.moved) == 100
    one, other = (sheet.places for sheet in made.sheets)
    stays, new, gone = place["word7"], place["new3"], place["word170"]
    assert np.allclose(one[stays], other[stays], atol=0.05)
    assert np.isnan(one[new]).all()
    assert np.isnan(other[gone]).all()
    told = [made.names[row] for row in made.sheets[1].spaces[0].rows[new] if row >= 0]
    assert told == [name for name, _ in found.target.most_similar("new3", topn=10)] or len(told) == 10
    with pytest.raises(ValueError, match="two names"):
        align.draw_map(found, "ab")


# --- the page is text, and nothing in it runs -----------------------------------------------------------------------


def test_names_and_titles_are_no_markup():
    text = nasty_vectors().map(layout="pca", title=NASTY[0]).to_html()
    plain = Tags(vectors_of(20).map(layout="pca").to_html()).found
    nasty = Tags(text).found
    assert [tag for tag, _ in nasty] == [tag for tag, _ in plain]
    assert html.escape(NASTY[0]) in text
    assert all(name not in text for name in NASTY[:5])
    assert unpacked(text)[0]["names"][: len(NASTY)] == NASTY


def test_the_page_forbids_all_that_it_does_not_hold():
    text = vectors_of(20).map(layout="pca").to_html()
    for _, attributes in Tags(text).found:
        assert not {name for name in attributes if name in ("src", "href", "action") or name.startswith("on")}
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1])
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-inline" not in policy
    assert "connect-src" not in policy  # so nothing may be fetched at all


def test_the_page_carries_the_licences_of_its_scripts():
    text = vectors_of(20).map(layout="pca").to_html()
    for name in ("regl-scatterplot", "regl", "gl-matrix", "kdbush"):
        assert re.search(rf"^{name} [\d.]+ \((MIT|ISC)\)$", text, re.MULTILINE), name
    wanted = json.loads((ROOT / "vendor" / "scatter" / "package.json").read_text())["dependencies"]
    listed = (PAGE / "scatter.LICENSES.txt").read_text()
    assert all(f"{name} {version} (" in listed for name, version in wanted.items())


def test_a_script_cannot_end_early():
    assert page.html_of(vectors_of(20).map(layout="pca")).count("</script>") == 2


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_script_of_the_page_passes_its_own_tests():
    scripts = sorted((ROOT / "tests" / "atlas").glob("*_test.js"))
    done = subprocess.run(["node", "--test", *scripts], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


# --- layouts and tables ---------------------------------------------------------------------------------------------


def test_principal_components_are_those_of_the_svd():
    rows = np.random.default_rng(9).normal(size=(80, 7)) * np.arange(1, 8)
    centred = rows - rows.mean(axis=0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    found = layout.pca(rows.astype(np.float32), 3)
    assert np.allclose(np.abs(found), np.abs(left * values)[:, :3], atol=1e-3)
    assert layout.pca(rows[:, :2].astype(np.float32), 3)[:, 2].tolist() == [0] * 80


def test_umap_repeats_and_keeps_neighbours_together():
    pytest.importorskip("umap", reason="umap-learn is not installed")
    rows = np.concatenate([np.eye(6, dtype=np.float32)[[axis] * 40] for axis in range(2)])
    rows += np.random.default_rng(1).normal(size=rows.shape).astype(np.float32) * 0.1
    vectors = KeyedVectors.from_arrays([str(n) for n in range(80)], rows)
    first, second = (vectors.map(layout="umap").sheets[0].places for _ in range(2))
    assert first.tobytes() == second.tobytes()
    middles = first[:40].mean(axis=0), first[40:].mean(axis=0)
    own = np.linalg.norm(first - np.repeat(middles, 40, axis=0), axis=1)
    assert np.median(own) < np.linalg.norm(middles[0] - middles[1]) / 2


def test_a_layout_whose_package_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ImportError, match=r"w2v\[topics\]"):
        vectors_of().map(layout="umap")


def test_a_table_has_places_texts_and_neighbours(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    vectors = vectors_of(40)
    made = vectors.map(layout="pca")
    made.to_parquet(tmp_path / "map.parquet")
    table = parquet.read_table(tmp_path / "map.parquet").to_pydict()
    assert table["text"] == vectors.index_to_key
    assert np.allclose(np.stack([table["x"], table["y"]], 1), made.sheets[0].places)
    expected = vectors.most_similar("word3", topn=10)
    assert [table["text"][row] for row in table["neighbors"][3]["ids"]] == [name for name, _ in expected]
    assert table["neighbors"][3]["distances"] == pytest.approx([1 - c for _, c in expected], abs=1e-6)


def test_without_pyarrow_the_table_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"w2v\[parquet\]"):
        vectors_of(20).map(layout="pca").to_parquet(tmp_path / "map.parquet")

"""What notebooks show: tables in which every text is escaped, and bars of their own."""

import sys
from types import ModuleType

import numpy as np

from w2v import KeyedVectors, Word2Vec, evaluate
from w2v.common import html, progress

BAD = "<script>alert('&')</script>"
GOOD = "&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;"


def test_every_text_of_a_table_is_escaped():
    text = html.table([(BAD, 1234, 0.5, True)], [BAD, "n", "x", "?"], BAD)
    assert text.count(GOOD) == 3
    assert "<script" not in text
    assert "1,234" in text
    assert "0.5000" in text
    assert "True" in text


def test_models_vectors_and_neighbours_are_tables():
    model = Word2Vec([[BAD, "b", "c"]] * 20, vector_size=4, min_count=1, workers=1, sample=0)
    shown = [model, model.wv, model.wv.most_similar("b"), model.most_similar("b", space="in-out")]
    for one in shown:
        text = one._repr_html_()
        assert text.startswith("<table>")
        assert "<script" not in text
    assert GOOD in shown[1]._repr_html_()
    assert GOOD in shown[2]._repr_html_()


def test_neighbours_are_a_list_as_before():
    vectors = KeyedVectors.from_arrays(["a", "b", "c"], np.eye(3, dtype=np.float32))
    found = vectors.most_similar("a", topn=2)
    assert isinstance(found, list)
    assert found == [("b", 0.0), ("c", 0.0)]
    assert repr(found) == "[('b', 0.0), ('c', 0.0)]"


def test_an_evaluation_is_a_table(tmp_path):
    vectors = KeyedVectors.from_arrays(list("abcdef"), np.random.default_rng(1).normal(size=(6, 4)).astype(np.float32))
    (tmp_path / "pairs<b>.tsv").write_text("a\tb\t9\nb\tc\t4\nc\td\t2\nd\te\t1\n")
    text = evaluate({BAD: vectors}, pairs=tmp_path / "pairs<b>.tsv")._repr_html_()
    assert text.startswith("<table>")
    assert GOOD in text
    assert "<script" not in text
    assert "<b>" not in text


def test_a_notebook_gets_a_bar_of_its_own(monkeypatch):
    made = []

    class OfNotebook:
        def __init__(self, **options):
            made.append(options)

    for name in ("ipykernel", "IPython", "ipywidgets", "tqdm.notebook"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["tqdm.notebook"].tqdm = OfNotebook
    assert isinstance(progress.progress_bar(None, total=3), OfNotebook)
    assert made == [{"dynamic_ncols": True, "total": 3}]
    assert not isinstance(progress.progress_bar(False, total=3), OfNotebook)

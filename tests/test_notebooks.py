"""The notebooks of the documentation: every cell runs, in order, and prints where the page shows that it does."""

import contextlib
import io
import json
import warnings

import pytest
from places import ROOT

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def test_there_are_three_notebooks():
    assert [path.stem for path in NOTEBOOKS] == ["first-look", "meaning-change", "topics"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_runs_in_order(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": path.stem}
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert len(cells) > 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number, cell in enumerate(cells):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile("".join(cell["source"]), f"{path.name}, cell {number}", "exec"), namespace)
            shown = "".join("".join(output["text"]) for output in cell["outputs"])
            assert bool(printed.getvalue()) == bool(shown), f"cell {number} printed {printed.getvalue()!r}"
            if path.stem != "first-look":  # whose text is that of the running Python
                assert printed.getvalue().splitlines()[:1] == shown.splitlines()[:1], f"cell {number}"

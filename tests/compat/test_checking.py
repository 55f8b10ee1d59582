"""`--check` reads programs for gensim and says what becomes of each call: never "runs unchanged" where it is not so."""

import json

import pytest

from w2v.compat import checking, gensim, gensim_utils, uses

OURS = uses.Gensim(gensim.SUBSTITUTED, gensim.CLASSES, gensim_utils.__all__)
HEAD = "from gensim.models import Word2Vec, KeyedVectors, Doc2Vec, FastText, Phrases\nimport gensim\n"


def checked(code, head=HEAD):
    """{what: verdict} of a program, without what its first lines are."""
    found = uses.uses_in("program.py", head + code, OURS)
    return {use.what: use.verdict for use in found if use.line > head.count("\n")}


@pytest.mark.parametrize(
    ("code", "what", "verdict"),
    [
        ("Word2Vec(x, vector_size=9)", "Word2Vec(vector_size=)", uses.RUNS),
        ("Word2Vec(x, size=9)", "Word2Vec(size=)", uses.DIFFERS),
        ("Word2Vec(x, workers=-1)", "Word2Vec(workers=)", uses.DIFFERS),
        ("Word2Vec(x, workers=4)", "Word2Vec(workers=)", uses.RUNS),
        ("Word2Vec(x, workers=n)", "Word2Vec(workers=)", uses.RUNS),
        ("Word2Vec(x, hashfxn=hash)", "Word2Vec(hashfxn=)", uses.DIFFERS),
        ("Word2Vec(x, pretrained=1)", "Word2Vec(pretrained=)", uses.MISSING),
        ("Word2Vec(**options)", "Word2Vec()", uses.LOOK),
        ("Word2Vec(*given)", "Word2Vec()", uses.LOOK),
        ("Doc2Vec(x, dm=0, window=3)", "Doc2Vec(window=)", uses.RUNS),
        ("Doc2Vec(x, lengths=3)", "Doc2Vec(lengths=)", uses.MISSING),
        ("class Mine(Word2Vec): pass", "class Mine(Word2Vec)", uses.LOOK),
        ("m = Word2Vec(x)\nm.wv.most_similar('a', topn=3)", "KeyedVectors.most_similar(topn=)", uses.RUNS),
        ("m = Word2Vec(x)\nm.doesnt_match('a')", "Word2Vec.doesnt_match", uses.DIFFERS),
        ("m = Word2Vec(x)\nm.save('m')", "Word2Vec.save", uses.DIFFERS),
        ("m = Word2Vec(x)\nm.seeded_vector('a', 3)", "Word2Vec.seeded_vector", uses.MISSING),
        ("m = Word2Vec.load('m')\nm._do_train_job()", "Word2Vec._do_train_job", uses.MISSING),
        ("m = Word2Vec(x)\nm.note = 1", "Word2Vec.note", uses.DIFFERS),
        ("v = KeyedVectors.load_word2vec_format('v')\nv.index2word", "KeyedVectors.index2word", uses.DIFFERS),
        ("v = Word2Vec(x).wv\nv.nothing", "KeyedVectors.nothing", uses.MISSING),
        ("self.m = FastText(x)\nself.m.wv.nothing", "FastTextKeyedVectors.nothing", uses.MISSING),
        ("d = Doc2Vec(x)\nd.infer_vector(['a'], steps=3)", "Doc2Vec.infer_vector(steps=)", uses.DIFFERS),
        ("d = Doc2Vec(x)\nd.dv.most_similar(1)", "KeyedVectors.most_similar", uses.RUNS),
        ("p = Phrases(x).freeze()\np.find_phrases(x)", "FrozenPhrases.find_phrases", uses.RUNS),
        ("def f(m):\n    m.wv['a']\n    m.save('m')", "Word2Vec.save", uses.DIFFERS),
        ("def f(m):\n    m.wv['a']\n    m.nothing", ".nothing", uses.LOOK),
        ("def f(m):\n    m._job_producer()", "._job_producer", uses.LOOK),
        ("gensim.models.word2vec.LineSentence('x')", "gensim.models.word2vec.LineSentence", uses.RUNS),
        ("gensim.corpora.Dictionary(x)", "gensim.corpora", uses.BESIDE),
        ("gensim.utils.simple_preprocess('x')", "gensim.utils.simple_preprocess", uses.RUNS),
        ("gensim.utils.chunkize_serial(x, 2)", "gensim.utils.chunkize_serial", uses.BESIDE),
        ("import gensim.downloader as api", "import gensim.downloader", uses.BESIDE),
        ("from gensim.models.callbacks import Metric", "from gensim.models.callbacks import Metric", uses.BESIDE),
        ("Phrases(x).export_phrases(x)", "Phrases.export_phrases()", uses.MISSING),
        ("Phrases(x, common_terms=y)", "Phrases(common_terms=)", uses.DIFFERS),
        ("from gensim.models import *", "from gensim.models import *", uses.LOOK),
    ],
)  # fmt: skip
def test_each_use_of_gensim_has_its_verdict(code, what, verdict):
    assert checked(code)[what] == verdict


def test_a_name_for_two_things_stands_for_none():
    code = "m = Word2Vec(x)\nm = Phrases(x)\nm.seeded_vector('a', 3)"
    assert checked(code)[".seeded_vector"] == uses.LOOK


def test_names_are_known_above_the_line_that_says_what_they_are():
    code = "def near():\n    return model.wv.nothing\nmodel = Word2Vec(x)"
    assert checked(code)["KeyedVectors.nothing"] == uses.MISSING


def test_all_that_gensim_has_and_is_said_to_lack_is_lacking():
    """A name that is there by now would be reported wrongly."""
    for name in uses.LACKING:
        owners = [owner for owner in uses.CLASSES if name in uses._members(owner)]
        assert not owners, name


def test_files_notebooks_and_folders_have_a_verdict_each(tmp_path, capsys):
    good = "from gensim.models import Word2Vec\nmodel = Word2Vec([['a', 'b']], vector_size=5)\nprint(model.wv['a'])\n"
    (tmp_path / "good.py").write_text(good)
    (tmp_path / "old.py").write_text("import gensim\nprint 'old'\n")
    (tmp_path / "other.py").write_text("print('nothing of it')\n")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "copy.py").write_text(good)
    cells = [
        {"cell_type": "markdown", "source": ["gensim"]},
        {"cell_type": "code", "source": ["%pip install gensim\n", "from gensim.models import Word2Vec\n"]},
        {"cell_type": "code", "source": ["Word2Vec([['a']], wrong=1)"]},
    ]
    (tmp_path / "notes.ipynb").write_text(json.dumps({"cells": cells}))
    (tmp_path / "broken.ipynb").write_text("gensim{")
    found, verdicts = checking.check([tmp_path], OURS)
    assert {path.rpartition("/")[2]: verdict for path, verdict in verdicts.items()} == {
        "broken.ipynb": uses.LOOK,
        "good.py": uses.RUNS,
        "notes.ipynb": uses.MISSING,
        "old.py": uses.LOOK,
    }
    assert next(use.line for use in found if use.verdict == uses.MISSING) == 3
    gensim.main(["--check", str(tmp_path / "good.py")])
    assert "good.py: runs unchanged (" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stopped:
        gensim.main(["--check", str(tmp_path)])
    assert stopped.value.code == 1
    said = capsys.readouterr().out
    assert "  line 3: Word2Vec(wrong=): missing; there is no such argument\n" in said
    assert said.endswith("1 runs unchanged, 2 look at it: what a call is could not be told, "
                         "1 needs a change: w2v lacks something\n")  # fmt: skip


def test_a_path_that_is_not_there_is_an_error(tmp_path, capsys):
    with pytest.raises(SystemExit):
        gensim.main(["--check", str(tmp_path / "no.py")])
    assert "there is no file or folder" in capsys.readouterr().err

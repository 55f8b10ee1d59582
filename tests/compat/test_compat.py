"""w2v in gensim's place, with and without gensim; each in a process of its own, since it changes sys.modules."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

WITHOUT_GENSIM = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "gensim":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
if HIDE: sys.meta_path.insert(0, Hidden())
"""

needs_gensim = pytest.mark.skipif(find_spec("gensim") is None, reason="gensim is not installed")
EITHER = [pytest.param("1", id="without gensim"), pytest.param("0", id="with gensim", marks=needs_gensim)]


def output_of(script, hide, *arguments, cwd=None):
    code = f"HIDE = {hide}\n{WITHOUT_GENSIM}\n{script}"
    command = [sys.executable, "-W", "ignore", "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("hide", EITHER)
def test_every_way_to_import_gives_our_classes(hide):
    script = """
from w2v.compat import gensim as compat
compat.install()
import gensim
import gensim.models.word2vec
import gensim.models.keyedvectors as by_name
from importlib import import_module
from gensim.models import KeyedVectors, Word2Vec, callbacks, keyedvectors, word2vec
from gensim.models.callbacks import CallbackAny2Vec
from gensim.models.keyedvectors import KeyedVectors as K
from gensim.models.word2vec import LineSentence, PathLineSentences, Text8Corpus, Word2Vec as W
from gensim.utils import RULE_KEEP, simple_preprocess
import w2v
assert Word2Vec is W is w2v.Word2Vec is gensim.models.Word2Vec is gensim.models.word2vec.Word2Vec
assert import_module("gensim.models.word2vec").Word2Vec is import_module(".word2vec", "gensim.models").Word2Vec is W
assert KeyedVectors is K is by_name.KeyedVectors is w2v.KeyedVectors
assert K is word2vec.KeyedVectors is keyedvectors.KeyedVectors
assert LineSentence is w2v.LineSentence and word2vec.FAST_VERSION >= 0 and RULE_KEEP == w2v.RULE_KEEP
assert simple_preprocess("The w2v Library, a_b!") == ["the", "library", "a_b"]
print(gensim.__version__)
"""
    assert output_of(script, hide)[0].startswith("4.")


@pytest.mark.parametrize("hide", EITHER)
def test_uninstall_leaves_everything_as_it_was(hide):
    script = """
import importlib, sys
from multiprocessing import spawn
def state():
    models = sys.modules.get("gensim.models")
    names = ("Word2Vec", "KeyedVectors", "word2vec", "keyedvectors", "callbacks")
    found = {name: id(module) for name, module in sys.modules.items() if name.split(".")[0] == "gensim"}
    hooks = __import__, importlib.import_module, spawn.get_preparation_data, *sys.meta_path
    return found, [id(getattr(models, name, None)) for name in names], hooks
if not HIDE: import gensim.models
before = state()
from w2v.compat import gensim as compat
with compat.installed():
    compat.install()
    import gensim.models
    assert gensim.models.Word2Vec.__module__ == "w2v"
    assert state() != before
assert state() == before
compat.uninstall()
assert state() == before
"""
    output_of(script, hide)


def test_importing_the_package_touches_nothing():
    script = "import sys, w2v, w2v.compat.gensim; print([name for name in sys.modules if name.startswith('gensim')])"
    assert output_of(script, "0") == ["[]"]


def test_a_gensim_that_is_broken_is_not_taken_for_a_missing_one(tmp_path):
    (tmp_path / "gensim").mkdir()
    (tmp_path / "gensim" / "__init__.py").write_text("import nothing_of_this_name\n")
    script = """
from w2v.compat import gensim as compat
try: compat.install()
except ModuleNotFoundError as error: print(error.name)
"""
    assert output_of(script, "0", cwd=tmp_path) == ["nothing_of_this_name"]


PROGRAM = """
import sys
from gensim.models import Word2Vec
model = Word2Vec([["a", "b", "c"]] * 50, vector_size=4, min_count=1, workers=1)
print(type(model).__module__, len(model.wv), __name__, *sys.argv[1:])
"""


@pytest.mark.parametrize("way", [["program.py"], ["-m", "program"]])
def test_a_program_runs_unchanged(tmp_path, way):
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "w2v.compat.gensim", *way, "one", "--two"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["w2v", "3", "__main__", "one", "--two"]


def test_without_a_program_there_is_help():
    command = [sys.executable, "-m", "w2v.compat.gensim"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "script.py" in done.stdout
    assert subprocess.run([*command, "--help"], capture_output=True, timeout=120).returncode == 0


def test_substitutions_can_be_nested_and_are_found():
    script = """
import importlib.util
from w2v.compat import gensim as compat
with compat.installed(allow_pickle=True):
    with compat.installed():
        pass
    from gensim.models import Word2Vec
    assert Word2Vec.__module__ == "w2v"
    from w2v.files import gensim_pickle
    assert gensim_pickle.allowed
    assert importlib.util.find_spec("gensim") and importlib.util.find_spec("gensim.models.word2vec")
assert not gensim_pickle.allowed
"""
    output_of(script, "1")


# ---- what of gensim we do not replace


@needs_gensim
@pytest.mark.parametrize("model", ["Doc2Vec", "FastText"])
def test_other_models_of_gensim_are_saved_and_loaded(model, tmp_path):
    script = """
import copy, pickle, sys
from gensim.models import Doc2Vec, FastText
from gensim.models.doc2vec import TaggedDocument
import numpy
texts = [["a", "b", "c"]] * 50
documents = [TaggedDocument(text, [0]) for text in texts]
def made(name):
    if name == "Doc2Vec": return Doc2Vec(documents, vector_size=4, min_count=1, workers=1)
    return FastText(texts, vector_size=4, min_count=1, workers=1, bucket=10)
kind = sys.argv[1]
if "before" in sys.argv: made(kind).save("before.model")
else:
    from w2v.compat import gensim as compat
    compat.install()
    from gensim.models import Word2Vec
    assert Word2Vec.__module__ == "w2v"
    old = globals()[kind].load("before.model")
    old.save("after.model")
    pickle.loads(pickle.dumps(old)), copy.deepcopy(old)
    made(kind).wv.save("after.kv")
    again = globals()[kind].load("after.model")
    assert type(again) is type(old)
    assert numpy.array_equal(again.wv.vectors, old.wv.vectors)
    type(old.wv).load("after.kv")
    compat.uninstall()
    globals()[kind].load("after.model")
"""
    output_of(script, "0", model, "before", cwd=tmp_path)
    output_of(script, "0", model, cwd=tmp_path)
    output_of(f"from gensim.models import {model}; {model}.load('after.model')", "0", cwd=tmp_path)


@needs_gensim
def test_gensim_supplies_the_names_that_w2v_lacks():
    script = """
from w2v.compat import gensim as compat
compat.install()
from gensim.models.callbacks import CallbackAny2Vec, PerplexityMetric
from gensim.models.doc2vec import Doc2Vec, TaggedDocument
from gensim.models.word2vec import Word2Vec, Word2VecTrainables
print(CallbackAny2Vec.__module__, PerplexityMetric.__module__)
class Said(CallbackAny2Vec):
    def on_epoch_end(self, model): print(type(model).__name__)
Doc2Vec([TaggedDocument(["a", "b"], [0])] * 9, vector_size=4, min_count=1, epochs=1, workers=1, callbacks=[Said()])
"""
    assert output_of(script, "0") == ["w2v.callbacks", "gensim.models.callbacks", "Doc2Vec"]


# ---- without gensim


@pytest.mark.parametrize(
    "statement",
    [
        "from gensim.models import LdaModel",
        "import gensim.corpora",
        "from gensim import corpora",
        "import gensim.models.lsimodel",
        "from gensim.models.fasttext import compute_ngrams",
        "from gensim.models.word2vec import Doc2Vec",
        "from gensim.utils import lemmatize",
        "import importlib; importlib.import_module('gensim.similarities')",
        "gensim.models.LdaModel",
    ],
)
def test_names_missing_without_gensim_say_how_to_get_them(statement):
    script = f"""
from w2v.compat import gensim as compat
compat.install()
import gensim
try: {statement}
except (ImportError, AttributeError) as error: print(error)
assert not hasattr(gensim.models, "LdaModel")
compat.uninstall()
try: import gensim.corpora
except ModuleNotFoundError as error: print(error)
"""
    printed = " ".join(output_of(script, "1"))
    assert (
        "gensim is not installed, and w2v, which stands in for it, has Word2Vec, Doc2Vec, FastText, KeyedVectors"
        in printed
    )
    assert "pip install gensim" in printed
    assert printed.endswith("No module named 'gensim'")


@pytest.mark.parametrize("hide", EITHER)
def test_the_version_of_gensim_can_be_asked_for(hide):
    script = """
from importlib.metadata import PackageNotFoundError, distributions, version
from w2v.compat import gensim as compat
with compat.installed(): print(version("gensim"), version("numpy") > "1")
"""
    found, others = output_of(script, hide)
    assert found.startswith("4.")
    assert others == "True"


# ---- programs

# Hides gensim from a program and from all its children.
HIDING = f"HIDE = 1\n{WITHOUT_GENSIM}"


def run_program(folder, hide, *arguments):
    if hide == "1":
        (folder / "hide").mkdir()
        (folder / "hide" / "sitecustomize.py").write_text(HIDING)
    environment = {**os.environ, "PYTHONPATH": str(folder / "hide")}
    command = [sys.executable, "-W", "ignore", "-m", "w2v.compat.gensim", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


POOL = """
import multiprocessing, sys
from gensim.models import Word2Vec
from gensim.models.word2vec import LineSentence

def trained(seed):
    from gensim.models.word2vec import Word2Vec as Again
    from w2v.files import gensim_pickle
    assert Again is Word2Vec
    model = Word2Vec([["a", "b", "c"]] * 50, vector_size=4, min_count=1, workers=1, seed=seed)
    return type(model).__module__, LineSentence.__module__, gensim_pickle.allowed

if __name__ == "__main__":
    with multiprocessing.get_context(sys.argv[1]).Pool(1) as pool:
        print(*pool.map(trained, [1, 2]))
"""


@pytest.mark.parametrize("hide", EITHER)
@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
@pytest.mark.parametrize("way", [["pool.py"], ["-m", "pool"]])
def test_children_of_a_program_run_on_w2v_too(tmp_path, way, method, hide):
    (tmp_path / "pool.py").write_text(POOL)
    done = run_program(tmp_path, hide, "--allow-pickle", *way, method)
    assert done.stdout == "('w2v', 'w2v', True) ('w2v', 'w2v', True)\n", done.stderr


def test_a_fork_server_does_not_import_the_program():
    script = """
import sys
sys.modules["__main__"].__file__ = "program.py"
from multiprocessing import spawn
before = spawn.get_preparation_data("ignore"), spawn.get_preparation_data("child")
from w2v.compat import gensim as compat
with compat.installed():
    now = spawn.get_preparation_data("ignore"), spawn.get_preparation_data("child")
for told in (*before, *now): print("init_main_from_path" in told)
"""
    assert output_of(script, "1") == ["True", "True", "False", "True"]


def test_pickles_are_read_where_the_program_is_allowed_to(tmp_path):
    (tmp_path / "program.py").write_text("from w2v.files import gensim_pickle; print(gensim_pickle.allowed)")
    assert run_program(tmp_path, "1", "program.py").stdout == "False\n"
    assert run_program(tmp_path, "0", "--allow-pickle", "program.py").stdout == "True\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.py"], "there is no script 'missing.py'; a module is run by -m module"),
        (["-m", "missing"], "there is no module 'missing'; a script is given by its path, without -m"),
        (["-m", "missing.part"], "No module named 'missing'; a script is given by its path, without -m"),
        (["-m", "gensim.scripts.word2vec_standalone"], "pip install gensim"),
        (["--allow", "program.py"], "unrecognized arguments: --allow"),
    ],
)
def test_a_program_that_is_not_there_is_wrong_usage(tmp_path, arguments, said):
    done = run_program(tmp_path, "1", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: python -m w2v.compat.gensim [-h] [--allow-pickle] (script.py | -m module)")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_help_has_examples():
    command = [sys.executable, "-m", "w2v.compat.gensim", "--help"]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert "python -m w2v.compat.gensim --allow-pickle script.py old.model" in printed
    assert "SUBSTITUTED" not in printed

"""w2v in gensim's place, with and without gensim; each in a process of its own, since it changes sys.modules."""

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
from gensim.models import KeyedVectors, Word2Vec, callbacks, keyedvectors, word2vec
from gensim.models.callbacks import CallbackAny2Vec
from gensim.models.keyedvectors import KeyedVectors as K
from gensim.models.word2vec import LineSentence, PathLineSentences, Text8Corpus, Word2Vec as W
from gensim.utils import RULE_KEEP, simple_preprocess
import w2v
assert Word2Vec is W is w2v.Word2Vec is gensim.models.Word2Vec is gensim.models.word2vec.Word2Vec
assert KeyedVectors is K is w2v.KeyedVectors is word2vec.KeyedVectors is keyedvectors.KeyedVectors
assert LineSentence is w2v.LineSentence and word2vec.FAST_VERSION >= 0 and RULE_KEEP == w2v.RULE_KEEP
assert simple_preprocess("The w2v Library, a_b!") == ["the", "library", "a_b"]
print(gensim.__version__)
"""
    assert output_of(script, hide)[0].startswith("4.")


@pytest.mark.parametrize("hide", EITHER)
def test_uninstall_leaves_everything_as_it_was(hide):
    script = """
import sys
def state():
    models = sys.modules.get("gensim.models")
    names = ("Word2Vec", "KeyedVectors", "word2vec", "keyedvectors", "callbacks")
    found = {name: id(module) for name, module in sys.modules.items() if name.split(".")[0] == "gensim"}
    return found, [id(getattr(models, name, None)) for name in names]
if not HIDE: import gensim.models
before = state()
from w2v.compat import gensim as compat
with compat.installed():
    compat.install()
    import gensim.models
    assert gensim.models.Word2Vec.__module__ == "w2v.word2vec"
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
    assert done.stdout.split() == ["w2v.word2vec", "3", "__main__", "one", "--two"]


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
    assert Word2Vec.__module__ == "w2v.word2vec"
    from w2v import gensim_files
    assert gensim_files.allowed
    assert importlib.util.find_spec("gensim") and importlib.util.find_spec("gensim.models.word2vec")
assert not gensim_files.allowed
"""
    output_of(script, "1")

"""Run gensim's own tests of its models, vectors and phrases on w2v, which stands in gensim's place.

    python tests/compat/gensim_suite.py [--plain] [pytest arguments ...]

Needs gensim (the ``bench`` extra), whose package holds the tests. ``--plain`` runs them on gensim itself, to compare.
Which tests are known to fail, and why, is in gensim_suite_expected.txt beside this file. The exit code is 0 if exactly
these fail, so that the list can only become shorter.
"""

import re
import sys
import tempfile
from contextlib import chdir
from pathlib import Path

import pytest

SUITES = (
    "test_word2vec",
    "test_keyedvectors",
    "test_doc2vec",
    "test_fasttext",
    "test_translation_matrix",
    "test_phrases",
)
EXPECTED = Path(__file__).resolve().with_name("gensim_suite_expected.txt")


class Results:
    """Collects the outcome of each test, and looks whose classes were tested."""

    def __init__(self):
        self.outcomes = {}
        self.classes = set()

    def pytest_collection_finish(self, session):
        for item in session.items:
            for name in ("word2vec", "keyedvectors"):
                if hasattr(item.module, name):
                    self.classes.add(getattr(item.module, name).KeyedVectors.__module__)
                    self.classes.add(sys.modules["gensim.models"].Word2Vec.__module__)
            if hasattr(item.module, "doc2vec"):
                self.classes.add(item.module.doc2vec.Doc2Vec.__module__)
            if hasattr(item.module, "FT_gensim"):
                self.classes.add(item.module.FT_gensim.__module__)

    def pytest_runtest_logreport(self, report):
        name = f"{Path(report.location[0]).name}::{report.nodeid.partition('::')[2]}"
        if (report.when == "call" or report.outcome != "passed") and self.outcomes.get(name) != "failed":
            self.outcomes[name] = report.outcome


def expected_failures():
    """{test: reason}"""
    lines = EXPECTED.read_text(encoding="utf-8").splitlines()
    return dict(re.split(r"\s+", line, maxsplit=1) for line in lines if line and not line.startswith("#"))


def run(arguments=(), plain=False):
    """Run the tests; returns outcomes by test, and the modules of the classes that were tested."""
    if not plain:
        from w2v.compat import gensim

        gensim.install(allow_pickle=True)
    results = Results()
    options = ["-c", "/dev/null", "-p", "no:cacheprovider", "-q", "--no-header", "--pyargs"]
    suites = [f"gensim.test.{suite}" for suite in SUITES]
    pytest.main([*options, *suites, *arguments], plugins=[results])
    return results.outcomes, results.classes


def main():
    arguments = sys.argv[1:]
    plain = "--plain" in arguments
    with tempfile.TemporaryDirectory() as folder, chdir(folder):  # some tests leave files where they run
        outcomes, classes = run([argument for argument in arguments if argument != "--plain"], plain)
    count = {
        outcome: sum(found == outcome for found in outcomes.values()) for outcome in sorted(set(outcomes.values()))
    }
    print(f"\n{len(outcomes)} tests: {', '.join(f'{n} {outcome}' for outcome, n in count.items())}")
    print(f"classes under test: {', '.join(sorted(classes))}")
    if plain:
        return 0
    if classes != {"w2v"}:
        print("these are not w2v's classes: nothing was tested")
        return 1
    known = expected_failures()
    failed = {name for name, outcome in outcomes.items() if outcome == "failed"}
    for name in sorted(failed - known.keys()):
        print(f"fails, and is not on the list: {name}")
    for name in sorted(known.keys() - failed):
        print(f"on the list, but does not fail: {name}")
    return int(failed != known.keys())


if __name__ == "__main__":
    sys.exit(main())

"""Sanitizers find planted faults; deterministic training has no race, unlike Hogwild."""

import os
import subprocess
import sys

import pytest
import sanitized
from places import TESTS

FAULTS = r"""
#include <limits.h>
#include <stdlib.h>
volatile float not_a_number = 0.0f / 0.0f;
volatile int most = INT_MAX, seen;
void beyond(void) { volatile char *p = malloc(8); seen = p[8 + most % 2 - 1]; free((void *)p); }
void freed(void) { volatile char *p = malloc(8); free((void *)p); seen = p[1]; }
void overflow(void) { seen = most + 1; }
void cast(void) { seen = (int)not_a_number; }
void leak(void) { volatile void *p = malloc(100); p = NULL; (void)p; }
void nothing(void) { free(malloc(8)); }
"""
NAMES = {
    "beyond": "heap-buffer-overflow",
    "freed": "heap-use-after-free",
    "overflow": "in overflow",
    "cast": "in cast",
    "leak": "leak of 100 byte",
    "nothing": None,
}
TRAINING = """
from w2v import Word2Vec
Word2Vec([["a", "b", "c"] * 50] * 400, min_count=1, sample=0, workers=4, epochs=2, hs=1, seed=1, deterministic={})
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sanitized.run_time("libtsan.so") is None, reason="the C compiler has no sanitizers here"),
]


@pytest.mark.parametrize("fault", NAMES)
def test_the_report_of_a_fault_in_our_code_is_found(fault, tmp_path):
    folder = tmp_path / "w2v"  # the path tells our code from other code
    folder.mkdir()
    (folder / "faults.c").write_text(FAULTS)
    flags = ["-g", "-O0", "-shared", "-fPIC", f"-fsanitize={sanitized.BUILDS['address'].sanitize}"]
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, *flags, "-o", folder / "faults.so", folder / "faults.c"], check=True)
    reports = sanitized.fresh_folder(tmp_path / "reports")
    script = f"import ctypes; ctypes.CDLL({str(folder / 'faults.so')!r}).{fault}()"
    subprocess.run([sys.executable, "-c", script], env=sanitized.environment("address", reports), timeout=60)
    found = sanitized.findings(reports)
    if NAMES[fault] is None:
        assert found == []
    else:
        assert NAMES[fault] in found[0]


@pytest.fixture(scope="module")
def package():
    return sanitized.built("races")


def reports_of(package, reports, *command):
    environment = sanitized.environment("races", sanitized.fresh_folder(reports), package)
    done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return sanitized.findings(reports)


def test_deterministic_training_has_no_race_where_hogwild_has(package, tmp_path):
    assert reports_of(package, tmp_path / "1", "-c", TRAINING.format(True)) == []
    hogwild = "".join(reports_of(package, tmp_path / "2", "-c", TRAINING.format(False)))
    assert "data race" in hogwild
    assert "_simd" in hogwild


def test_all_tests_of_deterministic_training_run_without_a_race(package, tmp_path):
    tests = TESTS / "training" / "test_deterministic.py"
    assert reports_of(package, tmp_path, "-m", "pytest", "-q", "-n", "2", str(tests)) == []

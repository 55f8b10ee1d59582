"""The checklist of a release refuses what must not be released."""

import importlib.util
import io
import os
import tarfile
import zipfile

import pytest
from places import ROOT

SPEC = importlib.util.spec_from_file_location("release", ROOT / "tools" / "release.py")
release = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(release)

GOOD = {
    "w2v/__init__.py": b"",
    "w2v/training/_train.abi3.so": b"",
    "w2v/training/cuda/kernels.cu": b"",
    "w2v/atlas/page/scatter.js": b"",
    "w2v/atlas/page/scatter.LICENSES.txt": b"",
    "w2v-1.0.dist-info/METADATA": b"Name: w2v\nVersion: 1.0\nLicense-Expression: Apache-2.0\n",
    "w2v-1.0.dist-info/WHEEL": b"Tag: cp311-abi3-linux_x86_64\n",
    "w2v-1.0.dist-info/RECORD": b"",
    "w2v-1.0.dist-info/entry_points.txt": b"",
    "w2v-1.0.dist-info/top_level.txt": b"",
    "w2v-1.0.dist-info/licenses/LICENSE": b"",
}


def wheel(folder, changed, name="w2v-1.0-cp311-abi3-linux_x86_64.whl"):
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in (GOOD | changed).items():
            if content is not None:
                archive.writestr(member, content)
    return path


def test_a_sound_wheel_is_described(tmp_path):
    found = release.look_into_wheel(wheel(tmp_path, {}))
    assert found.startswith("5 files, 1 compiled, 0.00 MB")
    assert found.endswith("cp311-abi3-linux_x86_64")


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"w2v/large.py": os.urandom(3_000_000)}, "more than 3,000,000"),
        ({"tests/data/corpus.txt": b""}, "no part of the package"),
        ({"w2v/training/_train.pyx": b""}, "no part of the package"),
        ({"w2v.libs/libgomp.so": b""}, "no part of the package"),
        ({"w2v-1.0.dist-info/licenses/LICENSE": None}, "lacks"),
        ({"w2v/atlas/page/scatter.LICENSES.txt": None}, "lack their licences"),
        ({"w2v/training/_train.abi3.so": None}, "no compiled module"),
        ({"w2v/text/_text.cpython-311-x86_64-linux-gnu.so": b""}, "are for one"),
        ({"w2v-1.0.dist-info/METADATA": b"Version: 1.1\nLicense-Expression: Apache-2.0\n"}, "version 1.1"),
        ({"w2v-1.0.dist-info/METADATA": b"Version: 1.0\nLicense-Expression: MIT\n"}, "licence MIT"),
    ],
)
def test_an_unsound_wheel_is_refused(tmp_path, changed, complaint):
    with pytest.raises(release.Refused, match=complaint):
        release.look_into_wheel(wheel(tmp_path, changed))


def tarball(folder, names):
    path = folder / "w2v-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(f"w2v-1.0/{name}"), io.BytesIO())
    return path


def test_a_tarball_holds_what_git_knows_and_no_more(tmp_path):
    known = {*release.WANTED, "src/w2v/training/_train.pyx", "tests/data/golden.txt", "docs/index.md", ".gitignore"}
    shipped = known - {".gitignore"} | {"PKG-INFO", "src/w2v.egg-info/SOURCES.txt"}
    assert release.look_into_sdist(tarball(tmp_path, shipped), known).startswith("12 files")
    for name in ("src/w2v/training/_train.pyx", "tests/data/golden.txt", "LICENSE"):
        with pytest.raises(release.Refused, match=f"lacks.*{name}"):
            release.look_into_sdist(tarball(tmp_path, shipped - {name}), known)
    for name in ("src/w2v/training/_train.c", "vectors.bin", "tests/__pycache__/a.pyc"):
        with pytest.raises(release.Refused, match="git does not know"):
            release.look_into_sdist(tarball(tmp_path, shipped | {name}), known)


def test_the_version_is_the_same_in_every_place():
    assert release.version()

"""Every writer against a failing disk, and every reader against damage: the old file, the new one, or a FormatError."""

import ast
import errno
import gc
import io
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import ROOT

import w2v
from w2v import FormatError, KeyedVectors, Word2Vec
from w2v.cli import c_tools
from w2v.compat.gensim_utils import save_as_line_sentence
from w2v.files import native, writing
from w2v.files.word2vec_format import read_counts, read_word2vec
from w2v.stability import report

OLD, NEW = 1, 2  # the contents for a writer
WORDS = [["bread", "flour", "é"], ["river", "lake", "boat", "fish"]]


def vectors_of(which):
    words = WORDS[which - 1]
    values = np.arange(3 * len(words), dtype=np.float32).reshape(-1, 3) / which
    return KeyedVectors.from_arrays(list(words), values, {"count": np.arange(len(words), 0, -1)})


MODELS = {}


def model_of(which):
    if which not in MODELS:
        MODELS[which] = Word2Vec([WORDS[which - 1]] * 9, vector_size=2, min_count=1, workers=1, progress=False)
    return MODELS[which]


def word2vec_file(**options):
    return lambda path, which: vectors_of(which).save_word2vec_format(path, **options)


def with_counts(path, which):
    vectors_of(which).save_word2vec_format(f"{path}.vectors", fvocab=path)


def c_vocabulary(path, which):
    text = Path(f"{path}.text")
    text.write_text(" ".join(WORDS[which - 1]))
    c_tools.word2vec(["-train", str(text), "-save-vocab", str(path), "-min-count", "1", "-debug", "0"])


class Writer(NamedTuple):
    name: str  # of the file
    write: object  # (path, which)
    read: object  # (path)


WRITERS = [
    Writer("v.safetensors", lambda path, which: vectors_of(which).save(path), KeyedVectors.load),
    Writer("m.safetensors", lambda path, which: model_of(which).save(path), Word2Vec.load),
    Writer("v.txt", word2vec_file(), read_word2vec),
    Writer("v.bin", word2vec_file(binary=True), lambda path: read_word2vec(path, binary=True)),
    *(Writer(f"v.txt.{suffix}", word2vec_file(), read_word2vec) for suffix in ("gz", "bz2", "xz", "zst")),
    Writer("counts.txt", with_counts, read_counts),
    Writer("counts.txt.gz", c_vocabulary, read_counts),
    Writer("corpus.txt", lambda path, which: save_as_line_sentence([WORDS[which - 1]], path), Path.read_text),
    *(
        Writer(
            f"r.{form}", lambda path, which: report.write_records([{"a": which, "b": "é" * 99}], path), Path.read_text
        )
        for form in ("json", "csv")
    ),
]
each_writer = pytest.mark.parametrize("writer", WRITERS, ids=[writer.name for writer in WRITERS])


def outcome(function, *args):
    """What a function gives and raises, of which one is None."""
    try:
        return function(*args), None
    except (Exception, KeyboardInterrupt) as error:
        return None, error


class Disk:
    """The calls that `formats` makes of the system to write a file, of which one can be made to fail."""

    def __init__(self, monkeypatch):
        self.calls, self.failing, self.error = 0, 0, OSError
        self.names = []
        monkeypatch.setattr("w2v.files.writing.open", self.open, raising=False)
        for name in ("open", "fsync", "chmod", "replace"):
            monkeypatch.setattr(os, name, self.watched(getattr(os, name)))

    def fail(self, call, error):
        self.calls, self.failing, self.error = 0, call, error
        self.names = []

    def count(self, name):
        self.calls += 1
        self.names.append(name)
        if self.calls == self.failing:
            raise self.error

    def watched(self, function):
        def watch(*args, **options):
            reads = function.__name__ == "open" and not args[1] & (os.O_WRONLY | os.O_RDWR)
            if not reads or os.path.isdir(args[0]):  # a text is read
                self.count(function.__name__)
            return function(*args, **options)

        return watch

    def open(self, path, mode, **options):
        if mode == "rb":
            return open(path, mode, **options)
        disk = self

        class Raw(io.FileIO):
            def write(self, data):
                try:
                    disk.count("write")
                except OSError:  # a disk that fills up takes a part
                    super().write(memoryview(data)[: len(data) // 2])
                    raise
                return super().write(data)

        return io.BufferedWriter(Raw(path, mode, **options), 100)


ERRORS = [
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.EIO, "broken"),
    KeyboardInterrupt,
    MemoryError,
]


@each_writer
def test_any_failing_call_leaves_the_old_file_or_the_new_one(tmp_path, monkeypatch, writer, request):
    path = tmp_path / writer.name
    disk, contents = Disk(monkeypatch), {}
    for which in (OLD, NEW):
        writer.write(path, which)
        contents[which] = path.read_bytes()
    assert contents[OLD] != contents[NEW]
    files, survived = sorted(os.listdir(tmp_path)), 0
    for error in ERRORS:
        for first in (True, False):  # the first save has no old file to keep
            call, raised = 0, True
            while raised:
                call, raised = call + 1, False
                disk.fail(0, None)
                path.unlink() if first else writer.write(path, OLD)
                disk.fail(call, error)
                _, caught = outcome(writer.write, path, NEW)
                raised = caught is not None
                if isinstance(caught, OSError):
                    assert caught.errno == error.errno
                else:
                    assert not raised or caught is error or type(caught) is error
                disk.fail(0, None)
                if not first or path.exists():
                    assert path.read_bytes() in (contents[OLD], contents[NEW])
                    writer.read(path)
                    assert sorted(os.listdir(tmp_path)) == files
                else:
                    assert raised
                    assert set(os.listdir(tmp_path)) < set(files)
                    writer.write(path, NEW)
                survived += raised
            assert path.read_bytes() == contents[NEW]
    assert survived >= 2 * len(ERRORS) * 6
    request.node.user_properties.append(("failures survived", survived))
    print(f"{writer.name}: {survived} failures survived")


def test_a_disk_error_names_the_target_not_the_temporary_file(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, writing.atomic_write(tmp_path / "missing" / "f"):
        pass
    assert caught.value.filename == str(tmp_path / "missing" / "f")
    with pytest.raises(OSError, match="No space") as full, writing.atomic_write(tmp_path / "f"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert full.value.filename == str(tmp_path / "f")


@each_writer
def test_all_is_on_the_disk_before_the_old_file_goes(tmp_path, monkeypatch, writer):
    disk = Disk(monkeypatch)
    for which in (OLD, NEW):
        first = ["open"]
        disk.fail(0, None)
        writer.write(tmp_path / writer.name, which)
        names, last = disk.names, ["chmod", "fsync", "replace", "open", "fsync"]
        if "vectors" in str(os.listdir(tmp_path)):  # two files, both of them written before one is replaced
            names, last = [name for name in names if name != "write"], [*last, *last]
            first = ["open", "open"]
        assert [name for name in names if name != "write"] == first + last
        assert names == first + ["write"] * names.count("write") + last


def test_a_leftover_temporary_file_has_the_documented_name(tmp_path, monkeypatch):
    def stuck(path, **options):
        raise PermissionError(path)

    monkeypatch.setattr(os, "unlink", stuck)
    with pytest.raises(OSError, match="on purpose"), writing.atomic_write(tmp_path / "f"):
        raise OSError("on purpose")
    (left,) = os.listdir(tmp_path)
    pattern = ".w2v-*.tmp"
    assert Path(left).match(pattern)
    assert pattern in (ROOT / "docs/formats.md").read_text()


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EIO])
def test_only_a_failing_folder_sync_is_an_error(tmp_path, monkeypatch, number):
    real = os.fsync

    def fsync(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, "of the folder")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    _, error = outcome(vectors_of(NEW).save, tmp_path / "v")
    assert getattr(error, "errno", None) == (number if number == errno.EIO else None)
    assert KeyedVectors.load(tmp_path / "v").index_to_key == WORDS[1]


def test_a_writable_unreadable_folder_is_accepted(tmp_path, monkeypatch):
    real = os.open

    def refuse(path, flags, *mode, **options):
        if os.path.isdir(path):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return real(path, flags, *mode, **options)

    monkeypatch.setattr(os, "open", refuse)
    vectors_of(NEW).save(tmp_path / "v")
    assert KeyedVectors.load(tmp_path / "v").index_to_key == WORDS[1]


def test_a_file_that_is_open_is_written_to_as_it_is(tmp_path):
    for which in (OLD, NEW):
        vectors_of(which).save(held := io.BytesIO())
        vectors_of(which).save(tmp_path / "v")
        assert held.getvalue() == (tmp_path / "v").read_bytes()


def test_too_little_memory_to_unpack_is_not_blamed_on_the_file(tmp_path, monkeypatch):
    def short(self, room):
        raise MemoryError

    vectors_of(NEW).save_word2vec_format(tmp_path / "v.txt.gz")
    monkeypatch.setattr("gzip.GzipFile.readinto", short)
    with pytest.raises(MemoryError):
        KeyedVectors.load_word2vec_format(tmp_path / "v.txt.gz")


# Targets


@each_writer
def test_writers_replace_regular_files_only(tmp_path, writer):
    path = tmp_path / writer.name
    for make, remove in ((os.mkfifo, os.unlink), (os.mkdir, os.rmdir)):
        make(path)
        before = path.stat()
        with pytest.raises(OSError, match="not a regular file"):
            writer.write(path, NEW)
        assert path.stat() == before
        if make is os.mkfifo and writer.read is not Path.read_text:  # which would wait
            with pytest.raises(FormatError, match="not a regular file"):
                writer.read(path)
        remove(path)


@each_writer
def test_every_writer_follows_links_and_keeps_modes(tmp_path, writer):
    (tmp_path / "folder").mkdir()
    target, path = tmp_path / "folder" / "target", tmp_path / writer.name
    path.symlink_to(target)
    writer.write(path, OLD)
    target.chmod(0o604)
    writer.write(path, NEW)
    assert path.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o604
    writer.read(path)
    assert os.listdir(target.parent) == ["target"]


def test_nobody_else_can_read_a_file_that_is_being_written(tmp_path):
    def mode_of(name):
        return stat.S_IMODE((tmp_path / name).stat().st_mode)

    umask = os.umask(0o022)
    try:
        for old in (None, 0o666, 0o600):
            if old is not None:
                (tmp_path / "f").chmod(old)
            with writing.atomic_write(tmp_path / "f") as file:
                (temporary,) = {*os.listdir(tmp_path)} - {"f"}
                assert mode_of(temporary) == 0o600
                file.write(b"x")
            assert mode_of("f") == (0o644 if old is None else old)
    finally:
        os.umask(umask)


def in_a_process(program, *args, limit=60, **options):
    """Run a program of lines and return what it prints; a hang is a failure."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(w2v.__file__).parents[1]), *sys.path])}
    command = [*options.pop("before", []), sys.executable, "-c", textwrap.dedent(program), *map(str, args)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_file_on_a_read_only_system_is_not_replaced(tmp_path, monkeypatch):
    (tmp_path / "v").write_bytes(b"precious")
    monkeypatch.setattr(os, "access", lambda path, mode, **options: mode != os.W_OK)  # even for root
    with pytest.raises(PermissionError, match="will not replace"):
        vectors_of(NEW).save(tmp_path / "v")
    assert (tmp_path / "v").read_bytes() == b"precious"


def test_a_file_that_may_not_be_written_to_is_not_replaced():
    program = """
        import os, sys
        import numpy as np
        from w2v import KeyedVectors
        from w2v.files import writing
        if os.getuid() == 0:
            os.setgid(65534), os.setuid(65534)
        try:
            KeyedVectors.from_arrays(["a"], np.ones((1, 1), np.float32)).save(sys.argv[1])
        except PermissionError as error:
            print(error)
        try:
            writing.check_output(sys.argv[1])
        except OSError as error:
            print(error)
    """
    folder = Path(tempfile.mkdtemp())  # that of pytest is closed to others
    try:
        folder.chmod(0o777)
        (folder / "v").write_bytes(b"precious")
        (folder / "v").chmod(0o444)
        said = in_a_process(program, folder / "v").splitlines()
        assert "will not replace a file that may not be written to" in said[0]
        assert "may not be written to" in said[1]
        assert (folder / "v").read_bytes() == b"precious"
        assert os.listdir(folder) == ["v"]
    finally:
        shutil.rmtree(folder)


WRITING = {"write_text", "write_bytes", "tofile", "savez", "savetxt", "fdopen", "mkstemp", "NamedTemporaryFile"}


def test_all_writing_goes_through_one_function():
    """Whoever opens a file for writing has to come here and say why it is not `atomic_write`."""
    found = set()
    for path in Path(w2v.__file__).parent.rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef):
                continue
            for call in ast.walk(function):
                if not isinstance(call, ast.Call):
                    continue
                name = getattr(call.func, "attr", getattr(call.func, "id", ""))
                modes = [arg.value for arg in call.args[1:] if isinstance(arg, ast.Constant)]
                opens = name == "open" and any(isinstance(mode, str) and set(mode) & set("wax+") for mode in modes)
                of_the_system = name == "open" and ast.unparse(call.func) == "os.open"
                if name in WRITING or opens or of_the_system:
                    found.add((path.stem, function.name))
    assert found == {
        ("parts", "__init__"),  # only reads
        ("writing", "atomic_write"),
        ("writing", "create"),  # inside atomic_write
        ("writing", "_packing"),  # a codec around its file
        ("writing", "_sync_folder"),  # a folder, to sync it
        ("writing", "check_output"),  # a file without a purpose but to see that there can be one
        ("reading", "open_folder"),  # a folder, to work inside it
        ("reading", "open_inside"),  # the lock of a folder, never emptied
        ("matrices", "mapped_matrix"),  # rows that are mapped while they train
        ("program", "main"),  # /dev/null, once the reader of the output has gone
    }


# Full disks


FULL_DISK = """
    import errno, os, sys
    import numpy as np
    from w2v import KeyedVectors

    folder = sys.argv[1]
    rng = np.random.default_rng(1)

    def vectors(count):
        values = rng.standard_normal((count, 8)).astype(np.float32)
        return KeyedVectors.from_arrays([f"w{i}" for i in range(count)], values, {"count": np.arange(count, 0, -1)})

    OLD, NEW = vectors(40), vectors(50)
    FORMS = {
        "v.safetensors": (lambda kv, path: kv.save(path), KeyedVectors.load),
        "v.bin": (
            lambda kv, path: kv.save_word2vec_format(path, binary=True),
            lambda path: KeyedVectors.load_word2vec_format(path, binary=True),
        ),
        "v.txt.gz": (
            lambda kv, path: kv.save_word2vec_format(path), lambda path: KeyedVectors.load_word2vec_format(path)
        ),
    }

    def attempt(name):
        "Save, and say whether it failed; what is there then must be whole."
        path = os.path.join(folder, name)
        save, load = FORMS[name]
        try:
            save(NEW, path)
            failed = False
        except OSError as error:
            assert error.errno in (errno.ENOSPC, errno.EFBIG), error
            failed = True
        found = load(path)
        assert len(found) == (40 if failed else len(NEW)), (name, failed, len(found))
        assert not [other for other in os.listdir(folder) if other.endswith(".tmp")]
        return failed
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_FSIZE")
@pytest.mark.parametrize("step", [97, pytest.param(1, marks=pytest.mark.slow)])
def test_a_file_that_may_not_grow_further_leaves_the_old_one(tmp_path, step):
    program = (
        FULL_DISK
        + """
    import resource, signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    for name, (save, load) in FORMS.items():
        limit = tried = 0
        failed = True
        while failed:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            save(OLD, os.path.join(folder, name))
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
            failed = attempt(name)
            tried += failed
            limit += int(sys.argv[2])
        print(name, tried, "limits survived")
        assert tried > 1000 / int(sys.argv[2])
    """
    )
    print(in_a_process(program, tmp_path, step))


def test_a_full_file_system_leaves_the_old_file(tmp_path):
    own_mounts = ["unshare", "--mount", "--map-root-user"]
    (tmp_path / "disk").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "w2v", str(tmp_path / "disk")]
    if shutil.which("unshare") is None or subprocess.run([*own_mounts, *mount], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    program = (
        FULL_DISK
        + """
    NEW = vectors(800)
    for name, (save, load) in FORMS.items():
        survived = free = 0  # pages
        failed = True
        while failed:
            save(OLD, os.path.join(folder, name))
            filler = os.path.join(folder, "filler")
            with open(filler, "wb", buffering=0) as file:
                try:
                    while True:
                        file.write(bytes(4096))
                except OSError:
                    os.ftruncate(file.fileno(), max(0, file.tell() - 4096 * free))
            failed = attempt(name)
            os.unlink(filler)
            survived, free = survived + failed, free + 1
        print(name, survived, "full disks survived")
        assert survived > 2
        os.unlink(os.path.join(folder, name))
    """
    )
    script = f'{" ".join(mount)} && exec "$@"'
    print(in_a_process(program, tmp_path / "disk", before=[*own_mounts, "sh", "-c", script, "sh"]))


# Interrupts and kills


def interrupted_at(event, names, function):
    """Call a function; KeyboardInterrupt comes before a bytecode of code with these names. False: there were fewer."""
    count = 0

    def trace(frame, what, _):
        nonlocal count
        if frame.f_code.co_name not in names:
            return None
        frame.f_trace_opcodes = True
        if what == "opcode":
            count += 1
            if count == event:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


SAVING = {"atomic_write", "create", "_mode_to_keep", "_sync_folder", "packed_write"}
WITH = {"__enter__", "__exit__"}


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", ["v.safetensors", "v.txt.gz"])
@pytest.mark.parametrize(
    "where", [SAVING, pytest.param(SAVING | WITH | {"write_native", "write_word2vec", "save"}, marks=pytest.mark.slow)]
)
def test_an_interrupt_at_any_bytecode_leaves_one_whole_file(tmp_path, name, where):
    writer = next(writer for writer in WRITERS if writer.name == name)
    path, contents, event = tmp_path / name, {}, 0
    for which in (NEW, OLD):
        writer.write(path, which)
        contents[which] = path.read_bytes()
    kept = 0
    while interrupted_at(event := event + 1, where, lambda: writer.write(path, NEW)):
        if where is not SAVING:  # inside contextlib itself, a generator is left to the garbage collector
            gc.collect()
        assert os.listdir(tmp_path) == [name]
        assert path.read_bytes() in contents.values()
        if path.read_bytes() == contents[OLD]:
            kept += 1
        else:
            writer.write(path, OLD)
    assert path.read_bytes() == contents[NEW]
    assert 50 < kept < event
    print(f"{name}: {event - 1} interrupts, the old file {kept} times")


@pytest.mark.parametrize("signals", [8, pytest.param(100, marks=pytest.mark.slow)])
def test_ctrl_c_in_save_or_load_leaves_a_whole_file(tmp_path, signals):
    program = (
        FULL_DISK
        + """
    import random, signal, threading, time

    NEW, count, total = vectors(5_000), int(sys.argv[2]), 0
    random.seed(1)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    for name, (save, load) in FORMS.items():
        path = os.path.join(folder, name)
        for work in (lambda: save(NEW, path), lambda: load(path)):
            start = time.perf_counter()
            work()
            whole, interrupts = time.perf_counter() - start, 0
            for turn in range(count):
                if turn % 2:
                    save(OLD, path)
                try:  # the first line of it may be the last
                    signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-4, whole))
                    work()
                    time.sleep(2 * whole)
                except KeyboardInterrupt:
                    interrupts += 1
                assert len(load(path)) in (40, 5_000)
                assert set(os.listdir(folder)) <= set(FORMS)
                assert threading.active_count() == 1
            assert interrupts > count / 2  # Python drops those that come inside a __del__
            total += interrupts
    print(total, "interrupts survived")
    """
    )
    print(in_a_process(program, tmp_path, signals, limit=300))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("kills", [10, pytest.param(200, marks=pytest.mark.slow)])
def test_a_kill_while_saving_leaves_a_whole_file(tmp_path, kills):
    program = (
        FULL_DISK
        + """
    import random, signal, time

    ends = OLD, vectors(5_000)
    random.seed(2)
    for name, (save, load) in FORMS.items():
        path, left = os.path.join(folder, name), 0
        save(ends[0], path)
        for _ in range(int(sys.argv[2])):
            child = os.fork()
            if not child:
                while True:
                    for end in ends:
                        save(end, path)
            time.sleep(random.uniform(0.001, 0.03))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            assert len(load(path)) in (40, 5_000)
            others = [other for other in os.listdir(folder) if other not in FORMS]
            assert len(others) <= 1 and all(n.startswith(".w2v-") and n.endswith(".tmp") for n in others), others
            for other in others:
                left += 1
                os.unlink(os.path.join(folder, other))
        print(name, sys.argv[2], "kills,", left, "temporary files")
    """
    )
    print(in_a_process(program, tmp_path, kills, limit=200))


# Damage


class Form(NamedTuple):
    name: str  # of the file; its ending tells whether it is compressed
    write: object  # (path)
    read: object  # (path)
    knows_its_end: bool


FORMS = [
    Form("v.safetensors", lambda path: vectors_of(NEW).save(path), KeyedVectors.load, True),
    Form("m.safetensors", lambda path: model_of(NEW).save(path), Word2Vec.load, True),
    *(
        form
        for suffix in ("", ".gz", ".bz2", ".xz", ".zst")
        for form in (
            Form(f"v.txt{suffix}", lambda path: word2vec_file()(path, NEW), KeyedVectors.load_word2vec_format, False),
            Form(
                f"v.bin{suffix}",
                lambda path: word2vec_file(binary=True)(path, NEW),
                lambda path: KeyedVectors.load_word2vec_format(path, binary=True),
                True,
            ),
            Form(
                f"glove.txt{suffix}",
                lambda path: word2vec_file(write_header=False)(path, NEW),
                lambda path: KeyedVectors.load_word2vec_format(path, no_header=True),
                False,
            ),
            Form(f"counts{suffix}", lambda path: with_counts(path, NEW), lambda path: read_counts(path)[0], False),
        )
    ),
]
each_form = pytest.mark.parametrize("form", FORMS, ids=[form.name for form in FORMS])
CHECKED = (".safetensors", ".gz", ".bz2", ".xz", ".zst")  # by a hash or checksum


def content(found):
    """What a loader gave, to compare."""
    if isinstance(found, dict):
        return found
    vectors = found.wv if isinstance(found, Word2Vec) else found
    return vectors.key_to_index, vectors.vectors.tolist(), vectors.expandos["count"].tolist()


@each_form
def test_a_truncated_file_is_an_error_or_a_valid_shorter_file(tmp_path, form):
    path, accepted = tmp_path / form.name, []
    form.write(path)
    data, whole = path.read_bytes(), content(form.read(path))
    for length in range(len(data)):
        path.write_bytes(data[:length])
        found, error = outcome(form.read, path)
        if error is None:
            accepted.append(length)
            assert content(found) != whole or length == len(data) - 1
        else:
            assert isinstance(error, FormatError)
            assert form.name in str(error)
    print(f"{form.name}: {len(data)} cuts, {len(accepted)} not noticed")
    if form.knows_its_end or form.name.endswith(CHECKED):
        assert not accepted
    elif form.name == "v.txt":  # inside its last number, or before the last line end
        assert min(accepted) > data.rindex(b" ")
    else:  # inside the last number of any line, or around its end; GloVe's first line says how many numbers there are
        assert all(re.search(rb" [0-9.e-]+[ \n]?$", data[:length]) for length in accepted)


@each_form
@pytest.mark.parametrize("changes", [8, pytest.param(255, marks=pytest.mark.slow)])
def test_any_changed_byte_is_an_error_or_gives_a_model(tmp_path, form, changes):
    path, missed, tried = tmp_path / form.name, [], 0
    form.write(path)
    data, whole = path.read_bytes(), content(form.read(path))
    header = 8 + int.from_bytes(data[:8], "little")
    step = 7 if changes == 8 else 1
    for place in range(0, len(data), step):
        for change in [1 << bit for bit in range(8)] if changes == 8 else range(1, 256):
            tried += 1
            path.write_bytes(data[:place] + bytes([data[place] ^ change]) + data[place + 1 :])
            found, error = outcome(form.read, path)
            if error is None:
                missed.append((place, data[place] ^ change))
                assert content(found) == whole or not form.name.endswith(CHECKED)
            else:
                assert isinstance(error, FormatError)
                assert form.name in str(error)
    print(f"{form.name}: {tried} changes, {len(missed)} not noticed")
    if form.name.endswith(".safetensors"):  # white space behind the header is as good as another
        assert all(data[place] == ord(" ") and byte in b"\t\n\r" and place < header for place, byte in missed)


@pytest.mark.parametrize("form", FORMS[:2], ids=["vectors", "model"])
def test_a_mapped_file_that_is_cut_is_refused_when_it_is_opened(tmp_path, form):
    path = tmp_path / form.name
    form.write(path)
    data, load = path.read_bytes(), (Word2Vec if form.name[0] == "m" else KeyedVectors).load
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(FormatError):
            load(path, mmap=True)


def test_a_file_that_was_loaded_and_not_mapped_may_change(tmp_path):
    for form in FORMS[:4]:
        form.write(tmp_path / form.name)
        found = form.read(tmp_path / form.name)
        before = content(found)
        os.truncate(tmp_path / form.name, 0)
        assert content(found) == before


def test_a_mapped_file_that_is_saved_over_keeps_what_was_mapped(tmp_path):
    vectors_of(OLD).save(tmp_path / "v")
    mapped = KeyedVectors.load(tmp_path / "v", mmap=True)
    vectors_of(NEW).save(tmp_path / "v")
    assert content(mapped) == content(vectors_of(OLD))


@each_form
def test_a_disk_that_cannot_be_read_is_not_blamed_on_the_file(tmp_path, monkeypatch, form):
    path, error = tmp_path / form.name, OSError(errno.EIO, "Input/output error")
    form.write(path)

    class Raw(io.FileIO):
        calls = failing = 0

        def readinto(self, room):
            Raw.calls += 1
            if Raw.calls == Raw.failing:
                raise error
            return super().readinto(memoryview(room)[:100])

    def watched(name, *args, **options):
        return io.BufferedReader(Raw(name), 100) if Path(name) == path else real(name, *args, **options)

    real = open
    monkeypatch.setattr("builtins.open", watched)
    monkeypatch.setattr("bz2._builtin_open", watched)
    form.read(path)
    for call in range(1, Raw.calls + 1):
        Raw.calls, Raw.failing = 0, call
        with pytest.raises(OSError, match="Input/output") as caught:
            form.read(path)
        assert caught.value is error


# What a hostile writer could put under a fitting hash


def sealed(path, about, header, data):
    """Write a native file with this metadata and the hash that belongs to it."""
    about.pop("sha256", None)
    with open(path, "wb") as file:
        file.write(joined(header, {**about, "sha256": ""}, data))
    with open(path, "rb") as file:
        _, tensors = native._read_header(file, "x")
        _, digest = native._read_tensors(file, "x", tensors, lambda name: False)
    digest.update(native._canonical(about))
    path.write_bytes(joined(header, {**about, "sha256": digest.hexdigest()}, data))


def joined(header, about, data):
    text = json.dumps(header | {"__metadata__": {"w2v": native._canonical(about).decode()}}).encode()
    return len(text).to_bytes(8, "little") + text + data


def parts_of(raw):
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    return json.loads(header.pop("__metadata__")["w2v"]), header, raw[8 + length :]


ANY_JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=3),
        st.sampled_from([0, 1, -1, 10**9, 10**30, 1e300, "avx2", 2**63, [], {}, [[1]], [{}], "1"]),
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(data=st.data())
def test_any_metadata_gives_a_usable_model_or_a_format_error(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "hostile.safetensors"
    model_of(NEW).save(path)
    about, header, tensors = parts_of(path.read_bytes())
    part = data.draw(st.sampled_from(["settings", "state", "settings", "state", ""]))
    place = about["meta"][part] if part else about["meta"]
    name = data.draw(st.sampled_from(sorted(place)))
    if data.draw(st.booleans(), label="removed"):
        del place[name]
    else:
        place[name] = data.draw(ANY_JSON)
    sealed(path, about, header, tensors)
    model, error = outcome(Word2Vec.load, path)
    if error is not None:
        assert isinstance(error, FormatError)
        assert path.name in str(error)
        return
    model.progress = False
    assert model.wv.most_similar("river", topn=1)
    str(model), model.fingerprint()
    model.save(path)


@pytest.mark.parametrize("counts", [[2**62, 2**62, 1, 1], [2**63 - 1] * 4, [2**61 - 1] * 4, [0, 0, 0, 0]])
def test_no_counts_lead_training_astray(tmp_path, counts):
    path = tmp_path / "m.safetensors"
    model_of(NEW).save(path)
    about, header, data = parts_of(path.read_bytes())
    begin, end = header["vocab.counts"]["data_offsets"]
    sealed(path, about, header, data[:begin] + np.array(counts, "<i8").tobytes() + data[end:])
    program = """
        import sys
        import numpy as np
        from w2v import Word2Vec
        model = Word2Vec.load(sys.argv[1])
        model.progress = False
        try:
            model.train([["river", "lake", "boat", "fish"]] * 9, total_examples=9, epochs=1)
        except ValueError as error:
            print("no training:", error)
        assert np.isfinite(model.wv.vectors).all()
    """
    if sum(counts) >= 2**63:
        with pytest.raises(FormatError, match=r"m\.safetensors: .*the sum of all counts"):
            Word2Vec.load(path)
    else:
        print(in_a_process(program, path))

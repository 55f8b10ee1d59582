"""Whether programs for gensim run on w2v: ``python -m w2v.compat.gensim --check``.

Data goes from paths to programs, from each to the uses of gensim in it (`w2v.compat.uses`), and from these to a verdict
on each file.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from w2v.compat.uses import LOOK, RUNS, VERDICTS, Gensim, Use, uses_in


def check(paths: Iterable[str | os.PathLike[str]], ours: Gensim) -> tuple[list[Use], dict[str, str]]:
    """All uses of gensim in programs, and the verdict on each file that has one.

    Parameters
    ----------
    paths : iterable of paths
        Programs (.py), notebooks (.ipynb), and folders with such files.
    ours : Gensim

    Raises
    ------
    FileNotFoundError
        One of the paths does not exist.
    """
    uses: list[Use] = []
    verdicts = {}
    for path in _programs(paths):
        try:
            source = _source_of(path)
            found = uses_in(str(path), source, ours) if "gensim" in source else []
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None) or 1
            found = [Use(str(path), line, "the file", LOOK, "it is not Python 3, which gensim 4 and w2v need")]
        if found:
            uses += found
            verdicts[str(path)] = max((use.verdict for use in found), key=list(VERDICTS).index)
    return uses, verdicts


def report(uses: Sequence[Use], verdicts: Mapping[str, str]) -> str:
    """What `check` has found, to be read: a verdict on each file, and what is not as it was."""
    lines = []
    for path, verdict in verdicts.items():
        of_file = [use for use in uses if use.path == path]
        same = sum(use.verdict == RUNS for use in of_file)
        lines.append(f"{path}: {VERDICTS[verdict]} ({same} of {len(of_file)} uses are the same)")
        said = Counter((use.verdict, use.what, use.note) for use in of_file if use.verdict != RUNS)
        first = {(use.verdict, use.what, use.note): use.line for use in reversed(of_file)}
        for (kind, what, note), times in sorted(said.items(), key=lambda item: first[item[0]]):
            often = f", {times} times" if times > 1 else ""
            lines.append(f"  line {first[kind, what, note]}: {what}: {kind}{often}" + (f"; {note}" if note else ""))
    total = Counter(verdicts.values())
    lines.append(
        ", ".join(f"{total[verdict]} {text}" for verdict, text in VERDICTS.items() if total[verdict])
        or "no file uses gensim"
    )
    return "\n".join(lines)


def _programs(paths: Iterable[str | os.PathLike[str]]) -> Iterator[Path]:
    for given in map(Path, paths):
        if not given.exists():
            raise FileNotFoundError(f"there is no file or folder {str(given)!r}")
        if not given.is_dir():
            yield given
            continue
        for path in sorted(given.rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(given).parts)
            if path.suffix in (".py", ".ipynb") and path.is_file() and not hidden:
                yield path


def _source_of(path: Path) -> str:
    """The code; of a notebook, its code cells, without what is for the shell."""
    text = path.read_text("utf-8", "replace")
    if path.suffix != ".ipynb":
        return text
    cells = json.loads(text).get("cells", [])
    sources = ["".join(cell.get("source", [])) for cell in cells if cell.get("cell_type") == "code"]
    code = "\n".join(source.rstrip("\n") for source in sources)
    return "\n".join("pass" if line.lstrip()[:1] in ("%", "!", "?") else line for line in code.split("\n"))

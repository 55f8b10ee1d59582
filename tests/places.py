"""Where the tests find what is not in their own folder."""

from pathlib import Path

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
SHARED = ROOT.parent / "shared"


def paths_of(test: str) -> list[str]:
    """What sys.path needs in another process, to import a test file and all that it imports."""
    return [str(TESTS), str(Path(test).parent)]

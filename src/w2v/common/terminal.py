"""What a terminal is shown: words as they are, but for what would move its cursor or break a table."""

import sys


def printable(text: str) -> str:
    r"""`text` with escapes in the place of control characters, line ends and whatever else cannot be seen.

    That is also what standard output has no bytes for, where its encoding is another one than UTF-8.

    >>> print(printable("caf\u00e9 \x1b[2J\n"))
    café \x1b[2J\n
    """
    seen = "".join(part if part.isprintable() else part.encode("unicode_escape").decode() for part in text)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return seen.encode(encoding, "backslashreplace").decode(encoding)

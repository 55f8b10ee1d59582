"""Text for terminals: characters that would move the cursor or break a table are escaped."""

import sys


def printable(text: str) -> str:
    r"""Escape control characters, line ends and all other characters that cannot be seen.

    That is also what standard output has no bytes for, where its encoding is another one than UTF-8.

    >>> print(printable("caf\u00e9 \x1b[2J\n"))
    café \x1b[2J\n
    """
    seen = "".join(part if part.isprintable() else part.encode("unicode_escape").decode() for part in text)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return seen.encode(encoding, "backslashreplace").decode(encoding)

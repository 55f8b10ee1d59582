"""Text for terminals: characters that would move the cursor or break a table are escaped."""


def printable(text: str) -> str:
    r"""Escape control characters, line ends and all other characters that cannot be seen.

    >>> print(printable("caf\u00e9 \x1b[2J\n"))
    café \x1b[2J\n
    """
    return "".join(part if part.isprintable() else part.encode("unicode_escape").decode() for part in text)

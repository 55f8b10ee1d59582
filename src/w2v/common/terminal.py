"""What a terminal is shown: words as they are, but for what would move its cursor or break a table."""


def printable(text: str) -> str:
    r"""`text` with escapes in the place of control characters, line ends and whatever else cannot be seen.

    >>> print(printable("caf\u00e9 \x1b[2J\n"))
    café \x1b[2J\n
    """
    return "".join(part if part.isprintable() else part.encode("unicode_escape").decode() for part in text)

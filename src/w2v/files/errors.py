"""Errors of files: a reader returns the contents or raises one of these."""

from w2v.common.public import public


@public
class FormatError(ValueError):
    """A file is not what it claims to be; the message names the file and the line or byte."""


class TruncatedError(FormatError, EOFError):
    """A file ends before its own header says it does."""


class UndecodableError(FormatError, UnicodeDecodeError):
    """A word is not in the encoding that a file should have."""


class UnsupportedError(ValueError, NotImplementedError):
    """A sound file that cannot be read in the way that was asked for; gensim raises NotImplementedError."""

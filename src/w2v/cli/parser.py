"""The parser of the command line: what it says of a command line that it does not understand."""

import argparse
import os
import re
import shlex
import sys
from difflib import get_close_matches
from typing import Any, NoReturn


class Parser(argparse.ArgumentParser):
    """A parser whose errors say what is wrong and what to do, without all options before that."""

    def error(self, message: str) -> NoReturn:
        """Print one line on stderr, and exit with status 2."""
        unknown = re.match(r"argument COMMAND: invalid choice: '(.*?)'", message)
        extra = re.match(r"unrecognized arguments: (.*)", message)
        if unknown:
            advice = self._advice_on(unknown[1])
        elif extra and os.path.exists(extra[1]):
            advice = f"{message}; a command reads one text: put them into one file, or into a folder"
        else:
            advice = f"{message}; {self.prog} --help says more"
        print(f"{self.prog}: error: {advice}", file=sys.stderr)
        sys.exit(2)

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print help, if there is anything to print to, which argparse of Python 3.11.2 does not ask."""
        if (file or sys.stderr) is not None:
            super()._print_message(message, file)

    def _advice_on(self, name: str) -> str:
        """What to do in place of a command that there is not."""
        if os.path.isfile(name):
            verb = "explore" if name.endswith((".safetensors", ".bin", ".vec")) else "train"
            return f"{name} is a file, and no command: {self.prog} {verb} {shlex.quote(name)}"
        choices = next(action.choices for action in self._actions if isinstance(action, argparse._SubParsersAction))
        close = get_close_matches(name, choices, 1)
        meant = f"did you mean {close[0]}?" if close else f"{self.prog} --help lists them"
        return f"{name} is no command; {meant}"

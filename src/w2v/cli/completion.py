"""The command `w2v completion`: a script for a shell that completes commands, options and files."""

import argparse
from collections.abc import Callable
from typing import Any

SHELLS = ("bash", "zsh", "fish")

EXAMPLES = """
    w2v completion bash
    w2v completion zsh
    w2v completion fish
"""

BASH = """\
# Completion of w2v for bash; in ~/.bashrc:  eval "$(w2v completion bash)"
_w2v() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} command="" word
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case $word in -*) ;; *) [[ " {names} " == *" ${{command:+$command }}$word "* ]] && command=$word;; esac
    done
    case "$command:$prev" in
{choices}
    esac
    if [[ -z $command ]]; then COMPREPLY=($(compgen -W "{names} --help --version" -- "$cur")); return; fi
    case $command in
{options}
    esac
}}
complete -o default -o bashdefault -F _w2v w2v
"""

ZSH = """\
#compdef w2v
# Completion of w2v for zsh; in ~/.zshrc, behind compinit:  eval "$(w2v completion zsh)"
_w2v() {{
    local -a commands
    commands=(
{commands}
    )
    if (( CURRENT == 2 )); then _describe command commands; return; fi
    case $words[2] in
{options}
    esac
}}
compdef _w2v w2v
"""


def add_arguments(add: Callable[..., argparse.Action]) -> None:
    """Declare the options, given a parser's ``add_argument``."""
    add("shell", choices=SHELLS)


def commands_of(parser: argparse.ArgumentParser) -> dict[str, tuple[str, argparse.ArgumentParser]]:
    """The commands of a parser with what they are for, and their parsers."""
    found: Any = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    purposes = {choice.dest: choice.help or "" for choice in found._choices_actions}
    return {name: (purposes.get(name, ""), made) for name, made in found.choices.items()}


def options_of(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """The options of a command that begin with a dash, and those of its own commands."""
    found: dict[tuple[str, ...], argparse.Action] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for made in action.choices.values():
                found |= {tuple(each.option_strings): each for each in options_of(made)}
        elif action.option_strings and action.help != argparse.SUPPRESS:
            found[tuple(action.option_strings)] = action
    return list(found.values())


def words_of(parser: argparse.ArgumentParser) -> str:
    """What may stand behind a command that is no file: its own commands, or the values of an argument."""
    return " ".join(word for action in parser._actions if not action.option_strings for word in _values(action))


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script that a shell reads."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](commands_of(parser))


def _values(action: argparse.Action) -> list[str]:
    return [str(choice) for choice in action.choices or ()]


def _bash(commands: dict[str, tuple[str, argparse.ArgumentParser]]) -> str:
    choices, options = [], []
    for name, (_, made) in commands.items():
        flags = [flag for action in options_of(made) for flag in action.option_strings]
        words = f' || COMPREPLY=($(compgen -W "{words_of(made)}" -- "$cur"))' if words_of(made) else ""
        flagged = f'COMPREPLY=($(compgen -W "{" ".join(flags)}" -- "$cur"))'
        options.append(f"        {name}) [[ $cur == -* ]] && {flagged}{words};;")
        for action in options_of(made):
            if _values(action):
                asked = "|".join(f"{name}:{flag}" for flag in action.option_strings)
                words = " ".join(_values(action))
                choices.append(f'        {asked}) COMPREPLY=($(compgen -W "{words}" -- "$cur")); return;;')
    return BASH.format(names=" ".join(commands), choices="\n".join(choices), options="\n".join(options))


def _quoted(text: str) -> str:
    """A text within single quotes of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def _zsh(commands: dict[str, tuple[str, argparse.ArgumentParser]]) -> str:
    described = [
        f"        {_quoted(name + ':' + purpose.replace(':', ' -'))}" for name, (purpose, _) in commands.items()
    ]
    options = []
    for name, (_, made) in commands.items():
        specs = []
        for action in options_of(made):
            purpose = _plain(action).replace("[", "(").replace("]", ")").replace(":", " -")
            value = (
                ""
                if action.nargs == 0
                else f":{'(' + ' '.join(_values(action)) + ')' if _values(action) else '_files'}"
            )
            value = value and f":value{value}"
            specs += [_quoted(f"{flag}[{purpose}]{value}") for flag in action.option_strings]
        specs += [_quoted(f"2:word:({words_of(made)})")] if words_of(made) else []
        options.append(f"        {name}) _arguments {' '.join([*specs, _quoted('*:file:_files')])};;")
    return ZSH.format(commands="\n".join(described), options="\n".join(options))


def _fish(commands: dict[str, tuple[str, argparse.ArgumentParser]]) -> str:
    lines = ["# Completion of w2v for fish; in ~/.config/fish/config.fish:  w2v completion fish | source"]
    for name, (purpose, made) in commands.items():
        lines.append(f"complete -c w2v -n __fish_use_subcommand -a {name} -d {_quoted(purpose)}")
        if words_of(made):
            lines.append(f"complete -c w2v -n '__fish_seen_subcommand_from {name}' -f -a {_quoted(words_of(made))}")
        for action in options_of(made):
            parts = [f"complete -c w2v -n '__fish_seen_subcommand_from {name}'"]
            for flag in action.option_strings:
                parts.append(f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}")
            parts += ["-r"] * (action.nargs != 0)
            parts += [f"-f -a {_quoted(' '.join(_values(action)))}"] * bool(_values(action))
            lines.append(" ".join([*parts, "-d", _quoted(_plain(action))]))
    return "\n".join(lines) + "\n"


def _plain(action: argparse.Action) -> str:
    """The help of an option on one line, without what argparse fills in."""
    text = " ".join((action.help or "").split())
    return (
        text.replace("%(default)s", str(action.default)).replace("%(default)g", str(action.default)).replace("%%", "%")
    )

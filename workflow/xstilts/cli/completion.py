"""Subcommand: print the shell completion of `xstilts`.

    source <(xstilts completion bash)     in ~/.bashrc; for zsh the same in ~/.zshrc
    xstilts completion fish > ~/.config/fish/completions/xstilts.fish

Subcommands, their options, and files.
"""

import argparse
from collections.abc import Mapping
from shlex import quote

SHELLS = ("bash", "zsh", "fish")
Options = Mapping[str, Mapping[str, str]]


def main(args: argparse.Namespace) -> None:
    """Print the script."""
    from xstilts.cli import command

    commands = command.available()
    options = {name: options_of(command.parser_of(name)) for name in commands}
    print({"bash": bash, "zsh": zsh, "fish": fish}[args.shell](commands, options))


def parser() -> argparse.ArgumentParser:
    """Return the command line of the subcommand."""
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("shell", choices=SHELLS)
    return p


def options_of(parser: argparse.ArgumentParser) -> dict[str, str]:
    """Return the options of a command line, by their long names -> what they do."""
    return {
        action.option_strings[-1]: " ".join((action.help or "").split())
        for action in parser._actions
        if action.option_strings and action.help != argparse.SUPPRESS
    }


def bash(commands: Mapping[str, str], options: Options) -> str:
    """Return the script for bash: its own completion of files where no option is begun."""
    cases = "\n".join(
        f"        {name}) words={quote(' '.join(options[name]))} ;;" for name in commands
    )
    return f"""_xstilts() {{
    local words
    case ${{COMP_WORDS[1]}} in
{cases}
    esac
    ((COMP_CWORD > 1)) || words={quote(" ".join(commands))}
    COMPREPLY=()
    if ((COMP_CWORD == 1)) || [[ $2 == -* ]]; then COMPREPLY=($(compgen -W "$words" -- "$2")); fi
}}
complete -o default -F _xstilts xstilts"""


def zsh(commands: Mapping[str, str], options: Options) -> str:
    """Return the script for zsh, to be sourced after `compinit`."""
    names = "\n".join(f"            {quote(f'{name}:{said}')}" for name, said in commands.items())
    cases = "\n".join(
        f"            {name}) compadd -- {' '.join(options[name])} ;;" for name in commands
    )
    return f"""#compdef xstilts
_xstilts() {{
    if (( CURRENT == 2 )); then
        local -a commands=(
{names}
        )
        _describe command commands
    elif [[ $words[CURRENT] == -* ]]; then
        case $words[2] in
{cases}
        esac
    else
        _files
    fi
}}
compdef _xstilts xstilts"""


def fish(commands: Mapping[str, str], options: Options) -> str:
    """Return the script for fish."""
    first = "complete -c xstilts -n __fish_use_subcommand -f"
    lines = [f"{first} -a {name} -d {_fish(said)}" for name, said in commands.items()]
    lines += [
        f"complete -c xstilts -n '__fish_seen_subcommand_from {name}'"
        f" -l {option.removeprefix('--')} -d {_fish(said)}"
        for name in commands
        for option, said in options[name].items()
    ]
    return "\n".join(lines)


def _fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

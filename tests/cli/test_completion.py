"""What the shells complete."""

import subprocess

import pytest

from xstilts.cli import command, completion

COMMANDS = {"run": "run it's own", "status": "look"}
OPTIONS = {"run": {"--cores": "how many"}, "status": {"--name": "its name", "--help": "this"}}


def completed(words, script):
    """What bash offers for the last of some words."""
    typed = " ".join(f"'{word}'" for word in words)
    ask = (
        f"{script}\nCOMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}\n"
        f"_xstilts xstilts '{words[-1]}' '{words[-2]}'; echo \"${{COMPREPLY[@]}}\""
    )
    said = subprocess.run(["bash", "-uc", ask], capture_output=True, text=True, check=True)
    return said.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["xstilts", ""], ["run", "status"]),
        (["xstilts", "st"], ["status"]),
        (["xstilts", "status", "--"], ["--name", "--help"]),
        (["xstilts", "status", "my.yaml", "--n"], ["--name"]),
        (["xstilts", "run", "-"], ["--cores"]),
        (["xstilts", "run", "my"], []),  # bash's own: files
        (["xstilts", "other", "-"], []),
    ],
)
def test_bash(words, offered):
    assert completed(words, completion.bash(COMMANDS, OPTIONS)) == offered


def test_zsh_and_fish():
    zsh = completion.zsh(COMMANDS, OPTIONS)
    assert "  status:look\n" in zsh and "run) compadd -- --cores ;;" in zsh
    assert completion.fish(COMMANDS, OPTIONS).splitlines() == [
        "complete -c xstilts -n __fish_use_subcommand -f -a run -d 'run it\\'s own'",
        "complete -c xstilts -n __fish_use_subcommand -f -a status -d 'look'",
        "complete -c xstilts -n '__fish_seen_subcommand_from run' -l cores -d 'how many'",
        "complete -c xstilts -n '__fish_seen_subcommand_from status' -l name -d 'its name'",
        "complete -c xstilts -n '__fish_seen_subcommand_from status' -l help -d 'this'",
    ]


def test_it_knows_all_commands_and_their_options(capsys):
    command.main(["completion", "bash"])
    script = capsys.readouterr().out
    assert completed(["xstilts", ""], script) == list(command.available())
    assert "--cores" in completed(["xstilts", "run", "--"], script)

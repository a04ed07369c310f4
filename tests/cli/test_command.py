"""The command `xstilts`: its subcommands, their help, a user's mistakes, how fast it starts."""

import argparse
import subprocess
import sys
from types import SimpleNamespace

import pytest

import xstilts
from xstilts.cli import command
from xstilts.running.errors import UserError


def test_help_lists_every_command_and_imports_nothing_heavy():
    code = (
        "import sys\nfrom xstilts.cli.command import main\n"
        "try:\n    main(['--help'])\n"
        "finally:\n    print(*sorted(name.partition('.')[0] for name in sys.modules))"
    )
    env = {"PYTHONPATH": str(xstilts.WORKFLOW)}
    said = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    *lines, modules = said.stdout.splitlines()
    heavy = {"torch", "pandas", "snakemake", "transformers", "datasets", "yaml", "jsonschema"}
    assert not heavy.intersection(modules.split()), said.stderr
    for name, about in command.available().items():
        assert any(line.split() == [name, *about.split()] for line in lines), name


@pytest.mark.parametrize("name", command.available())
def test_every_command_has_a_help_of_its_own(name, capsys):
    with pytest.raises(SystemExit) as ended:
        command.main([name, "--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0 and said.startswith(f"usage: xstilts {name} ")
    assert "Step: " not in said and "Subcommand: " not in said


def test_version_and_place(capsys):
    for option, line in (
        ("--version", f"xstilts {xstilts.__version__}"),
        ("--where", str(xstilts.WORKFLOW.parent)),
    ):
        with pytest.raises(SystemExit) as ended:
            command.main([option])
        assert (ended.value.code, capsys.readouterr().out) == (0, f"{line}\n")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["statsu"], "error: there is no command `statsu`; did you mean `status`?"),
        (["my.yaml"], "error: there is no command `my.yaml`"),
    ],
)
def test_a_wrong_command_is_one_line(words, line):
    with pytest.raises(SystemExit) as ended:
        command.main(words)
    assert ended.value.code == line


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UserError("a is wrong\nb is too"), "error: a is wrong\nerror: b is too", ""),
        (OSError(28, "No space left on device"), 6, "error: no room on the disk"),
        (KeyError("x"), 70, "internal error: KeyError: 'x'"),
        (KeyboardInterrupt(), 130, ""),
        (None, 0, ""),
    ],
)
def test_how_a_command_ends(monkeypatch, capsys, error, code, line):
    def main(args):
        print("said")
        if error:
            raise error

    module = SimpleNamespace(main=main, parser=argparse.ArgumentParser)
    monkeypatch.setattr(command.importlib, "import_module", lambda name: module)
    monkeypatch.setattr(command, "available", lambda: {"status": ""})
    if code == 0:
        command.main(["status"])
    else:
        with pytest.raises(SystemExit) as ended:
            command.main(["status"])
        assert ended.value.code == code
    said = capsys.readouterr()
    assert said.out == "said\n" and line in said.err

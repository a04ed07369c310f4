"""How a step ends: exit codes, one line on the terminal, the rest in the log."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import argparse, os, sys
from xstilts import step
from xstilts.errors import UserError

def main(args):
    print("from python")
    os.system("echo from native code")
    if args.what == "user":
        raise UserError("key: is wrong")
    if args.what == "ours":
        raise RuntimeError("first\\nsecond")

parser = argparse.ArgumentParser()
parser.add_argument("what")
step.run(main, parser)
"""
WORKFLOW = Path(__file__).resolve().parents[1] / "workflow"


def run(what, *args):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, what, *args],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": str(WORKFLOW), "PATH": "/usr/bin:/bin"},
    )


@pytest.mark.parametrize(
    ("what", "code", "line"),
    [
        ("fine", 0, ""),
        ("user", 1, "error: key: is wrong\n"),
        ("ours", 1, "internal error: RuntimeError: first (traceback in {log})\n"),
    ],
)
def test_one_line_on_the_terminal_and_the_rest_in_the_log(tmp_path, what, code, line):
    log = tmp_path / "logs/x.log"
    done = run(what, "--log", str(log))
    line = line.format(log=log)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", line)
    text = log.read_text()
    assert "from python\n" in text
    assert "from native code\n" in text
    assert line in text
    assert ("Traceback" in text) == (what == "ours"), "a traceback is for our mistakes"


def test_without_a_log_everything_is_on_the_terminal():
    done = run("user")
    assert (done.returncode, done.stderr) == (1, "error: key: is wrong\n")
    assert done.stdout.split("\n")[:2] == ["from native code", "from python"]

"""How a step ends: exit codes, one line on the terminal, the rest in the log."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from xstilts.running import lock

PROGRAM = """
import argparse, os, signal, sys, time
from xstilts.steps import process
from xstilts.running.errors import DoesNotFit, NotFinite, UserError

def main(args):
    print("from python")
    os.system("echo from native code")
    if args.what == "user":
        raise UserError("key: is wrong")
    if args.what == "nan":
        raise NotFinite("the loss is nan")
    if args.what == "oom":
        raise DoesNotFit("one example does not fit")
    if args.what == "ours":
        raise RuntimeError("first\\nsecond")
    if args.what == "full":
        raise OSError(28, "No space left on device")
    if args.what == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if args.what == "stopped":
        os.kill(os.getpid(), signal.SIGUSR1)
        time.sleep(60)

parser = argparse.ArgumentParser()
parser.add_argument("what")
parser.add_argument("--out")
parser.add_argument("--state")
process.run(main, parser)
"""
WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"


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
        (
            "full",
            6,
            "error: no room on the disk: [Errno 28] No space left on device; what is"
            " finished is intact\n",
        ),
        ("stopped", 143, "stopped: ended by SIGUSR1\n"),
        ("ours", 70, "internal error: RuntimeError: first (traceback in {log})\n"),
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
    assert line.partition(" (traceback in ")[0] in text
    assert ("Traceback" in text) == (what == "ours"), "a traceback is for our mistakes"


def test_without_a_log_everything_is_on_the_terminal():
    done = run("user")
    assert (done.returncode, done.stderr) == (1, "error: key: is wrong\n")
    assert done.stdout.split("\n")[:2] == ["from native code", "from python"]


def told(folder):
    """The events of a ledger, as far as they do not depend on time and machine."""
    path = folder / "results/ledger.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [{k: v for k, v in json.loads(t).items() if k not in CHANGING} for t in lines]


CHANGING = ("time", "pid", "host")


def test_the_ledger_has_the_failures_and_that_they_were_mended(tmp_path):
    out, log = str(tmp_path / "results/data/x"), str(tmp_path / "x.log")
    run("fine", "--out", out, "--log", log)
    assert told(tmp_path) == [], "what goes well is not written"
    for what in ("user", "stopped", "fine", "fine"):
        run(what, "--out", out, "--log", log)
    failed = {"event": "failed", "node": out, "log": log}
    assert told(tmp_path) == [
        {**failed, "attempt": 1, "kind": "bad-input", "line": "error: key: is wrong"},
        {**failed, "attempt": 2, "kind": "terminated", "line": "stopped: ended by SIGUSR1"},
        {"event": "done", "node": out, "attempt": 3, "log": log},
    ]


def test_a_training_or_evaluation_says_when_it_starts(tmp_path):
    out = str(tmp_path / "results/tuned/x")
    for what in ("full", "fine"):
        run(what, "--out", out, "--state", "s")
    found = [(e["event"], e["attempt"], e.get("kind")) for e in told(tmp_path)]
    assert found == [
        ("start", 1, None),
        ("failed", 1, "disk"),
        ("start", 2, None),
        ("done", 2, None),
    ]


@pytest.mark.parametrize(("what", "code"), [("user", 1), ("nan", 3), ("oom", 4), ("ours", 70)])
def test_what_would_fail_the_same_way_is_not_tried_again_by_the_same_run(tmp_path, what, code):
    log = tmp_path / "x.log"
    step = ["--out", str(tmp_path / "results/tuned/x"), "--state", "s", "--log", str(log)]
    run(what, *step)
    before, events = log.read_text(), told(tmp_path)
    again = run("fine", *step, "--attempt", "2")
    assert again.returncode == code and again.stderr.startswith(f"not tried again: {LINES[what]}")
    assert (log.read_text(), told(tmp_path)) == (before, events), "the reason is still there"
    assert run("fine", *step, "--attempt", "1").returncode == 0, "a new run tries"


def test_what_failed_before_this_run_is_tried(tmp_path):
    step = ["--out", str(tmp_path / "results/tuned/x"), "--state", "s"]
    run("user", *step)
    with lock.held(tmp_path / lock.RUN, 0):
        os.utime(tmp_path / lock.RUN / "lock", (time.time() + 5,) * 2)
        assert run("fine", *step, "--attempt", "2").returncode == 0


LINES = {
    "user": "error: key: is wrong",
    "nan": "error: the loss is nan",
    "oom": "error: one example does not fit",
    "ours": "internal error: RuntimeError: first",
}


@pytest.mark.parametrize("what", ["full", "stopped", "killed"])
def test_what_may_go_better_is_tried_again(tmp_path, what):
    step = ["--out", str(tmp_path / "results/tuned/x"), "--state", "s"]
    run(what, *step)
    assert run("fine", *step, "--attempt", "2").returncode == 0


def test_a_file_that_is_cut_off_while_it_is_mapped_is_in_the_log(tmp_path):
    """The system kills the process, so the run tries again."""
    code = """
import argparse, os, sys
from pathlib import Path
from xstilts.encoding import encoded
from xstilts.steps import process

def main(args):
    data = encoded.Encoded(encoded.pack([range(99_999)]), {})
    data.save(args.file)
    read = encoded.load(args.file)
    os.truncate(args.file, 4096)
    print(read.arrays["tokens"].sum())

parser = argparse.ArgumentParser()
parser.add_argument("file")
process.run(main, parser)
"""
    file, log = tmp_path / "x.safetensors", tmp_path / "log"
    command = [sys.executable, "-c", code, str(file), "--log", str(log)]
    ended = subprocess.run(command, env={"PYTHONPATH": str(WORKFLOW)}, timeout=60)
    assert ended.returncode == -signal.SIGBUS
    assert "Bus error" in log.read_text() and "in main" in log.read_text()

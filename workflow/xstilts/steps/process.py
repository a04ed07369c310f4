"""How every step of the workflow starts and ends as a process."""

import argparse
import atexit
import faulthandler
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from xstilts.running import failure, garbage, gpus, ledger, lock, mark, ranks, stop

ALONE = "it had a share of a GPU, its next attempt has one for itself"
CLEAR = "\r\x1b[K"  # the line of a terminal, which may hold the bar of the run
_terminal: TextIO | None = None  # where a step with a log has a line to say


def run(
    main: Callable[[argparse.Namespace], None],
    parser: argparse.ArgumentParser,
    argv: list[str] | None = None,
) -> None:
    """Parse `argv`, run `main`, and exit: 0, or by `failure.CODES` with one line on the terminal.

    With `--log FILE` everything the process prints, also from native code, goes to that file, and
    only the one line of an error to the terminal. A traceback is for our mistakes, never the
    user's.
    """
    # A grid is a thousand processes, and of the seven seconds that loading a model takes, two are
    # spent on looking for garbage among modules: while they are imported, and at the end.
    garbage.wait()
    parser.add_argument(
        "--log", help="file for everything this step prints (default: the terminal)"
    )
    parser.add_argument(
        "--attempt",
        type=int,
        default=1,
        help="the scheduler's; what would fail the same way again is not tried from the second on",
    )
    args = parser.parse_args(argv)
    if args.attempt > 1:
        _refuse(args.out)
    global _terminal
    terminal = _terminal = os.fdopen(os.dup(2), "w", encoding="utf-8")
    if args.log:
        _redirect(args.log)
    if argv is None:
        faulthandler.enable()  # what is mapped may be cut off: the log says where it was read
    job = Job(args)
    mark.present(_paths(vars(args).values()))
    try:
        stop.listen()
        job.start()
        main(args)
        job.done()
    except (Exception, stop.Stopped) as error:
        if failure.ours(error):
            traceback.print_exc()
        _say(failure.line(error), job.line(error), terminal, args.log)
        job.failed(error)
        sys.exit(failure.CODES[failure.kind(error)])
    finally:
        garbage.collect_from_here()
    if argv is None:  # a process of its own: end without taking the modules apart
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _paths(values: Iterable[Any]) -> Iterator[str]:
    """Yield the arguments that name something in the results."""
    for value in values:
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str) and each.startswith("results/"):
                yield each


class Job:
    """What the ledger of the results folder is told of this process; nothing outside of one."""

    def __init__(self, args: argparse.Namespace) -> None:
        """Take what there is of `out`, `state` and `log` in the arguments."""
        found = vars(args)
        self.node, self.state = found.get("out") or "", found.get("state")
        self.log, self.ledger = args.log, ledger.path_of(self.node)
        before = ledger.attempts(ledger.read(self.ledger), self.node) if self.ledger else 0
        # The first process of a training tells that it starts, the others may see that already.
        self.attempt = before + (ranks.rank() == 0) or 1

    def start(self) -> None:
        """Say that a training or an evaluation starts."""
        if self.ledger and self.state and ranks.rank() == 0:
            self._append("start", state=self.state)

    def failed(self, error: BaseException) -> None:
        """Say how it failed."""
        if self.ledger:
            self._append("failed", **self._failure(error))

    def line(self, error: BaseException) -> str:
        """Return what the terminal is told of it: as in the ledger, if there is one."""
        if self.ledger:
            return ledger.line(self._about() | self._failure(error))
        there = f" (traceback in {self.log})" if self.log and failure.ours(error) else ""
        return failure.line(error) + there

    def _failure(self, error: BaseException) -> dict[str, Any]:
        found: dict[str, Any] = {"kind": failure.kind(error), "line": failure.line(error)}
        if found["kind"] == "oom" and gpus.share() < 1:
            found |= {"shared": True, "line": f"{found['line']}; {ALONE}"}
        if found["kind"] == "device" and gpus.held:
            found["gpu"] = ",".join(gpus.held)
        return found

    def _about(self) -> dict[str, Any]:
        return {"node": self.node, "attempt": self.attempt, "log": self.log}

    def done(self) -> None:
        """Say that it is done, where the ledger knows of it."""
        known = self.state or self.attempt > 1
        if self.ledger and ranks.rank() == 0 and known:
            self._append("done")

    def _append(self, event: str, **about: Any) -> None:
        assert self.ledger is not None
        ledger.append(self.ledger, event=event, **about, **self._about())


def _refuse(node: str) -> None:
    """Exit as the last attempt of this run at `node` did, where it would again; its log and its
    line stay."""
    path = ledger.path_of(node)
    events = ledger.read(path) if path else []
    since = lock.taken(path.parents[1] / lock.RUN) if path else 0.0
    for last in ledger.open_failures(events):
        late = ledger.seconds(last) >= since
        final = last["kind"] in failure.FINAL and not last.get("shared")
        if last["node"] == node and final and late:
            print(f"not tried again: {last['line']}", file=sys.stderr, flush=True)
            sys.exit(failure.CODES[last["kind"]])


def _redirect(log: str) -> None:
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    first = ranks.rank() == 0  # of several processes, the others have a say in errors only
    fresh = os.O_TRUNC if first else 0
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | fresh, 0o644)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(file if first else os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(file, 2)
    os.close(file)
    if first:
        lock.hold_file(log)  # who holds it runs: `running/logs.py`


def note(line: str) -> None:
    """Tell the user of what is left out without being a mistake, in the log and on the terminal."""
    print(f"note: {line}", flush=True)
    if _terminal:
        clear = CLEAR if _terminal.isatty() else ""
        print(f"{clear}note: {line}", file=_terminal, flush=True)


def _say(line: str, short: str, terminal, log: str | None) -> None:
    """Print `line` in the log and, where that is another place, `short` on the terminal."""
    clear = CLEAR if terminal.isatty() else ""
    print(clear + (short if log else line), file=terminal, flush=True)
    if log:
        print(line, file=sys.stderr, flush=True)

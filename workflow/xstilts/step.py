"""How every step of the workflow starts and ends as a process."""

import argparse
import atexit
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from xstilts import stop
from xstilts.errors import UserError


def run(
    main: Callable[[argparse.Namespace], None],
    parser: argparse.ArgumentParser,
    argv: list[str] | None = None,
) -> None:
    """Parse `argv`, run `main`, and exit: 0, or 1 with one line on the terminal; 143 when ended by
    a signal.

    With `--log FILE` everything the process prints, also from native code, goes to that file, and
    only the one line of an error to the terminal. A traceback is for our mistakes, never the
    user's.
    """
    # A grid is a thousand processes, and of the seven seconds that loading a model takes, two are
    # spent on looking for garbage among modules: while they are imported, and at the end.
    gc.disable()
    parser.add_argument(
        "--log", help="file for everything this step prints (default: the terminal)"
    )
    args = parser.parse_args(argv)
    terminal = os.fdopen(os.dup(2), "w", encoding="utf-8")
    if args.log:
        _redirect(args.log)
    try:
        stop.listen()
        main(args)
    except UserError as error:
        _say(f"error: {error}", terminal, args.log)
        sys.exit(1)
    except stop.Stopped as error:
        _say(f"stopped: {error}", terminal, args.log)
        sys.exit(128 + signal.SIGTERM)
    except Exception as error:
        traceback.print_exc()
        said = str(error).strip().splitlines() or [""]
        line = f"internal error: {type(error).__name__}: {said[0]}"
        _say(line + (f" (traceback in {args.log})" if args.log else ""), terminal, args.log)
        sys.exit(1)
    finally:
        imported()
    if argv is None:  # a process of its own: end without taking the modules apart
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def imported() -> None:
    """Say that what is there stays, and that from here on garbage is collected."""
    gc.freeze()
    gc.enable()


def _redirect(log: str) -> None:
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)


def _say(line: str, terminal, log: str | None) -> None:
    """Print `line` on the terminal and, where that is another place, in the log."""
    print(line, file=terminal, flush=True)
    if log:
        print(line, file=sys.stderr, flush=True)

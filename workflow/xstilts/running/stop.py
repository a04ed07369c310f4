"""The request to end: SIGTERM, SLURM's warning SIGUSR1, or Ctrl-C."""

import signal

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)


class Stopped(BaseException):
    """The process ends because it was asked to; no `Exception`, so that nothing swallows it."""

    def __init__(self, line: str, number: int) -> None:
        """Say `line` of the signal `number`."""
        super().__init__(line)
        self.number = number


class _Asked:
    """Which signal came (its number; 0: none), and whether it waits until somebody looks."""

    signal = 0
    waits = False


def listen() -> None:
    """From here on the signals raise `Stopped` or, after `wait`, are only noted."""
    _Asked.signal, _Asked.waits = 0, False
    for number in SIGNALS:
        signal.signal(number, _note)


def wait() -> None:
    """Only note the signals from here on: who calls this asks `asked` at every step."""
    _Asked.waits = True


def asked() -> int:
    """Return the number of the signal that came, 0 if none."""
    return _Asked.signal


def name(number: int) -> str:
    """Return the name of a signal."""
    return signal.Signals(number).name


def _note(number: int, frame: object) -> None:
    _Asked.signal = number
    if not _Asked.waits:
        raise Stopped(f"ended by {name(number)}", number)

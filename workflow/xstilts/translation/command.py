"""A translator that is a program: it reads lines and writes as many.

It is started anew for each block, in a process group of its own, so that what hangs can be ended
with all that it has started. Some programs read on over a line break (Apertium takes two lines for
one sentence), so with `blank_lines` an empty line stands after each, which ends a paragraph.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence

from xstilts.experiment import commands
from xstilts.running.errors import UserError

# How some are installed; of others it is their makers who know.
INSTALL = {
    "apertium": "apt-get install apertium and the pair, such as apertium-eng-spa (a pair beside it"
    " is named in `apertium -l`)",
    "trans": "apt-get install translate-shell",
    "argos-translate": "pip install argostranslate",
}
NOT_FOUND = 127  # what a shell ends with where there is no such command


class Command:
    """A command line as an engine."""

    def __init__(self, run: str, timeout: float, blank_lines: bool) -> None:
        """Look whether the command is there.

        Args:
            run: the command line, for bash.
            timeout: seconds that a block may take.
            blank_lines: whether an empty line stands after each.

        Raises:
            UserError: it is not installed; how to install it, as far as that is known.
        """
        self.run, self.timeout, self.blank_lines = run, timeout, blank_lines
        program = commands.program(run)
        if program and not _is_there(program):
            raise UserError(f"`{program}` is not installed ({_advice(program)})")

    def translate(self, lines: Sequence[str]) -> list[str]:
        """Return the lines that the command writes for some; see `engines.Engine`."""
        end = "\n\n" if self.blank_lines else "\n"
        out = self._output("".join(line + end for line in lines))
        found = out.split("\n")
        if found and not found[-1]:
            found.pop()
        if self.blank_lines:
            return _paragraphs(found, len(lines))
        return found

    def _output(self, text: str) -> str:
        process = subprocess.Popen(
            ["bash", "-o", "pipefail", "-c", self.run],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, encoding="utf-8", errors="replace", start_new_session=True,
        )  # fmt: skip
        try:
            out, said = process.communicate(text, timeout=self.timeout)
        except subprocess.TimeoutExpired:
            raise UserError(
                f"`{self.run}` was not done after {self.timeout:g} s; give it a longer `timeout`,"
                " or smaller blocks (`block`)"
            ) from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.returncode:
            last = (said.strip().splitlines() or ["it said nothing"])[-1]
            program = commands.program(self.run)
            advice = f" ({_advice(program)})" if process.returncode == NOT_FOUND else ""
            raise UserError(
                f"`{self.run}` failed with exit status {process.returncode}: {last}{advice}"
            )
        return out


def _paragraphs(lines: Sequence[str], count: int) -> list[str]:
    """Return every second line, where the others are empty; else the lines that are not, of which
    the caller sees that they are too many or too few."""
    if len(lines) in (2 * count, 2 * count - 1) and not any(line.strip() for line in lines[1::2]):
        return [line.strip() for line in lines[::2]]
    return [line for line in lines if line.strip()]


def _is_there(program: str) -> bool:
    """Whether the shell knows a program, or has it built in."""
    look = ["bash", "-c", 'type -t -- "$1"', "bash", program]
    return subprocess.run(look, capture_output=True, check=False).returncode == 0


def _advice(program: str) -> str:
    return INSTALL.get(program, "put it on the PATH, or give its path in `run`")

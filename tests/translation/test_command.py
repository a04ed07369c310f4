"""A program as a translator: what it may do wrong."""

import time

import pytest

from xstilts.running.errors import UserError
from xstilts.translation.command import Command, _paragraphs

LINES = ["one two", "three"]


def run(line: str, timeout: float = 20, blank: bool = False) -> list[str]:
    """Return what a command makes of two lines."""
    return Command(line, timeout, blank).translate(LINES)


def test_lines_in_lines_out():
    """As many as went in, in their order; pipes are bash's."""
    assert run("tr a-z A-Z | cat") == ["ONE TWO", "THREE"]


def test_blank_lines():
    """An empty line after each, in and out."""
    assert run("sed 's/^$/--/' | sed 's/^--$//'", blank=True) == LINES
    assert run("awk 'NR % 2 == 0 && $0 != \"\" {exit 1} {print}'", blank=True) == LINES


def test_an_empty_translation_keeps_its_place():
    """Every second line is one, also where it is empty."""
    assert _paragraphs(["a", "", "", "", "c", ""], 3) == ["a", "", "c"]
    assert _paragraphs(["a", "", "b", "c", ""], 3) == ["a", "b", "c"]


def test_not_installed():
    """It is said how it is installed, where that is known."""
    with pytest.raises(UserError, match=r"`no-such-program` is not installed .*PATH"):
        run("no-such-program -x")
    with pytest.raises(UserError, match=r"is not installed"):
        Command("apertium-none x", 1, False)


@pytest.mark.parametrize(
    "line",
    ["LC_ALL=C.UTF-8 LANG= tr a-z A-Z", "(tr a-z A-Z; true)", "{ tr a-z A-Z; }",
     "$NO_SUCH_VARIABLE tr a-z A-Z", "while read -r x; do echo ${x^^}; done", "cd /; tr a-z A-Z"],
)  # fmt: skip
def test_a_command_of_the_shell_is_no_program_that_is_missing(line):
    """What begins with a variable, a bracket, or a word of the shell's."""
    assert run(line) == ["ONE TWO", "THREE"]


def test_a_part_of_a_pipe_is_not_installed():
    """The shell says so."""
    with pytest.raises(UserError, match=r"exit status 127: .*no-such-program"):
        run("cat | no-such-program")


def test_fails_in_the_middle():
    """Its status, and the last that it said."""
    with pytest.raises(UserError, match=r"failed with exit status 3: out of words$"):
        run("head -n 1; echo first >&2; echo out of words >&2; exit 3")
    with pytest.raises(UserError, match=r"failed with exit status 1: it said nothing$"):
        run("false | cat")


def test_hangs():
    """It is ended with all that it has started, after the time that it may take."""
    start = time.monotonic()
    with pytest.raises(UserError, match=r"was not done after 0.3 s; give it a longer `timeout`"):
        run("sleep 30 | sleep 30", timeout=0.3)
    assert time.monotonic() - start < 10

"""What of Snakemake's log the terminal shows while a run goes on."""

import io
import logging

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from xstilts.monitoring.live import screen

FAILED = """RuleException:
CalledProcessError in file "workflow/rules/train.smk", line 53:
Command 'export X; python -m xstilts.steps.train' {}."""


def record(message, event=None):
    made = logging.makeLogRecord({"msg": message})
    if event:
        made.event = event
    return made


@pytest.mark.parametrize(
    ("message", "event", "shown"),
    [
        ("Building DAG of jobs...", None, True),
        ("job count", LogEvent.RUN_INFO, True),
        (None, LogEvent.PROGRESS, False),
        ("Finished jobid: 3 (Rule: tune)", LogEvent.JOB_FINISHED, False),
        ("Execute 2 jobs...", LogEvent.JOB_STARTED, False),
        ("Error in rule tune, jobid: 3", LogEvent.JOB_ERROR, False),
        ("Select jobs to execute...", None, False),
        ("Removing output files of failed job tune since ...", None, False),
        (FAILED.format("returned non-zero exit status 4"), LogEvent.ERROR, False),
        ("MissingOutputException in rule tune", LogEvent.ERROR, True),
        ("Job 3 has been submitted with SLURM jobid 12", None, True),
    ],
)
def test_what_is_shown(message, event, shown):
    assert screen.shown(record(message, event)) is shown


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("returned non-zero exit status 4", 4),
        ("returned non-zero exit status 137", 137),
        ("died with <Signals.SIGKILL: 9>", 137),
    ],
)
def test_how_a_command_ended(how, code):
    assert screen.exit_code(record(FAILED.format(how), LogEvent.ERROR)) == code
    assert screen.exit_code(record(FAILED.format(how))) is None


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_lines_are_above_the_bar_on_a_terminal_and_no_bar_is_in_a_log():
    log = io.StringIO()
    bar = screen.Bar([logging.StreamHandler(log)])
    bar.show(1, 4, "x")
    bar.close()
    assert not bar and log.getvalue() == ""
    terminal = Terminal()
    handler = logging.StreamHandler(terminal)
    bar = screen.Bar([handler])
    bar.show(1, 4, "2 of 8 cells, about 3.0 min left; tune m/none/seed1/xnli")
    handler.emit(record("a line"))
    text = terminal.getvalue()
    assert bar and " 25%|" in text and "| 2 of 8 cells, about 3.0 min left" in text
    before, _, after = text.partition("a line\n")
    assert before.endswith("\r") and " 25%|" in after, "drawn anew below it"
    bar.close()
    assert handler.stream is terminal
    assert terminal.getvalue().rstrip().endswith("\r") or terminal.getvalue().endswith("\r")

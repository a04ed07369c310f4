"""What a run has said of its time: written, read, and held against what it took."""

import time

from tests.bench import forecasts as bench

from xstilts.monitoring.live import forecasts
from xstilts.monitoring.status import at_work


def test_the_last_forecast_of_a_run_that_goes_on(tmp_path):
    path = tmp_path / "a/progress-e.csv"
    assert forecasts.last(path, 0) is None
    forecasts.add(path, 10.0, 90.0, 3, 40, 0, 8)
    forecasts.add(path, 20.04, 61.0, 9, 40, 2, 8)
    first, second = forecasts.read(path)
    assert {k: v for k, v in second.items() if k != "time"} == {
        "elapsed": "20.0", "left": "61.0", "jobs": "9", "all_jobs": "40", "cells": "2",
        "all_cells": "8",
    }  # fmt: skip
    assert first["left"] == "90.0"
    assert forecasts.last(path, time.time() - 60) == second
    assert forecasts.last(path, time.time() + 60) is None, "of an earlier run"


def test_a_disk_that_cannot_be_written_loses_the_forecast_alone(tmp_path):
    (tmp_path / "a").write_text("")
    forecasts.add(tmp_path / "a/b.csv", 1.0, 1.0, 1, 1, 1, 1)
    assert forecasts.read(tmp_path / "a/b.csv") == []


def test_what_status_says_of_a_run():
    said = {"time": "2026-11-27T14:02:41+0000", "left": "754.0"}
    line = "Snakemake (process 7 on n) is at work on these results"
    assert at_work("process 7 on n", said) == f"{line}: about 12.6 min left at 14:02"
    assert at_work("process 7 on n", None) == line
    assert at_work(None, said) == ""


def test_only_the_last_run_of_a_file_is_judged():
    rows = [{"elapsed": str(e), "left": str(left)} for e, left in ((5, 9), (9, 1), (2, 8), (6, 3))]
    assert bench.last_run(rows) == [(2.0, 8.0), (6.0, 3.0)]

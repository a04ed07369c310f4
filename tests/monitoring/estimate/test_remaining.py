"""The time that a run still takes, by hand."""

import dataclasses

from xstilts.monitoring.estimate.remaining import OTHER, START, Job, Pace, seconds_left


def test_a_job_takes_what_is_forecast_and_what_others_took_beside_it():
    pace = Pace()
    assert pace.seconds(Job("tune", forecast=10.0)) == START + 10
    assert pace.seconds(Job("encode")) == OTHER
    for wall, device in ((12.0, 10.0), (25.0, 20.0), (33.0, 30.0)):  # 2, 5 and 3 beside
        pace.finished("tune", wall, device)
    pace.finished("encode", 1.0, None)
    pace.finished("evaluate_xnli", 1.0, 2.0)  # a score that was there already
    assert pace.seconds(Job("tune", forecast=10.0)) == 3 + 10
    assert pace.seconds(Job("encode")) == 1
    assert pace.seconds(Job("evaluate_xnli", forecast=4.0)) == 4


def test_what_is_left_of_jobs_that_wait_for_each_other():
    pace = Pace()
    for rule in ("tune", "evaluate", "tables"):
        pace.finished(rule, 2.0, None)
    jobs = {
        1: Job("tune", forecast=8.0, elapsed=4.0),  # 6 of 10 are left
        2: Job("tune", forecast=8.0),
        3: Job("evaluate", needs=[1], forecast=1.0),
        4: Job("evaluate", needs=[2, 99], forecast=1.0),  # 99 is finished
        5: Job("tables", needs=[3, 4]),
    }
    assert seconds_left(jobs, pace, 1) == 6 + 10 + 3 + 3 + 2
    assert seconds_left(jobs, pace, 2) == 10 + 3 + 2
    first = {key: dataclasses.replace(jobs[key], priority=10.0) for key in (3, 4)}
    assert seconds_left(jobs | first, pace, 1) == 6 + 3 + 10 + 3 + 2
    assert seconds_left({}, pace, 2) == 0


def test_a_job_that_takes_longer_than_was_forecast_is_about_to_end():
    pace = Pace()
    pace.finished("tune", 2.0, None)
    assert seconds_left({1: Job("tune", forecast=8.0, elapsed=50.0)}, pace, 1) == 5
    both = {i: Job("tune", forecast=8.0, elapsed=0.0) for i in (1, 2)}
    assert seconds_left(both, pace, 1) == 10, "what runs at the same time has devices"

"""The mark: as new as it has to be to have a job done, never newer than what a job makes."""

import os
import time

import pytest

from xstilts.running import mark
from xstilts.running.mark import Mark


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Three files, of which the first is the newest, an hour ago."""
    monkeypatch.setattr(mark.tempfile, "tempdir", str(tmp_path))
    paths = [str(tmp_path / name) for name in ("c", "b", "a")]
    for age, path in enumerate(paths):
        write(path, time.time() - 3600 - age)
    return paths


def write(path, when):
    with open(path, "w"):
        pass
    os.utime(path, (when, when))


def time_of(path):
    return os.stat(path).st_mtime


def test_the_mark_is_newer_than_the_newest(files):
    found = Mark().newer_than([*files, "gone"])
    assert 0.005 < time_of(found) - time_of(files[0]) < 0.015


def test_the_mark_of_several_nodes_only_gets_newer(files):
    found = Mark()
    old = found.newer_than(files[2:])
    assert time_of(old) < time_of(files[0])
    assert found.newer_than(files[:1]) == old
    newest = time_of(old)
    assert newest > time_of(files[0])
    assert found.newer_than(files[1:]) == old and time_of(old) == newest
    later = time.time() + 7200
    write(files[2], later)
    assert found.newer_than(files) == old and time_of(old) > later, "a clock that is ahead"


def test_each_mark_is_in_a_folder_of_its_own(files):
    paths = {Mark().newer_than(files) for _ in range(3)}
    assert len(paths) == 3 and not paths & set(files)


def test_without_a_file_the_mark_is_old(files):
    assert time_of(Mark().newer_than(["gone"])) == 0


def test_once_jobs_run_the_mark_is_older_than_all(files):
    found = Mark()
    path = found.newer_than(files)
    found.start()
    assert found.started and time_of(path) == 0
    unused = Mark()
    unused.start()
    assert unused.started and unused.folder is None


def test_a_mark_that_is_asked_for_while_jobs_run(files):
    """After a checkpoint the graph is built anew: another file, never from the future, so that of
    the jobs that run none is called a failure."""
    found = Mark()
    before = found.newer_than(files)
    found.start()
    write(files[1], time.time() + 7200)
    again = found.newer_than(files)
    assert again != before and time_of(before) == 0
    assert time_of(files[1]) == 0, "an output from the future"
    assert time_of(files[0]) < time_of(again) <= time.time()


def test_inputs_from_the_future_are_of_now(files, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    inside = str(folder / "weights")
    later, old = time.time() + 7200, time_of(files[0])
    for path in (files[1], inside):
        write(path, later)
    mark.present([files[0], files[1], folder, "gone"])
    assert time_of(files[0]) == old, "of the past, as it was"
    for path in (files[1], inside):
        assert abs(time_of(path) - time.time()) < 60

"""The ledger: what is open, which attempt it was, and that lines are never mixed up."""

import multiprocessing
import os

import pytest

from xstilts.running import ledger, lock


def event(what, node="a", attempt=1, **about):
    return {"event": what, "node": node, "attempt": attempt} | about


def failed(node="a", attempt=1, kind="oom"):
    return event("failed", node, attempt, kind=kind, line="error: no", log="l")


def kinds(events, **more):
    return [(e["node"], e["kind"], e["attempt"]) for e in ledger.open_failures(events, **more)]


def test_a_failure_is_open_until_its_node_is_done():
    events = [failed("a"), failed("b"), event("done", "a")]
    assert kinds(events) == [("b", "oom", 1)]
    assert kinds([*events, event("done", "b")]) == []
    assert kinds([*events, failed("a", 1, "nan")]) == [("b", "oom", 1), ("a", "nan", 1)]


def test_the_last_attempt_counts_and_in_it_the_first_process_that_failed():
    events = [failed(attempt=1, kind="nan"), event("start", attempt=2), failed(attempt=2)]
    assert kinds(events) == [("a", "oom", 2)]
    assert kinds([*events, failed(attempt=2, kind="terminated")]) == [("a", "oom", 2)]


def test_of_several_processes_the_first_that_has_a_reason_of_its_own():
    start = event("start")
    peer, device = failed(kind="peer"), failed(kind="device", attempt=2)
    for events in ([start, peer, device, peer], [start, device, peer, peer]):
        assert [kind for _, kind, _ in kinds(events)] == ["device"]
        assert ledger.attempts(events, "a") == 1
        assert kinds([*events, event("start", attempt=2), peer])[0][1] == "peer"
    assert ledger.attempts([start, device, peer, start, peer], "a") == 2


def test_a_start_that_nothing_follows_was_killed_unless_it_runs():
    events = [event("start", "a", state="s"), event("start", "b", state="t")]
    assert kinds(events) == [("a", "killed", 1), ("b", "killed", 1)]
    assert kinds(events, alive=lambda start: start["state"] == "s") == [("b", "killed", 1)]
    assert kinds([*events, event("done", "a"), event("done", "b")]) == []


@pytest.mark.parametrize(
    ("events", "count"),
    [
        ("", 0), ("s", 1), ("sf", 1), ("sfs", 2), ("ss", 2), ("ff", 2), ("sfd", 0), ("sdsf", 1),
    ],
)  # fmt: skip
def test_attempts_are_counted_since_the_node_was_done(events, count):
    names = {"s": "start", "f": "failed", "d": "done"}
    told = [event(names[letter]) for letter in events] + [event("start", "other")]
    assert ledger.attempts(told, "a") == count


def write(path, node):
    for i in range(100):
        ledger.append(path, **failed(f"{node}-{i}"))


def test_many_processes_write_whole_lines(tmp_path):
    path = tmp_path / "results/ledger.jsonl"
    many = [multiprocessing.get_context("fork").Process(target=write, args=(path, n)) for n in "ab"]
    for process in many:
        process.start()
    for process in many:
        process.join()
    found = ledger.read(path)
    assert len(found) == 200 and len({e["node"] for e in found}) == 200
    assert {"time", "pid", "host", "kind", "line", "log"} <= set(found[0])


def test_a_line_that_is_not_whole_is_left_out(tmp_path):
    path = tmp_path / "ledger.jsonl"
    ledger.append(path, **failed("a"))
    with open(path, "a") as file:
        file.write('{"event": "fai\n[1]\n')
    ledger.append(path, **failed("b"))
    assert [e["node"] for e in ledger.read(path)] == ["a", "b"]
    assert ledger.read(tmp_path / "none") == []


def test_the_ledger_is_that_of_the_results_folder():
    assert str(ledger.path_of("results/tuned/m")) == "results/ledger.jsonl"
    assert str(ledger.path_of("/x/results/toy")) == "/x/results/ledger.jsonl"
    assert ledger.path_of("elsewhere") is None and ledger.path_of("") is None


def test_what_is_said_at_the_end_leaves_out_what_still_runs_or_nobody_asks_for(tmp_path):
    path = tmp_path / "ledger.jsonl"
    for node in ("a", "b"):
        ledger.append(path, **event("start", node, state=str(tmp_path / node), log=f"{node}.log"))
    ledger.append(path, **failed("c", 2))
    ledger.append(path, **failed("d"))
    with lock.held(tmp_path / "a", 0):
        said = ledger.lines(path, {"a", "b", "c"})
    assert said == [
        "  killed: b, attempt 1: killed: too little memory or time, pre-empted, or the machine"
        " went down (log: b.log)",
        "  oom: c, attempt 2: error: no (log: l)",
    ]


def test_a_ledger_that_cannot_be_written_is_said(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    ledger.append(tmp_path / "file/ledger.jsonl", **failed())
    assert "ledger.jsonl: not written:" in capsys.readouterr().out
    assert os.listdir(tmp_path) == ["file"]


def test_what_ran_out_of_gpu_memory_since_it_was_done():
    events = [failed("a"), event("start", "a", 2), failed("b", kind="nan")]
    assert ledger.ran_out(events, "a") and not ledger.ran_out(events, "b")
    assert ledger.ran_out([*events, failed("a", 2, "device")], "a")
    assert not ledger.ran_out([*events, event("done", "a")], "a")


def test_the_gpus_of_a_machine_that_have_failed_since():
    about = {"gpu": "3", "host": "n1", "time": "2026-01-01T10:00:00+0000"}
    events = [failed(kind="device") | about, failed(kind="oom") | about | {"gpu": "4"}]
    events += [failed(kind="device") | about | {"host": "n2", "gpu": "5"}, failed(kind="device")]
    at = ledger.seconds(about)
    assert ledger.broken(events, "n1", at - 1) == {"3"}
    assert ledger.broken(events, "n1", at + 1) == set()

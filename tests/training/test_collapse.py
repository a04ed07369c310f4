"""Trainings that end at what guessing gives: marked, made again from another stream, resumed."""
# ruff: noqa: F811 (fixtures of another module are imported)

import pytest
from tests import helpers
from tests.training.test_loop import Node, classification_rows, folder, tokenizer  # noqa: F401

from xstilts.running.errors import NotFinite
from xstilts.running.files import digest, read_json
from xstilts.training import collapse, loop, storage, streams
from xstilts.training.tasks import TrainingTask

FROZEN = {"learning_rate": 1e-12}
LEARNS = {"epochs": 3}
MARKED = {
    "task", "metric", "score", "low", "high", "guessing", "guess", "rows", "evaluations",
}  # fmt: skip


# --- The mark, by hand ----------------------------------------------------------------------------


def task(name, rows, format="classification", metric="accuracy"):
    return TrainingTask(
        name, format, 16, (), {}, dev=object() if rows else None, dev_rows=rows, metric=metric
    )


def labelled(**counts):
    return [{"label": label} for label, count in counts.items() for _ in range(count)]


NLI = task("nli", labelled(a=200, b=150, c=150))
PAIR = task("pair", labelled(a=50, b=50))
TEXT = task("text", [], "mlm", "")


def record(looks=1, **dev):
    history = [{"step": i, "loss": 1.0, "dev": dev, "score": 0.0} for i in range(looks)]
    return {"best": history[0], "history": history}


def test_a_training_that_answers_one_label_is_marked():
    """Wilson's interval of 200 of 500."""
    assert collapse.mark([NLI], record(accuracy=0.4)) == {
        "collapsed": {
            "task": "nli", "metric": "accuracy", "score": 0.4, "low": 0.357979, "high": 0.443546,
            "guessing": 0.4, "guess": "always a", "rows": 500, "evaluations": 1,
        }
    }  # fmt: skip


def test_a_training_above_guessing_has_no_mark():
    assert collapse.mark([NLI], record(accuracy=0.46)) == {}
    assert collapse.mark([NLI], record(looks=30, accuracy=0.46)).keys() == {"collapsed"}
    assert collapse.mark([NLI], record(looks=30, accuracy=0.5)) == {}


def test_what_is_worse_than_any_one_answer_has_not_collapsed():
    """The rarest label is 0.3 of the rows; Wilson's interval of 0.25 of 500 ends at 0.2898."""
    found = collapse.mark([NLI], record(accuracy=0.25))
    assert found.keys() == {"below_guessing"} and found["below_guessing"]["high"] == 0.289764
    assert collapse.lines(found) == [
        "below guessing: the best dev score of `nli` is 0.2500 (95%: 0.2140 to 0.2898), and"
        " guessing (always a) gives 0.4000"
    ]
    assert collapse.mark([NLI], record(accuracy=0.3)).keys() == {"collapsed"}, "always b"
    assert collapse.mark([NLI], record(accuracy=0.27)).keys() == {"collapsed"}
    assert mixed(0.1, 0.2).keys() == {"collapsed"}, "a mix is judged by its mean"


def mixed(nli, pair, looks=1):
    dev = {"nli accuracy": nli, "pair accuracy": pair}
    return collapse.mark([NLI, TEXT, PAIR], record(looks, **dev))


def test_a_mix_is_marked_by_the_mean_by_which_its_checkpoint_is_chosen():
    found = mixed(0.4, 0.5)["collapsed"]
    assert found["task"] == "nli + pair" and found["metric"] == "mean"
    assert (found["score"], found["guessing"], found["rows"]) == (0.45, 0.45, 600)
    one, other = found["tasks"]
    assert (one["task"], other["task"]) == ("nli", "pair")
    margins = (one["score"] - one["low"]) ** 2 + (other["score"] - other["low"]) ** 2
    assert found["low"] == pytest.approx(0.45 - margins**0.5 / 2, abs=1e-6)


def test_of_a_mix_that_has_learnt_one_task_the_other_is_noted():
    found = mixed(0.4, 0.9)
    assert found.keys() == {"at_guessing"}
    assert [one["task"] for one in found["at_guessing"]] == ["nli"]
    assert collapse.lines(found) == [
        "not learnt in this mix: the best dev score of `nli` is 0.4000 (95%: 0.3580 to 0.4435), and"
        " guessing (always a) gives 0.4000"
    ]
    assert mixed(0.6, 0.9) == {}


def test_a_task_without_dev_rows_is_not_judged():
    dev = {"nli accuracy": 0.9}
    assert collapse.mark([NLI, TEXT], record(**dev)) == {}
    assert collapse.mark([NLI, TEXT], record(**{"nli accuracy": 0.4}))["collapsed"]["task"] == "nli"


# --- The step -------------------------------------------------------------------------------------


class LargerNode(Node):
    """With as many rows as it takes to learn the task, and to see that it is learnt."""

    def __init__(self, root, tokenizer, **recipe):
        super().__init__(root, tokenizer, **recipe)
        for split, size in {"train": 240, "dev": 40}.items():
            rows = classification_rows(size, 1, self.labels)
            data = helpers.encode(tokenizer, "classification", rows, self.labels)
            data.meta["spec"]["split"] = split
            helpers.write_encoded(root / f"{split}.safetensors", data)
            self.spec[split] = digest(data.meta["spec"])
        helpers.write_rows(root / "dev.parquet", "classification", rows)


@pytest.fixture
def node(tmp_path, tokenizer):
    return LargerNode(tmp_path, tokenizer)


def run(node, folder, out, retry=False, save_every=600, **recipe):
    more = {"on_collapse": "retry"} if retry else {}
    recipe = node.spec["recipe"] | recipe
    return node.run(folder, out, save_every=save_every, recipe=recipe, **more)


def test_a_training_that_learns_nothing_is_marked(folder, node, tmp_path, capsys):
    found = read_json(run(node, folder, tmp_path / "out", **FROZEN) / "node.json")
    assert found["collapsed"].keys() == MARKED
    assert found["collapsed"]["score"] == found["best"]["score"] <= 0.5
    assert "streams" not in found and "stream" not in found
    lines = [line for line in capsys.readouterr().out.splitlines() if "collapsed" in line]
    assert len(lines) == 1
    assert lines[0].startswith("collapsed: the best dev score of `toy classification` is 0.")


def test_one_that_learns_has_the_record_that_it_had(folder, node, tmp_path):
    """With `retry` too, where nothing is to be made again; the weights are the same."""
    kept, retried = (
        run(node, folder, tmp_path / str(retry), retry, **LEARNS) for retry in (False, True)
    )
    one, other = (read_json(out / "node.json") for out in (kept, retried))
    assert one["best"]["score"] > 0.7
    assert one.keys() == other.keys()
    assert not {"collapsed", "at_guessing", "stream", "streams"} & one.keys()
    assert one["weights"] == other["weights"]
    assert other["spec"] == {**one["spec"], "on_collapse": "retry"}


def test_a_stream_is_another_seed_and_the_first_is_the_seed_itself():
    assert streams.seed_of(7, 1) == 7
    seeds = [streams.seed_of(seed, stream) for seed in range(5) for stream in (1, 2, 3)]
    assert len(set(seeds)) == 15 and all(0 <= seed < 2**32 for seed in seeds)
    # A node that is made again years later is the same.
    assert (streams.seed_of(1, 2), streams.seed_of(1, 3)) == (SECOND, THIRD)


SECOND, THIRD = 1596810411, 4010755824


@pytest.fixture
def frozen(monkeypatch):
    """Make trainings of some seeds learn nothing; return the seeds that were trained."""
    real, seen = loop.fit, []

    def set_up(*seeds):
        def fit(encoder, tasks, spec, *rest, **options):
            seen.append(spec["seed"])
            change = FROZEN if spec["seed"] in seeds else {}
            return real(
                encoder, tasks, spec | {"recipe": spec["recipe"] | change}, *rest, **options
            )

        monkeypatch.setattr(loop, "fit", fit)
        return seen

    return set_up


def test_one_that_collapsed_is_trained_again_and_the_first_stays_on_record(
    folder, node, tmp_path, frozen, capsys
):
    seen = frozen(1)
    out = run(node, folder, tmp_path / "out", retry=True, **LEARNS)
    found = read_json(out / "node.json")
    assert seen == [1, SECOND]
    assert found["stream"] == 2 and "collapsed" not in found and found["best"]["score"] > 0.7
    assert found["spec"]["seed"] == 1
    first, second = found["streams"]
    assert (first["stream"], first["seed"]) == (1, 1)
    assert first["collapsed"].keys() == MARKED and first["score"] == first["collapsed"]["score"]
    assert [len(point) for point in first["curve"]] == [3] and first["steps"] == 45
    assert (second["stream"], second["seed"]) == (2, SECOND)
    assert second["score"] == found["best"]["score"]
    assert "collapsed" not in second
    said = capsys.readouterr().out.splitlines()
    assert f"trained again: stream 2 of 3, seed {SECOND}" in said
    # What the seed of the stream gives where it is asked for.
    node.spec["seed"] = SECOND
    alone = run(node, folder, tmp_path / "same", **LEARNS)
    for name in ("model.safetensors", "head.safetensors"):
        assert (alone / name).read_bytes() == (out / name).read_bytes()
    left = {path.name for path in tmp_path.glob("out.state/*")}
    assert left == {"lock", "finished"}, "nothing of the streams is left when the node is done"


def test_it_is_trained_again_at_most_twice_and_the_best_is_kept_and_marked(
    folder, node, tmp_path, frozen
):
    seen = frozen(1, SECOND, THIRD)
    found = read_json(run(node, folder, tmp_path / "out", retry=True) / "node.json")
    assert seen == [1, SECOND, THIRD]
    scores = [one["score"] for one in found["streams"]]
    assert len(scores) == 3 and all("collapsed" in one for one in found["streams"])
    assert found["best"]["score"] == max(scores) == found["collapsed"]["score"]
    assert found["stream"] == scores.index(max(scores)) + 1


class Crash(BaseException):
    """Stands for SIGKILL."""


@pytest.fixture
def crash(monkeypatch):
    """Crash once before each of some (seed, step)."""
    real = loop.accumulate_gradients

    def plan(*places):
        left = set(places)

        def accumulate_gradients(encoder, task, data, examples, seed, *rest):
            if seed in left:
                left.remove(seed)
                raise Crash
            return real(encoder, task, data, examples, seed, *rest)

        monkeypatch.setattr(loop, "accumulate_gradients", accumulate_gradients)
        return left

    return plan


def timeless(found):
    times = {
        "seconds", "energy_joules", "tokens_per_second", "peak_memory", "attempts", "resumed_at",
        "files", "fingerprint", "began", "ended",
    }  # fmt: skip
    found = {key: value for key, value in found.items() if key not in times}
    return found | {
        "streams": [{k: v for k, v in one.items() if k not in times} for one in found["streams"]]
    }


def test_one_that_is_killed_in_a_stream_goes_on_in_it(folder, node, tmp_path, frozen, crash):
    """In the first, the second and the third; dropout has a state too."""
    recipe = {"max_steps": 6, "eval_every": 3, "dropout": 0.1, "save_every": 0}
    seen = frozen(1, SECOND)
    whole = run(node, folder, tmp_path / "whole", retry=True, **recipe)
    assert seen == [1, SECOND, THIRD]
    left = crash((1, 3), (SECOND, 0), (SECOND, 4), (THIRD, 1), (THIRD, 5))
    seen.clear()
    for _ in range(5):
        with pytest.raises(Crash):
            run(node, folder, tmp_path / "out", retry=True, **recipe)
    out = run(node, folder, tmp_path / "out", retry=True, **recipe)
    assert not left
    assert seen == [1, 1, SECOND, SECOND, SECOND, THIRD, THIRD, THIRD]
    one, other = (read_json(each / "node.json") for each in (whole, out))
    assert "collapsed" in one, "six steps are too few for the third"
    assert timeless(one) == timeless(other)
    assert [len(each["resumed_at"]) for each in other["streams"]] == [1, 2, 2]
    for name in ("model.safetensors", "head.safetensors"):
        assert (whole / name).read_bytes() == (out / name).read_bytes()


def test_streams_of_other_rows_do_not_count(folder, node, tmp_path, frozen, crash, tokenizer):
    seen = frozen(1)
    crash((SECOND, 1))
    with pytest.raises(Crash):
        run(node, folder, tmp_path / "out", retry=True)
    other = LargerNode(tmp_path, tokenizer, eval_rows=39)
    seen.clear()
    run(other, folder, tmp_path / "out", retry=True, **LEARNS)
    assert seen == [1, SECOND]


def test_a_loss_that_is_not_finite_leaves_no_state_of_its_stream(
    folder, node, tmp_path, frozen, monkeypatch
):
    frozen(1)
    real, at = loop.accumulate_gradients, []

    def spoiled(encoder, task, data, examples, seed, *rest):
        at.append(seed)
        loss, tokens = real(encoder, task, data, examples, seed, *rest)
        return (loss * float("nan") if seed == (SECOND, 2) else loss), tokens

    monkeypatch.setattr(loop, "accumulate_gradients", spoiled)
    for _ in range(2):
        with pytest.raises(NotFinite):
            run(node, folder, tmp_path / "out", retry=True, save_every=0)
    assert at.count((1, 0)) == 1 and at.count((SECOND, 0)) == 2
    kept = {path.name for path in (tmp_path / "out.state/streams").iterdir()}
    assert kept == {"000000001.json", "000000001.safetensors", "2"}
    assert not list((tmp_path / "out.state/streams/2").iterdir())


def test_a_full_disk_costs_the_streams_before_not_the_training(
    folder, node, tmp_path, frozen, monkeypatch, capsys
):
    frozen(1)
    real = storage.save

    def full(where, *rest):
        if where.name == "streams":
            raise OSError(28, "No space left on device")
        real(where, *rest)

    monkeypatch.setattr(storage, "save", full)
    found = read_json(run(node, folder, tmp_path / "out", retry=True, **LEARNS) / "node.json")
    assert "the streams before are not saved: [Errno 28] No space left" in capsys.readouterr().out
    assert found["stream"] == 2 and len(found["streams"]) == 2

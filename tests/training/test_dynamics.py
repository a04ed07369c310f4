"""Recorded trainings: nothing changes by it, at every epoch, killed or not, on one rank or two."""
# ruff: noqa: F811 (fixtures of another module are imported)

import dataclasses

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests import helpers
from tests.running.test_ranks import ended, two  # noqa: F401
from tests.training.test_loop import (
    TOYS,
    classification_rows,
    cpu,
    folder,  # noqa: F401
    make_task,
    node,  # noqa: F401
    spec,
    start,
    tokenizer,  # noqa: F401
)
from tests.training.test_resume import (  # noqa: F401
    attempts,
    crash,
    handlers,
    interrupt,
    terminate,
)

from xstilts import formats
from xstilts.encoding.tokenizer import load_tokenizer
from xstilts.experiment import difficulty
from xstilts.experiment.recipe import Recipe
from xstilts.metrics.dynamics import RECORDED
from xstilts.running.files import read_json
from xstilts.scoring import predict
from xstilts.training import dynamics, loop

RECORD = {"kind": "difficulty", "recorded": 1}


def recipe_of(**changes):
    return dataclasses.asdict(Recipe(learning_rate=1e-3, batch_size=16, **changes))


@pytest.mark.parametrize("format", [f for f in TOYS if f in difficulty.ANY.formats])
def test_the_last_pass_of_a_training_is_what_its_model_predicts(folder, tokenizer, format):
    """And rows that come in several windows, as spans and tags do, are one row each."""
    make, labels, _ = TOYS[format]
    rows = make(40, 1)
    data = helpers.encode(tokenizer, format, rows, labels, length=20)
    encoder, head = start(folder, format)
    task = make_task(format, head, data, data, rows)
    found, _ = loop.fit(encoder, [task], spec(format, epochs=2), cpu(), 2000, recorded=True)
    epoch = -(-len(data) // 16)
    assert [*found["recorded"]] == [str(epoch), str(2 * epoch)]
    first, last = (found["recorded"][step].numpy() for step in found["recorded"])
    assert last.shape == (40, 4) and not np.array_equal(first, last)
    page = formats.page(format)
    predicted = page.decode(predict.reduced(page, encoder, head, data, cpu(), 2000), data, rows)
    _, right = page.score(rows, predicted, TOYS[format][2], "en")
    if format == "span":  # right in its own window: the whole row may still have a better one
        assert all(value for value, best in zip(last[:, 3], right, strict=True) if best == 1)
    else:
        assert last[:, 3] == pytest.approx(right)


def fit(folder, tokenizer, recorded, **recipe):
    """A training with dropout; 48 rows are 3 steps an epoch."""
    rows, labels = classification_rows(48, 1), TOYS["classification"][1]
    data = helpers.encode(tokenizer, "classification", rows, labels)
    encoder, head = start(folder, "classification")
    task = make_task("classification", head, data, data, rows)
    wanted = spec("classification", **{"eval_every": 2, "dropout": 0.1} | recipe)
    found, record = loop.fit(encoder, [task], wanted, cpu(), 2000, recorded=recorded)
    return found, record, encoder


@pytest.mark.parametrize(
    ("recipe", "steps"),
    [
        ({"epochs": 3}, [3, 6, 9]),
        ({"epochs": 1.5}, [3, 4]),  # and where it ends within an epoch
        ({"epochs": 9, "max_steps": 2}, [2]),
        ({"epochs": 9, "patience": 1, "learning_rate": 1e-12}, [3, 4]),  # stopped early
    ],
)
def test_recording_changes_nothing_of_a_training(folder, tokenizer, recipe, steps):
    import torch

    plain, expected, trained = fit(folder, tokenizer, False, **recipe)
    found, record, encoder = fit(folder, tokenizer, True, **recipe)
    assert [*map(int, found["recorded"])] == steps and found.keys() == {"recorded"}
    assert plain.keys() == {"encoder", "head"}
    for key in ("history", "steps", "best", "drawn", "tokens"):
        assert record[key] == expected[key], key
    ours = encoder.state_dict()
    assert all(torch.equal(v, ours[k]) for k, v in trained.state_dict().items())


def run(node, folder, out, **changes):
    recipe = recipe_of(epochs=3, dropout=0.1, eval_every=4)
    return node.run(folder, out, **RECORD, **{"recipe": recipe} | changes)


def read(out):
    return pq.read_table(f"{out}.parquet").to_pylist(), read_json(f"{out}.json")


def test_the_files_of_a_recorded_training(folder, node, tmp_path):
    rows, record = read(run(node, folder, tmp_path / "seed1"))
    assert [row["id"] for row in rows] == [str(i) for i in range(48)]
    assert [row["label"] for row in rows] == [r["label"] for r in classification_rows(48, 1)]
    assert all(len(row["probability"]) == len(row["rank"]) == 3 for row in rows)
    assert record["recorded_at"] == [3, 6, 9] and record["kind"] == "difficulty"
    assert record["means"].keys() == set(RECORDED)
    assert record["means"]["loss"] == pytest.approx(np.mean([row["loss"] for row in rows]))
    assert record["rows"] == {"train": 48, "dev": 8} and "weights" not in record
    assert not list(tmp_path.glob("seed1/*")), "no weights stay"
    # What a killed Snakemake deletes is there again without a training.
    (tmp_path / "seed1.parquet").unlink()
    run(node, folder, tmp_path / "seed1")
    assert read(tmp_path / "seed1") == (rows, record)


@pytest.mark.parametrize("what", [crash, terminate])
def test_a_recording_that_is_killed_ends_in_the_same_bytes(folder, node, tmp_path, interrupt, what):
    """Within the first epoch, after the pass of the first, and of the second."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = run(node, folder, tmp_path / "a/seed1")
    interrupt([1, 4, 7], what)
    out = tmp_path / "b/seed1"
    messages = attempts(lambda: run(node, folder, out, save_every=0))
    assert len(messages) == 3
    bytes_of = [path.with_suffix(".parquet").read_bytes() for path in (whole, out)]
    assert bytes_of[0] == bytes_of[1]
    assert read(out)[1]["attempts"] == 4


def test_every_stream_of_a_recording_that_collapses_has_its_own(folder, node, tmp_path, interrupt):
    """The taken one is written, killed in the second or not."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    more = {"on_collapse": "retry", "recipe": recipe_of(max_steps=3, dropout=0.1, eval_every=3)}
    more["recipe"]["learning_rate"] = 1e-12
    whole = run(node, folder, tmp_path / "a/seed1", **more)
    record = read(whole)[1]
    assert len(record["streams"]) == 3 and record["recorded_at"] == [3]
    out, calls = tmp_path / "b/seed1", []

    def second():
        calls.append(1)
        crash()

    interrupt([1], second)
    attempts(lambda: run(node, folder, out, save_every=0, **more))
    assert calls and read(out)[0] == read(whole)[0]
    assert read(out)[1]["stream"] == record["stream"]


@pytest.mark.slow
def test_two_ranks_record_as_one_process(folder, node, tmp_path, two):
    def call(out):
        return run(node, folder, out, recipe=recipe_of(epochs=2, dropout=0.0, eval_every=4))

    output = ended(two(call, tmp_path / "two", budget=60))
    assert output.count("best dev at step") == 1, "one of them speaks"
    (ours, record), (theirs, _) = read(call(tmp_path / "one")), read(tmp_path / "two")
    assert record["recorded_at"] == [3, 6]
    for one, other in zip(ours, theirs, strict=True):
        assert one["id"] == other["id"] and one["label"] == other["label"]
        assert one["probability"] == pytest.approx(other["probability"], abs=1e-4)


def test_an_adapter_is_recorded_as_all_weights_are(folder, node, tmp_path):
    adapter = {"rank": 4, "alpha": 8, "dropout": 0.0, "on": "all-linear"}
    rows, record = read(run(node, folder, tmp_path / "seed1", adapter=adapter))
    assert len(rows) == 48 and record["recorded_at"] == [3, 6, 9] and "adapter" not in record
    assert len({row["confidence"] for row in rows}) > 40


def test_pvi_is_of_a_second_training_on_empty_inputs(folder, node, tmp_path):
    recipe = recipe_of(epochs=3, eval_every=1000, dropout=0.0)
    recipe["learning_rate"] = 5e-3
    out = node.run(folder, tmp_path / "seed1", **RECORD, recipe=recipe)
    more = {**RECORD, "empty": "a digest", "recipe": recipe}
    node.run(folder, tmp_path / "seed1.pvi", beside=f"{out}.parquet", **more)
    measured, _ = read(out)
    rows, record = read(tmp_path / "seed1.pvi")
    assert [row.keys() for row in rows[:1]] == [{"id", "pvi"}]
    assert record["means"] == {"pvi": pytest.approx(np.mean([row["pvi"] for row in rows]))}
    assert "collapsed" not in record, "guessing is all that it can learn"
    # Without its text a row has the probability of its label alone, the same for all of a label.
    empty = {}
    for row, one in zip(measured, rows, strict=True):
        alone = np.log2(row["probability"][-1]) - one["pvi"]
        empty.setdefault(row["label"], []).append(alone)
    assert len(empty) == 3
    for values in empty.values():
        assert values == pytest.approx([values[0]] * len(values), abs=1e-4)
    assert sum(2 ** values[0] for values in empty.values()) == pytest.approx(1, abs=1e-4)
    # Another recording beside it is another result.
    state = f"{tmp_path}/other.state"
    before = read_json(f"{tmp_path}/seed1.pvi.json")["fingerprint"]
    other = node.run(folder, tmp_path / "seed2", seed=2, **RECORD, recipe=recipe)
    node.run(folder, tmp_path / "seed3.pvi", state, beside=f"{other}.parquet", **more)
    assert read_json(f"{tmp_path}/seed3.pvi.json")["fingerprint"] != before


def test_empty_rows_are_encoded_as_the_others(folder, tokenizer):
    rows = classification_rows(5, 1)
    data = helpers.encode(tokenizer, "classification", rows, TOYS["classification"][1])
    task = make_task("classification", None, data, data, rows)
    found = dynamics.emptied(task, rows, load_tokenizer(folder / "tokenizer.json"))
    for own in (found.train["en"], found.dev):
        assert set(helpers.shown(own)) == {"<s> </s> </s> </s>"}
        assert own.arrays["labels"].tolist() == data.arrays["labels"].tolist()
        assert own.meta == data.meta

"""The sample of a training: nested, another for each seed, of rows and not of windows."""
# ruff: noqa: F811 (fixtures of another module are imported)

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import helpers
from tests.training.test_loop import (  # noqa: F401
    Node,
    folder,
    mixed,
    node,
    span_rows,
    text_rows,
    tokenizer,
)
from tests.training.test_resume import (  # noqa: F401
    attempts,
    crash,
    handlers,
    interrupt,
    recipe_of,
    same,
    terminate,
)

from xstilts.encoding import encoded
from xstilts.formats import heads, regression
from xstilts.running.errors import UserError
from xstilts.running.files import digest, read_json
from xstilts.training import mixture, sample
from xstilts.training.tasks import TrainingTask


def rows(sizes, count, seed=1, task="mnli"):
    found = sample.lowest(sizes, count, seed, task)
    return {lang: chosen.tolist() for lang, chosen in found.items()}


def test_the_numbers_of_rows_stay_what_they_are_whatever_numpy():
    """Philox4x64-10 from counter 1 on, its key the first 16 bytes of SHA-256 of `sample 1 mnli en`.

    Random123's own test vector says that it is that algorithm: numpy raises the counter first.
    """
    ones = np.random.Philox(key=2**128 - 1, counter=2**256 - 1 - 1).random_raw(4)
    assert [f"{n:016x}" for n in ones] == VECTOR
    assert sample.numbers(1, "mnli", "en", 5).tolist() == NUMBERS
    assert rows({"en": 5}, 2) == {"en": sorted(np.argsort(NUMBERS)[:2].tolist())}


VECTOR = [
    "87b092c3013fe90b",
    "438c3c67be8d0224",
    "9cc7d7c69cd777b6",
    "a09caebf594f0ba0",
]  # of Random123's kat_vectors: philox4x64 10, counter and key of ones
NUMBERS = [
    18038497394164761233, 1245544075216402919, 5025370411108578098, 14863165936072044345,
    17954022171371306107,
]  # fmt: skip


@given(
    st.dictionaries(st.sampled_from(["de", "en", "ru"]), st.integers(0, 40), min_size=1),
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(1, 150), min_size=2, max_size=4),
)
def test_a_sample_has_the_size_and_a_smaller_one_is_part_of_it(sizes, seed, counts):
    before: set = set()
    for count in sorted(counts):
        found = rows(sizes, count, seed)
        assert found.keys() == sizes.keys()
        drawn = {(lang, row) for lang, chosen in found.items() for row in chosen}
        assert len(drawn) == min(count, sum(sizes.values())) and drawn >= before
        assert all(chosen == sorted(chosen) for chosen in found.values())
        assert all(row in range(sizes[lang]) for lang, row in drawn)
        before = drawn


def test_another_seed_or_task_draws_others_and_every_row_as_often():
    sizes = {"de": 50, "en": 150}
    one, other, task = rows(sizes, 40), rows(sizes, 40, seed=2), rows(sizes, 40, task="snli")
    assert len({str(found) for found in (one, other, task)}) == 3
    drawn = np.zeros(50)
    for seed in range(400):
        drawn[rows(sizes, 40, seed)["de"]] += 1
    # Each row is drawn with probability 0.2: 80 of 400 times, with a deviation of 8.
    assert drawn.mean() == pytest.approx(80, abs=4) and np.abs(drawn - 80).max() < 4.5 * 8


def test_the_rows_of_a_longer_file_keep_their_order():
    short, long = (sample.numbers(3, "mnli", "en", n).tolist() for n in (10, 25))
    assert long[:10] == short


def draw(data, spec, seed=1):
    paths = {lang: f"{lang}.safetensors" for lang in data}
    return sample.draw(data, paths, {"task": "squad", **spec}, seed, "x")


def test_windows_of_a_row_are_drawn_together(tokenizer, tmp_path):
    whole = helpers.encode(tokenizer, "span", span_rows(30, 1), length=24)
    of_row = whole.arrays["row"]
    assert len(whole) > 35, "of several windows a row"
    found = draw({"en": whole}, {"rows": 7})["en"]
    assert found.rows == len(found.sample) == 7
    assert sorted(set(of_row[found.chosen])) == found.sample.tolist()
    assert len(found.chosen) == np.isin(of_row, found.sample).sum() > 7
    # What is on the disk gives the same, and nothing of it is in memory until it is read.
    path = helpers.write_encoded(tmp_path / "en.safetensors", whole)
    mapped = encoded.load(path, whole=False)
    assert mapped.meta == whole.meta and mapped.arrays.keys() == whole.arrays.keys()
    for name, array in mapped.arrays.items():
        assert not array.flags.owndata and array.dtype == whole.arrays[name].dtype
        assert (array == whole.arrays[name]).all()
    again = draw({"en": mapped}, {"rows": 7})["en"]
    assert again.chosen.tolist() == found.chosen.tolist()


def test_stretches_of_a_text_are_drawn_together_and_a_file_that_does_not_tell_is_named(tokenizer):
    whole = helpers.encode(tokenizer, "mlm", text_rows(20, 1), length=8)
    assert len(whole) > 20
    found = draw({"de": whole}, {"rows": 3})["de"]
    assert len(set(whole.arrays["row"][found.chosen])) == 3
    old = dataclasses.replace(whole, arrays={k: v for k, v in whole.arrays.items() if k != "row"})
    with pytest.raises(UserError) as error:
        draw({"de": old}, {"rows": 3})
    assert str(error.value) == (
        "de.safetensors: does not say of which rows its examples are; delete it to have it made"
        " anew"
    )


def test_more_rows_than_there_are_are_refused_or_all_of_them(tokenizer):
    data = {"en": helpers.encode(tokenizer, "span", span_rows(4, 1))}
    with pytest.raises(UserError) as error:
        draw(data, {"rows": 5})
    assert str(error.value) == (
        "intermediates: x: rows: 5, but squad has 4 train rows; ask for fewer or leave out rows"
    )
    found = draw(data, {"rows_at_most": 5})["en"]
    assert found.sample.tolist() == [0, 1, 2, 3] and len(found.chosen) == len(data["en"])


def test_a_mixture_sees_the_sample(tokenizer):
    """Shares, epochs and batches are those of the rows that are drawn."""
    big = helpers.encode(tokenizer, "span", span_rows(60, 1))
    small = helpers.encode(tokenizer, "span", span_rows(20, 2))
    assert (len(big), len(small)) == (60, 20)
    data = [draw({"en": one}, {"rows": 10}) for one in (big, small)]
    tasks = [
        TrainingTask(name, "span", 4, (), train)
        for name, train in zip(("a", "b"), data, strict=True)
    ]
    streams = mixture.make_streams(tasks, None, 1)
    assert [stream.share for stream in streams] == [0.5, 0.5]
    drawn = [streams[0].batch(number) for number in range(3)]
    for batch in drawn:
        streams[0].count(len(batch), 0)
    assert sorted(map(len, drawn)) == [2, 4, 4]
    assert sorted(np.concatenate(drawn)) == tasks[0].train["en"].chosen.tolist()
    record = mixture.record(streams)["a"]["en"]
    assert (record["available"], record["rows"], record["examples"]) == (10, 10, 10)


def test_a_regression_is_scaled_by_the_rows_that_are_drawn(tokenizer, monkeypatch):
    lines = [{"id": str(i), "text": "cat", "text_pair": "", "label": float(i)} for i in range(9)]
    data = helpers.encode(tokenizer, "regression", lines)
    found = draw({"en": data}, {"rows": 3})["en"]
    monkeypatch.setattr(heads, "NumberHead", lambda config, *scale: scale)
    scale = regression.head(SimpleNamespace(config=None), [], [found])
    assert scale == pytest.approx((found.sample.mean(), found.sample.std()))


def test_a_training_is_on_the_rows_that_are_drawn_and_says_how_many(folder, node, tmp_path):
    out = node.run(folder, tmp_path / "out", rows=20, recipe=node.spec["recipe"] | {"epochs": 2})
    record = read_json(out / "node.json")
    assert record["rows"] == {"train": 20, "dev": 8} and record["examples"] == 20
    assert record["steps"] == 4  # of 20 rows in batches of 16
    drawn = record["drawn"]["toy classification"]["en"]
    assert (drawn["available"], drawn["rows"], drawn["examples"]) == (20, 20, 40)
    assert record["rows_cut"].keys() == {"dev"}


def test_too_many_rows_are_one_line_with_the_name_of_the_intermediate(folder, node, tmp_path):
    with pytest.raises(UserError) as error:
        node.run(folder, tmp_path / "encoders/m/dose/seed1", rows=49)
    assert str(error.value) == (
        "intermediates: dose: rows: 49, but toy classification has 48 train rows; ask for fewer or"
        " leave out rows"
    )
    node.run(folder, tmp_path / "encoders/m/dose/seed1", rows_at_most=49)


def test_all_rows_and_a_sample_of_all_rows_are_the_same_training(folder, node, tmp_path):
    whole, sampled = node.run(folder, tmp_path / "a"), node.run(folder, tmp_path / "b", rows=48)
    for name in ("model.safetensors", "head.safetensors"):
        assert (whole / name).read_bytes() == (sampled / name).read_bytes()


@pytest.mark.parametrize("steps", [1, 7, 11])
def test_steps_are_exact_whatever_the_rows_and_nothing_ends_them_earlier(
    folder, node, tmp_path, steps
):
    """An epoch of 48 rows in batches of 16 is three steps."""
    recipe = {k: v for k, v in node.spec["recipe"].items() if k not in ("epochs", "patience")}
    recipe |= {"eval_every": 1, "learning_rate": 1e-9}  # so that no evaluation is better
    out = node.run(folder, tmp_path / "out", recipe=recipe, steps=steps)
    record = read_json(out / "node.json")
    assert record["steps"] == len(record["history"]) == steps
    impatient = {**recipe, "patience": 2, "epochs": 9}
    stopped = read_json(node.run(folder, tmp_path / "e", recipe=impatient) / "node.json")
    assert stopped["steps"] < 27, "which without `steps` is ended early"


def test_max_steps_bounds_steps(folder, node, tmp_path):
    recipe = node.spec["recipe"] | {"max_steps": 4}
    out = node.run(folder, tmp_path / "out", recipe=recipe, steps=100)
    assert read_json(out / "node.json")["steps"] == 4


def test_the_digest_of_a_file_that_is_mapped_is_checked_too(folder, node, tmp_path):
    with pytest.raises(UserError, match=r"train\.safetensors: "):
        node.run(folder, tmp_path / "out", rows=20, train=digest("other"))


@pytest.mark.parametrize("what", [crash, terminate])
def test_a_sample_for_a_number_of_steps_resumes_with_the_same_bytes(
    folder, mixed, tmp_path, interrupt, what
):
    """Of a mixture, over several epochs of the sample of each task; killed inside of them."""
    plain = mixed(folder, tmp_path / "plain", recipe=recipe_of(max_steps=1))
    tasks = read_json(plain / "node.json")["spec"]["tasks"]
    tasks = [{**tasks[0], "rows": 20}, {**tasks[1], "rows_at_most": 10**6}]
    recipe = {k: v for k, v in recipe_of(eval_every=7).items() if k not in ("epochs", "patience")}
    more = {"tasks": tasks, "steps": 30, "recipe": recipe}
    whole = mixed(folder, tmp_path / "whole", **more)
    interrupt([2, 11, 26], what)
    out = tmp_path / "out"
    attempts(lambda: mixed(folder, out, save_every=0 if what is crash else 600, **more))
    record = same(whole, out)
    drawn = record["drawn"]
    assert record["steps"] == 30 and record["attempts"] == 4
    assert drawn["toy classification"]["en"]["rows"] == 20
    assert drawn["toy classification"]["en"]["examples"] > 40, "several epochs of them"
    assert {lang: of["rows"] for lang, of in drawn["text"].items()} == {"de": 30, "en": 50}
    assert record["rows"]["train"] == 20 + 30 + 50

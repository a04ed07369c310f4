"""Cost: which trainings count, what is added up, what sharing has saved."""

import pytest
from tests.analysis.test_tables import as_rows

from xstilts.analysis import cost
from xstilts.running.files import digest, write_json

GPU = dict(device="H100", peak_memory=2e9)
MODEL = {"kind": "model"}
STAGE_1 = {"parent": digest(MODEL), "task": "mnli"}
TUNED = {"parent": digest(STAGE_1), "task": "squad"}
HISTORY = [
    {"step": 10, "loss": 2.0, "dev": {}, "score": 0.5},
    {"step": 20, "loss": 1.0, "dev": {}, "score": 0.75},
]


def record(spec, seconds, **more):
    figures = dict(seconds=seconds, tokens=3600.0, tokens_per_second=1.0, **GPU)
    return {"spec": spec, **figures, "best": HISTORY[1], "history": HISTORY, **more}


def score(target, model, **more):
    cell = dict(model="m", intermediate="mnli", seed="seed1", target=target, language="de")
    figures = dict(seconds=1800.0, tokens_per_second=2.0, **GPU)
    return {**cell, "spec": {"model": digest(model)}, **figures, **more}


@pytest.fixture
def records(tmp_path):
    write_json(tmp_path / "encoders/m/mnli/seed1/node.json", record(STAGE_1, 7200.0))
    write_json(tmp_path / "tuned/m/mnli/seed1/squad/node.json", record(TUNED, 3600.0))
    # The same training as stage 1, elsewhere; and one that no score comes from.
    write_json(tmp_path / "tuned/m/none/seed1/mnli/node.json", record(STAGE_1, 9e9))
    write_json(tmp_path / "tuned/m/mnli/seed9/squad/node.json", record(TUNED, 9e9))
    found, refused = cost.training_records(tmp_path)
    assert len(found) == 4 and not refused
    return found


SCORES = {
    "1": score("xquad", TUNED),
    "2": score("xquad", TUNED, language="en"),
    "3": score("mlqa", TUNED),
    "4": score("tatoeba", STAGE_1),
}


def test_a_score_names_the_trainings_it_comes_from(records):
    row = ("m", "mnli", "seed1")
    assert cost.ancestry(SCORES["1"], records) == [(*row, digest(TUNED)), (*row, digest(STAGE_1))]
    assert cost.ancestry(SCORES["4"], records) == [(*row, digest(STAGE_1))]
    assert cost.ancestry(score("xquad", {"kind": "other"}), records) == []


def test_of_a_chain_every_training_counts(tmp_path):
    second = {"parent": digest(STAGE_1), "task": "qqp", "after": "mnli"}
    tuned = {"parent": digest(second), "task": "squad"}
    write_json(tmp_path / "encoders/m/mnli/seed1/node.json", record(STAGE_1, 7200.0))
    write_json(tmp_path / "encoders/m/chain/seed1/node.json", record(second, 7200.0))
    write_json(tmp_path / "tuned/m/chain/seed1/squad/node.json", record(tuned, 7200.0))
    found, _ = cost.training_records(tmp_path)
    chain = score("xquad", tuned) | {"intermediate": "chain"}
    assert cost.ancestry(chain, found) == [
        ("m", "chain", "seed1", digest(tuned)),
        ("m", "chain", "seed1", digest(second)),
        ("m", "mnli", "seed1", digest(STAGE_1)),
    ]


def test_the_cost_in_full(records):
    """Three cells: alone each would need stage 1, two of them the tuning."""
    found = cost.table(SCORES, records)
    assert list(found) == cost.COLUMNS
    assert as_rows(found) == [
        ["intermediate", "H100", 1, 2.0, None, 0.5, 2.0, 6.0, 4.0],
        ["tune", "H100", 1, 1.0, None, 1.0, 2.0, 2.0, 1.0],
        ["evaluate", "H100", 4, 2.0, None, 2.0, 2.0, 2.0, 0.0],
    ]
    shown = cost.text_table(found)
    assert shown.notes == ["5.000 device hours in all; 5.000 saved, because cells share trainings."]
    assert "energy kWh" not in shown.columns, "not known of any"
    assert [cell.text for cell in shown.rows[0][1]] == [
        "1", "2.000", "1", "2.00", "6.000", "4.000"
    ]  # fmt: skip


def test_energy_is_added_up_where_all_records_have_it(records):
    with_energy = {name: {**score, "energy_joules": 3.6e6} for name, score in SCORES.items()}
    found = cost.table(with_energy, records)
    assert found["energy kWh"].tolist()[2] == 4.0
    assert found["energy kWh"].isna().tolist() == [True, True, False]


def test_a_training_on_several_devices_counts_each(records):
    several = {name: {**found, "ranks": 4} for name, found in records.items()}
    assert cost.table(SCORES, several)["hours"].tolist() == [8.0, 4.0, 2.0]


def test_without_the_records_of_trainings_evaluation_is_left():
    found = cost.table(SCORES, {})
    assert found["kind"].tolist() == ["evaluate"]
    assert (
        cost.text_table(found).notes[-1]
        == "The records of the trainings (node.json) are not there."
    )
    assert cost.table({}, {}).empty and not cost.text_table(cost.table({}, {})).rows


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_a_damaged_record_is_refused_by_name(tmp_path, content):
    path = tmp_path / "tuned/m/none/seed1/squad/node.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    found, [line] = cost.training_records(tmp_path)
    assert not found and line.startswith(f"{path}: ")


def test_curves_have_a_row_per_evaluation_on_dev(records):
    found = cost.curves(SCORES, records)
    assert list(found) == cost.CURVE_COLUMNS
    row = ["m", "mnli", "seed1"]
    assert as_rows(found) == [
        ["tune", *row, "squad", 10, 2.0, 50.0, False],
        ["tune", *row, "squad", 20, 1.0, 75.0, True],
        ["intermediate", *row, "", 10, 2.0, 50.0, False],
        ["intermediate", *row, "", 20, 1.0, 75.0, True],
    ]
    assert cost.curves(SCORES, {}).empty

"""The best intermediate task of each target by dev, on test, and as a submission."""

import csv
import json

import pytest
from tests.workflow.running import OWN, tiny

CONFIG = {
    "targets": ["xnli", "xquad", "bucc", "tatoeba"],
    "languages": ["de"],
    "test": True,
    "questions": {"gain": {"where": {"target": "tatoeba"}}},
}


@pytest.fixture(scope="module")
def tested(finished, tmp_path_factory):
    """The finished experiment with other targets, and with the test set."""
    experiment = finished.copy(tmp_path_factory.mktemp("tested") / "results")
    experiment.write(tiny(**CONFIG))
    experiment.snakemake().ok()
    return experiment


def test_only_what_was_chosen_is_scored_on_test(tested):
    with open(tested.path(f"{OWN}/tables/selection.csv"), newline="") as file:
        chosen = list(csv.DictReader(file))
    assert [row["target"] for row in chosen] == CONFIG["targets"]
    assert {row["intermediate"] for row in chosen} == {"mnli"}
    scores = [p for p in tested.path("test").rglob("*.json") if p.name != "cell.json"]
    assert sorted(path.relative_to(tested.path("test")).as_posix() for path in scores) == [
        "xlmr/mnli/seed1/bucc/de.json",
        "xlmr/mnli/seed1/xnli/de.json",
        "xlmr/none/noseed/bucc/de.json",
        "xlmr/none/seed1/xnli/de.json",
    ]
    assert tested.snakemake().nothing


def test_the_test_table_has_a_row_for_the_best(tested):
    with open(tested.path(f"{OWN}/tables/test/main.csv"), newline="") as file:
        rows = {row["intermediate"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["none", "best"]
    score = json.loads(tested.read("test/xlmr/mnli/seed1/xnli/de.json"))
    assert float(rows["best"]["xnli"]) == pytest.approx(100 * score["score"], abs=1e-3)
    assert score["spec"]["encoded"] != json.loads(
        tested.read("scores/xlmr/mnli/seed1/xnli/de.json")
    )["spec"]["encoded"]  # fmt: skip


def test_questions_are_asked_of_dev_alone(tested):
    """On test there are the best rows alone, chosen by the same scores."""
    found = [p.relative_to(tested.path(OWN)) for p in tested.path(OWN).rglob("gain.*")]
    assert {str(path.parent) for path in found} == {"tables/questions", "figures/questions"}
    said = json.loads(tested.read(f"{OWN}/tables/questions/gain.json"))["sentence"]
    assert said.endswith("With fewer than three seeds the noise of training is not in this.")


def test_mining_on_test_has_the_threshold_of_dev(tested):
    dev, test = (
        json.loads(tested.read(f"{folder}/xlmr/mnli/seed1/bucc/de.json"))
        for folder in ("scores", "test")
    )
    assert dev["threshold"] == test["threshold"] > 0
    assert (dev["n"], test["spec"]["dev"]) == (test["n"], dev["spec"]["encoded"])


def test_the_submission_passes_the_validator_and_a_damaged_one_does_not(tested):
    folder = tested.path(f"{OWN}/submission/xlmr")
    assert "xnli/test-ar.tsv: is missing" in tested.read(f"{OWN}/submission/xlmr.txt")
    check = ("--data", tested.path("data"), "--check", folder)
    tested.step("submission", *check, "--rehearsal").ok()
    tested.step("submission", *check).failed("thing(s) wrong, the first: pawsx: there is no such")
    file = folder / "xnli/test-de.tsv"
    whole = file.read_text()
    file.write_text("".join(whole.splitlines(keepends=True)[1:]))
    tested.step("submission", *check, "--rehearsal").failed("xnli/test-de.tsv: has 11 lines")
    file.write_text(whole)

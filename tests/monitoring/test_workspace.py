"""A workspace: what follows from config files, or from a config as JSON."""

import json

import pytest
import yaml
from tests import results

from xstilts.monitoring.workspace import Workspace
from xstilts.running.errors import UserError
from xstilts.steps import status

XNLI = "datasets/facebook/xnli"


def write_lock(path, revision):
    entry = {"requested": "main", "source": "hub", "revision": revision}
    path.write_text(yaml.safe_dump({"datasets": {"facebook/xnli": entry}}))


def test_a_config_file_has_its_name_and_the_lock_beside_it(tmp_path):
    path, over = tmp_path / "my.yaml", tmp_path / "over.yaml"
    path.write_text(yaml.safe_dump(results.CONFIG))
    over.write_text(yaml.safe_dump({"seeds": [1]}))
    here = Workspace.of([str(path), str(over)], directory=tmp_path)
    assert (here.name, here.root) == ("my+over", tmp_path)
    assert here.records.pins.lock == str(tmp_path / "over.lock")
    assert here.grid.experiment.settings["seeds"] == [1]
    assert Workspace.of([str(path)], "mine", "other.lock").name == "mine"
    assert Workspace.of([str(path)], "mine", "other.lock").records.pins.lock == "other.lock"


def test_a_config_as_text_has_no_lock_of_its_own():
    here = Workspace.of([json.dumps(results.CONFIG | {"name": "e"})])
    assert (here.name, here.records.pins.lock) == ("e", "")
    toy = {"source": "toy", "targets": ["xnli"]}
    assert Workspace.of([json.dumps(results.CONFIG | toy)], "e", "e.lock").records.pins.lock == ""


def test_what_is_pinned_in_the_folder_counts_where_the_lock_says_nothing(tmp_path):
    results.write(tmp_path)
    write_lock(tmp_path / "e.lock", "r1")
    given = [json.dumps(results.CONFIG)], "e", str(tmp_path / "e.lock"), tmp_path
    pins = Workspace.of(*given).records.pins
    assert (pins.locked, len(pins.adopted)) == ({XNLI: "r1"}, 3)
    assert pins.adopted.keys() == {"datasets/nyu-mll/glue", "datasets/google/xtreme", "models/o/m"}


def test_the_rows_are_those_of_the_grid(tmp_path):
    lines, _ = results.write(tmp_path)
    here = Workspace.of([json.dumps(results.CONFIG)], "e", directory=tmp_path)
    names = ["model", "intermediate", "seed", "target", "language", "split", "score", "spec"]
    wanted = [{name: line[name] for name in names} for line in lines]
    assert here.grid_rows()[names].to_dict("records") == wanted


def test_the_state_in_full(tmp_path, capsys):
    """One cell lacks a language, one was made from another version of its data."""
    results.write(tmp_path, seeds=[1])
    write_lock(tmp_path / "e.lock", "r1")

    def said():
        given = [json.dumps(results.CONFIG | {"seeds": [1]}), "--name", "e"]
        folder = ["--lock", str(tmp_path / "e.lock"), "--directory", str(tmp_path)]
        status.main(status.parser().parse_args([*given, *folder]))
        return capsys.readouterr().out.splitlines()

    done = [
        "model  intermediate  xnli  tatoeba",
        "m      none          done  done",
        "m      mnli          done  done",
        "",
        "4 cells: 4 done",
        "",
        "next run: no score is to be computed",
    ]
    assert said() == done
    score = tmp_path / "results/scores/m/mnli/seed1/xnli/de.json"
    before = score.read_text()
    pins = json.loads(before)["pins"]
    results.change(score, pins=pins | {XNLI: "r0"})
    found = said()
    assert found[1:5] == [
        "m      none          done   done",
        "m      mnli          stale  done",
        "",
        "4 cells: 3 done, 1 stale",
    ]
    assert f"made from another version of {XNLI} than" in found[7]
    assert found[-1] == "next run: 1 evaluate"
    score.unlink()
    found = said()
    assert found[2] == "m      mnli          partial 1/2  done"
    assert found[-1] == "next run: 1 evaluate"
    score.write_text(before)
    assert said() == done


def test_a_config_that_is_wrong_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"gone\.yaml: there is no such config file"):
        Workspace.of([str(tmp_path / "gone.yaml")])


def test_data_of_ones_own_is_that_of_the_test_split_too(tmp_path):
    mine = {
        "format": "classification", "languages": ["en"], "base": str(tmp_path),
        "files": {"train": "train.csv", "dev": "dev.csv", "test": "test.csv"},
    }  # fmt: skip
    asked = {**results.CONFIG, "targets": ["mine"], "languages": "all", "test": True}
    here = Workspace.of([json.dumps({**asked, "tasks": {"mine": mine}})], "e")
    assert here.own_data() == {
        f"files/mine/en.{split}": (str(tmp_path), (f"{split}.csv",))
        for split in ("train", "dev", "test")
    }


def test_text_that_is_no_json_is_one_line():
    with pytest.raises(
        UserError, match=r"^the config that is given as text is not JSON: "
    ) as error:
        Workspace.of(['{"targets": [}'])
    assert str(error.value).endswith("line 1 column 14 (char 13)")

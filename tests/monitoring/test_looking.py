"""What is wrong with files of one's own is found before anything runs, of all tasks together."""

import json

import pytest
import torch
from safetensors.torch import save_file
from tests import helpers
from tests.hub import mirror

from xstilts.data import pin
from xstilts.experiment import graph
from xstilts.experiment.config import load
from xstilts.experiment.grid import Grid
from xstilts.experiment.nodes import PINS
from xstilts.monitoring import looking
from xstilts.monitoring.records import TO_PIN, Pins, Records

TRAIN = "text,label\na good film,pos\na bad film,neg\n"
SPLITS = ("train", "dev")
DEV = "text,label\nein guter Film,pos\n"


@pytest.fixture
def folder(tmp_path):
    for path, text in (("en/train.csv", TRAIN), ("en/dev.csv", DEV), ("de/dev.csv", DEV)):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def found(folder, over=(), **task):
    entry = {
        "format": "classification",
        "languages": ["en", "de"],
        "base": str(folder),
        "files": {"train": "en/train.csv", "dev": "{lang}/dev.csv"},
        **task,
    }
    grid = Grid(
        load(
            {
                "source": "toy",
                "models": {"m": {"from": "o/m"}},
                "intermediates": {},
                "targets": ["mine"],
                "tasks": {"mine": entry},
                **dict(over),
            }
        )
    )
    nodes, pins = graph.build(grid), Pins(str(folder / "my.lock"), folder)
    for node in nodes.values():
        if node.rule in PINS:
            pins.adopt(node)
    return looking.look(grid, nodes, Records(nodes, pins, folder)), pins


def test_what_is_right_is_not_spoken_of(folder):
    look, pins = found(folder)
    assert (look.problems.lines, look.notes) == ([], [])
    assert pins.wanted("datasets/files/mine/de.dev") == TO_PIN
    assert sorted(p.name for p in folder.iterdir()) == ["de", "en"], "a look changes nothing"


def test_a_language_without_a_file_is_left_out_alone(folder):
    (folder / "de/dev.csv").unlink()
    look, pins = found(folder)
    assert look.problems.lines == []
    assert look.notes == [
        f"task mine (de): de/dev.csv: there is no such file in {folder}; de is left out"
    ]
    assert pins.wanted("datasets/files/mine/de.dev") == pin.ABSENT


def test_all_mistakes_are_found_together(folder):
    (folder / "en/train.csv").write_text("body,title,label\na,b,pos\nc,d,neg\n")
    (folder / "de/dev.csv").write_text("text,label\nein Film,positiv\n")
    (folder / "en/dev.csv").write_bytes("text,label\nein schöner Film,pos\n".encode("latin-1"))
    lines = found(folder)[0].problems.lines
    assert len(lines) == 2
    assert "en/train.csv: which column is" in lines[0] and "body, title" in lines[0]
    assert "en/dev.csv" in lines[1] and "encoding: latin-1" in lines[1]


def test_a_label_that_the_train_rows_lack_is_named(folder):
    (folder / "de/dev.csv").write_text("text,label\nein Film,poss\n")
    assert found(folder)[0].problems.lines == [
        "task mine (de): de/dev.csv: label `poss` is none of those of the train rows: neg, pos; did"
        " you mean `pos`?"
    ]


def test_train_rows_must_be_there(folder):
    (folder / "en/train.csv").unlink()
    assert found(folder)[0].problems.lines == [
        f"task mine (en): en/train.csv: there is no such file in {folder}; a training needs it"
    ]


def test_a_file_that_was_edited_is_noticed_by_its_content(folder):
    own = {
        f"files/mine/{key}": (str(folder), [path])
        for key, path in (
            ("en.train", "en/train.csv"),
            ("en.dev", "en/dev.csv"),
            ("de.dev", "de/dev.csv"),
        )
    }
    lock = folder / "my.lock"
    assert pin.update(lock, (), own=own) == dict.fromkeys(own, True)
    (folder / "de/dev.csv").touch()
    assert found(folder)[0].problems.lines == []
    (folder / "de/dev.csv").write_text(DEV + "ein schlechter Film,neg\n")
    assert found(folder)[0].problems.lines == [
        f"de/dev.csv has changed in {folder} since {lock} was written; to use what is there now:"
        f" xstilts pin {folder / 'my.yaml'} mine"
    ]
    assert pin.update(lock, ["mine"], own=own) == {
        "files/mine/en.train": False,
        "files/mine/en.dev": False,
        "files/mine/de.dev": True,
    }
    assert found(folder)[0].problems.lines == []


def pinned(folder, lock="my.lock"):
    own = {
        f"files/mine/{key}": (str(folder), [path])
        for key, path in {
            "en.train": "en/train.csv", "en.dev": "en/dev.csv", "de.dev": "de/dev.csv",
        }.items()
    }  # fmt: skip
    pin.update(folder / lock, (), own=own)
    return own


def test_a_file_that_was_pinned_and_is_gone_is_no_language_that_is_left_out(folder):
    own = pinned(folder)
    (folder / "de/dev.csv").unlink()
    assert found(folder)[0].problems.lines == [
        f"task mine (de): de/dev.csv: there is no such file in {folder}, which {folder / 'my.lock'}"
        f" has; to use what is there now: xstilts pin {folder / 'my.yaml'} mine"
    ]
    assert pin.update(folder / "my.lock", ["mine"], own=own)["files/mine/de.dev"] is True
    look, _ = found(folder)
    assert look.problems.lines == [] and "de is left out" in look.notes[0]


def test_a_part_of_a_set_that_is_not_there_is_no_smaller_set(folder):
    files = {"train": ["en/train.csv", "en/more.csv"], "dev": "{lang}/dev.csv"}
    assert found(folder, files=files)[0].problems.lines == [
        f"task mine (en): en/more.csv: there is no such file in {folder}; a training needs it"
    ]


def test_test_files_are_looked_at_before_all_is_trained(folder):
    over = {"test": True, "intermediates": {"mnli": {"tasks": ["mnli"]}}}
    files = {"train": "en/train.csv", "dev": "{lang}/dev.csv", "test": "{lang}/test.csv"}
    (folder / "en/test.csv").write_text("foo,bar\n1,2\n")
    lines = found(folder, over, files=files)[0].problems.lines
    assert len(lines) == 1 and "en/test.csv: which column is the text" in lines[0]


def test_a_target_without_rows_in_any_language_is_a_mistake(folder):
    (folder / "en/dev.csv").unlink()
    (folder / "de/dev.csv").unlink()
    files = {"dev": "{lang}/dev.csv"}
    labels = ["entailment", "neutral", "contradiction"]
    look, _ = found(folder, files=files, tuned_on="mnli", labels=labels)
    assert look.problems.lines == ["task mine: there are no rows in any language"]


def test_of_a_large_file_the_first_rows_alone_are_looked_at(folder, monkeypatch):
    """Sorted by label, the first rows have one of them; its columns are known all the same."""
    monkeypatch.setattr(looking, "LARGE", 20)
    monkeypatch.setattr(looking, "FIRST", 1)
    assert found(folder)[0].problems.lines == []
    (folder / "en/train.csv").write_text("body,title,label\na,b,pos\nc,d,neg\n")
    assert "which column is the text" in found(folder)[0].problems.lines[0]


def test_a_folder_of_the_hubs_shape_that_is_not_there_comes_with_how_to_obtain_it(folder):
    over = {"source": "hub", "targets": ["xnli"], "intermediates": {"ccg": {"tasks": ["ccg"]}}}
    grid_tasks = {"tasks": {"ccg": {"hub": "./ccgbank", "base": str(folder)}}}
    [line] = found(folder, {**over, **grid_tasks})[0].problems.lines
    assert line.startswith(
        f"task ccg: {folder}/ccgbank: there is no such folder. CCGbank is licens"
    )


def squad(breaks):
    """XQuAD-R's JSON of a question."""
    asked = {"id": "q", "question": "Wer?", "answers": [{"text": "x", "answer_start": 0}]}
    paragraph = {"context": "Ein Hund.", "qas": [asked], **breaks}
    return json.dumps({"data": [{"paragraphs": [paragraph]}]})


def hotpot():
    """HotpotQA's JSON of two questions, as its makers write it."""
    row = {"_id": "q", "question": "Wo?", "answer": "x", "type": "bridge"}
    row |= {"context": [["A", ["x."]]], "supporting_facts": [["A", 0]]}
    return json.dumps([row] * 2)


@pytest.mark.parametrize(
    ("target", "files", "lines", "notes"),
    [
        ("lareqa", {"de.json": squad({"sentence_breaks": [[0, 9]]})}, [],
         ["task lareqa (zh): there is no zh.json; zh is left out"]),
        ("lareqa", {"de.json": squad({}), "zh.json": squad({})}, ["`sentence_breaks`"] * 2, []),
        ("lareqa", {"notes.txt": ""}, ["its folder has no de.json (there is notes.txt)"], []),
        ("mewslix", {"wikinews_mentions/dev-de.jsonl": ""},
         ["no candidate_set_entities.jsonl (there is wikinews_mentions/dev-de.jsonl)"], []),
        ("hotpot_x", {"de.json": hotpot(), "zh.json": hotpot()}, [], []),
        ("hotpot_x", {"de.json": hotpot()}, [],
         ["task hotpot_x (zh): there is no zh.json; zh is left out"]),
        ("hotpot_x", {"de.json": "[", "zh.json": hotpot()}, ["de.json: row 1: is not JSON"], []),
        ("hotpot_x", {"de.tsv": ""}, ["its folder has no de.json (there is de.tsv)"], []),
        ("multichecklist", {"names.tsv": ""}, ["has no checklist_templates.tsv, which"], []),
    ],
)  # fmt: skip
def test_files_of_their_makers_are_looked_at(folder, target, files, lines, notes):
    for name, text in files.items():
        (folder / "own" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "own" / name).write_text(text)
    over = {"source": "hub", "targets": [target], "languages": ["de", "zh"]}
    over["languages"] = ["de"] if target == "mewslix" else over["languages"]
    look, _ = found(folder, {**over, "tasks": {target: {"hub": str(folder / "own")}}})
    own = [line for line in look.problems.lines if line.startswith(f"task {target}")]
    assert bool(own) == bool(lines)
    assert all(part in line for part, line in zip(lines, own, strict=False)), own
    assert [note for note in look.notes if target in note] == notes


def test_what_becomes_of_rows_is_told(folder):
    (folder / "de/dev.csv").write_text("text,label\nein Film,pos\n,neg\nkein Film,\n")
    look, _ = found(folder)
    assert look.problems.lines == []
    assert look.notes == ["task mine (de): de/dev.csv: dropped 1 (no text), dropped 1 (no label)"]


def test_a_tag_that_the_train_rows_lack_is_told(folder):
    (folder / "en/train.csv").unlink()
    for name, tag in (("en/train", "B-LOC"), ("en/dev", "B-LOC"), ("de/dev", "B-LOCATION")):
        (folder / f"{name}.conll").write_text(f"Anna O\nBerlin {tag}\n")
    files = {"train": "en/train.conll", "dev": "{lang}/dev.conll"}
    look, _ = found(folder, format="tagging", files=files)
    assert look.problems.lines == []
    assert look.notes == [
        "task mine (de): de/dev.conll: label `B-LOCATION` is none of those of the train rows:"
        " B-LOC, O; did you mean `B-LOC`?"
    ]


def test_a_mistyped_stratum_is_found_before_anything_runs(folder):
    (folder / "de/dev.csv").write_text("text,label,genre\nein guter Film,pos,drama\n")
    lines = found(folder, strata=["genre"])[0].problems.lines
    assert lines == [
        "task mine: en/dev.csv: strata: genre: has no column `genre` (there are text, label)"
    ], "train rows need none"
    (folder / "en/dev.csv").write_text("text,label,genre\na good film,pos,drama\n")
    assert found(folder, strata=["genre"])[0].problems.lines == []


def test_the_parts_of_a_split_are_known_without_loading_it(tmp_path):
    rows = {split: mirror.nli(4) for split in ("train", "dev_r1", "dev_r2")}
    mirror.write_dataset(tmp_path, "o/n", {"plain": rows})
    entry = {
        "hub": str(tmp_path / "datasets/o/n"), "config": "plain", "languages": ["en"],
        "files": None, "splits": {"train": "train", "dev": "dev_r1+dev_r2"},
        "columns": {"premise": "text", "hypothesis": "text_pair"},
    }  # fmt: skip
    assert found(tmp_path, strata={"round": "split"}, **entry)[0].problems.lines == []
    (line,) = found(tmp_path, strata={"round": "splt"}, **entry)[0].problems.lines
    assert "strata: round: has no column `splt`; did you mean `split`?" in line


def test_a_model_in_a_folder_that_cannot_be_used(folder):
    backbone = folder / "mine"
    backbone.mkdir()
    over = {"source": "hub", "models": {"m": {"from": str(backbone)}}}
    assert found(folder, over)[0].problems.lines == [
        f"model {backbone}: no config.json; a model folder holds config, weights, tokenizer"
    ]
    config = {"model_type": "qwen3", "quantization_config": {"quant_method": "awq"}}
    (backbone / "config.json").write_text(json.dumps(config))
    for name in ("pytorch_model.bin", "tokenizer.json"):
        (backbone / name).write_text("looked at when it is made")
    [line] = found(folder, over)[0].problems.lines
    assert line.startswith(f"model {backbone}: its weights are quantised (awq)")
    (backbone / "config.json").write_text(json.dumps({"model_type": "qwen3"}))
    assert found(folder, over)[0].problems.lines == []


def test_modules_that_a_model_in_a_folder_does_not_have(tmp_path):
    def lines(on):
        entry = {"from": str(helpers.write_model(tmp_path / "m")), "adapter": {"on": on}}
        found = Grid(load({
            "source": "hub", "models": {"m": entry}, "intermediates": {}, "targets": ["xnli"],
            "languages": ["de"],
        }))  # fmt: skip
        nodes = graph.build(found)
        records = Records(nodes, Pins("", tmp_path), tmp_path)
        return looking.look(found, nodes, records).problems.lines

    assert lines(["query", "attention.output.dense"]) == []
    (line,) = lines(["query", "vlaue"])
    assert line.startswith(
        "models: m: adapter: on: the model has no linear module `vlaue`; did you mean `value`?"
    )


def test_a_vision_encoder_and_features_of_ones_own_that_cannot_be_used(folder):
    """A folder of a text encoder; two files of features, of which one has too few ids."""
    (folder / "text").mkdir()
    (folder / "text/config.json").write_text(json.dumps({"model_type": "bert"}))
    for name in ("preprocessor_config.json", "model.safetensors"):
        (folder / "text" / name).write_text("{}")
    values = {"features": torch.ones(3, 2, 4)}
    for split, ids in (("train", "a\nb\nc\n"), ("dev", "a\n")):
        save_file(values, folder / f"{split}.safetensors")
        (folder / f"{split}.txt").write_text(ids)
    own = {"format": "images", "base": str(folder)}
    task = {"format": "classification", "languages": ["en"], "base": str(folder),
            "files": {"train": "en/train.csv", "dev": "en/dev.csv"}}  # fmt: skip
    over = {
        "source": "hub",
        "vision": {"v": {"from": str(folder / "text")}},
        "tasks": {
            "regions": {**own, "files": {s: [f"{s}.safetensors", f"{s}.txt"] for s in SPLITS}},
            "mine": task, "seen": {**task, "images": "regions"},
        },
        "intermediates": {"vqa": {"tasks": ["vqa"]}, "seen": {"tasks": ["seen"]}},
    }  # fmt: skip
    for split in SPLITS:
        (folder / f"seen.{split}.csv").write_text("text,label,image\nwho,x,a\nwhat,y,b\n")
    over["tasks"]["seen"]["files"] = {s: f"seen.{s}.csv" for s in SPLITS}
    lines = found(folder, over)[0].problems.lines
    assert lines == [
        f"task regions (en): {folder}/dev.safetensors: has features of 3 pictures, and dev.txt 1"
        " ids",
        f"vision: v: {folder}/text: is of the architecture `bert`, which sees no pictures",
    ]


def test_a_translator_and_a_generator_whose_folders_hold_no_model(folder):
    (folder / "empty").mkdir()
    nllb = {"engine": "ctranslate2", "from": str(folder / "nllb"), "codes": {"en": "e", "de": "d"}}
    over = {
        "source": "hub",
        "translators": {"t": nllb},
        "generators": {"g": {"from": str(folder / "empty")}},
        "intermediates": {
            "t": {"tasks": ["mnli"], "translated": {"by": "t", "languages": ["de"]}},
            "g": {"tasks": ["mnli"], "generated": {"by": "g", "languages": ["de"], "rows": 9}},
        },
    }
    lines = found(folder, over)[0].problems.lines
    assert f"translators: t: {folder}/nllb: there is no such folder" in lines
    assert any(line.startswith(f"generators: g: model {folder}/empty: ") for line in lines)

"""Every task on the real rows that are there: pinned, prepared and encoded as in the workflow."""

import json
from pathlib import Path

import numpy as np
import pytest

from xstilts.data import pin, prepare, source
from xstilts.encoding import encode, encoded
from xstilts.experiment import config, tasks
from xstilts.experiment.grid import Grid
from xstilts.running.errors import UserError
from xstilts.steps import encode as encode_step
from xstilts.steps import prepare as prepare_step

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
MODEL = "local/me5-small-xlmr-32k-6l"
pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the real rows are not in ../shared/data"),
]
ROWS = 4
# What is in the mirror (its INVENTORY.md): task -> split -> languages. All else is missing there.
NLI = ["ar", "de", "en", "es", "hi", "ru", "sw", "th", "zh"]
EN = {"train": ["en"], "dev": ["en"]}
THERE = {
    "mnli": EN,
    "mnli_translated": {"dev": [c for c in NLI if c != "en"]},
    "mnli_15": {"dev": NLI},
    "anli": {"dev": ["en"]},
    "anli_r1": {"dev": ["en"]},
    "anli_r2": {"dev": ["en"]},
    "anli_r3": {"dev": ["en"]},
    "snli": EN,
    "multinli": {},
    **{name: {} for name in ("coco", "captions", "vqa", "gqa_images", "gqa", "xgqa")},
    "qqp": EN,
    "squad": EN,
    "squad_translated": {},
    "squad2": EN,
    "hellaswag": EN,
    "cosmosqa": EN,
    "csqa": EN,
    "siqa": EN,
    "copa": EN,
    "ccg": {},
    "mlm": {},
    "ccg_pmb": {**EN, "test": ["en"]},
    "pawsx_en": {"dev": ["en"]},
    "pawsx_7": {"dev": ["de", "en", "es", "zh"]},
    "udpos_en": EN,
    "wikiann_en": EN,
    "tydiqa_en": {"train": ["en"]},
    "lareqa_en": EN,
    "mewslix_en": {},
    "hotpotqa": {"dev": ["en"]},
    "musique_en": {},
    "xnli": {"dev": NLI, "test": NLI},
    "pawsx": {"dev": ["de", "en", "es", "zh"], "test": ["de", "zh"]},
    "udpos": {"dev": ["en"], "test": ["ar", "de", "en", "es", "hi", "ru", "th", "zh"]},
    "wikiann": {"dev": [c for c in NLI if c != "th"]},
    "xquad": {"dev": [c for c in NLI if c != "sw"]},
    "mlqa": {"dev": ["ar", "de", "en", "es", "hi", "zh"]},
    "tydiqa": {"dev": ["sw"]},
    **{key: {"dev": ["en"]} for key in ("hotpot", "hotpot_gold", "hotpot_answer")},
    **{key: {} for key in ("hotpot_x", "hotpot_x_gold", "hotpot_x_answer", "multiq")},
    **{key: {} for key in ("musique", "musique_gold", "musique_last")},
    "bucc": {"dev": ["zh"]},
    "tatoeba": {"dev": [c for c in NLI if c != "en"]},
    "xcopa": {split: ["sw", "th", "zh"] for split in ("dev", "test")},
    "lareqa": {"dev": [c for c in NLI if c != "sw"]},
    "tatoeba_r": {},
    "mewslix": {},
    "multichecklist": {},
}


@pytest.fixture(scope="module")
def grid():
    return Grid(config.load({
        "source": str(SHARED), "models": {"m": {"from": MODEL}}, "intermediates": {},
        "targets": ["xnli"], "limits": {"all": dict.fromkeys(tasks.SPLITS, ROWS)},
    }))  # fmt: skip


@pytest.fixture(scope="module")
def prepared(grid, tmp_path_factory):
    """Prepare as the rules do; a data set is pinned once."""
    folder, root = tmp_path_factory.mktemp("rows"), str(SHARED)

    def make(task, lang, split):
        hub = grid.tasks[task].hub
        at, out = folder / f"{hub}.json", folder / task / f"{lang}.{split}.parquet"
        if not at.exists():
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_text(json.dumps(pin.resolve("datasets", root, root, hub, "main")))
        spec = json.dumps(grid.data_spec(task, lang, split))
        args = ["--spec", spec, "--source", root, "--root", root, "--pin", str(at)]
        prepare_step.main(prepare_step.parser().parse_args([*args, "--out", str(out)]))
        if gone := prepare.metadata(out).get("absent"):
            raise UserError(gone)
        return out

    return make


def test_no_task_is_left_out():
    assert set(THERE) == set(tasks.known())


@pytest.mark.parametrize("name", THERE)
def test_what_is_there_is_prepared_and_encoded(name, grid, prepared, tmp_path):
    task, missing = grid.tasks[name], {split: [] for split in grid.tasks[name].splits}
    for split in task.splits:
        for lang in task.languages:
            try:
                rows = prepared(name, lang, split)
            except UserError as error:
                assert lang not in THERE[name].get(split, []), error
                assert "\n" not in str(error)
                missing[split].append(lang)
                continue
            assert lang in THERE[name].get(split, []), "the list above lacks it"
            labels_of = str(prepared(name, "en", "train")) if task.open_labels else ""
            spec = json.dumps(grid.encoded_spec(name, lang, split, 128))
            out = tmp_path / "encoded.safetensors"
            pieces = str(source.folder(SHARED, "models", MODEL) / "tokenizer.json")
            arguments = ["--spec", spec, "--rows", str(rows), "--tokenizer", pieces]
            arguments += [f"--labels-of={labels_of}", "--out", str(out)]
            encode_step.main(encode_step.parser().parse_args(arguments))
            data = encoded.load(out)
            assert data.meta["rows"] == len(prepare.read(rows)) >= ROWS
            assert np.diff(data.arrays["starts"]).max() <= 128
    said = "; ".join(f"{split} of {' '.join(codes)}" for split, codes in missing.items() if codes)
    print(f"\n{name}: missing in ../shared/data: {said or 'nothing'}")


def whole(grid, task, lang, split, tmp_path):
    """Return all rows of one file, and what was dropped."""
    limits = {"all": dict.fromkeys(tasks.SPLITS)}
    spec = Grid(config.load({**grid.experiment.settings, "limits": limits})).data_spec(
        task, lang, split
    )
    root, at, out = str(SHARED), tmp_path / "pin.json", tmp_path / "rows.parquet"
    at.write_text(json.dumps(pin.resolve("datasets", root, root, spec["hub"], "main")))
    args = ["--spec", json.dumps(spec), "--source", root, "--root", root, "--pin", str(at)]
    prepare_step.main(prepare_step.parser().parse_args([*args, "--out", str(out)]))
    return prepare.read(out).to_pylist(), prepare.metadata(out)["dropped"]


def test_the_english_part_of_tydiqa_is_3696_rows(grid, tmp_path):
    rows, dropped = whole(grid, "tydiqa_en", "en", "train", tmp_path)
    assert len(rows) == 3696
    assert all(row["id"].startswith("english-") for row in rows)
    assert dropped == {"of another language": 507}


def test_the_three_rounds_of_anli_are_together(grid, tmp_path):
    assert len(whole(grid, "anli", "en", "dev", tmp_path)[0]) == 1000 + 1000 + 1198
    assert len(whole(grid, "anli_r3", "en", "dev", tmp_path)[0]) == 1198


def test_questions_without_an_answer_are_kept(grid, tmp_path):
    rows, dropped = whole(grid, "squad2", "en", "dev", tmp_path)
    answered = sum(bool(row["answers"]["text"]) for row in rows)
    assert (len(rows), dropped) == (2510, {})
    assert 0.3 < answered / len(rows) < 0.7


@pytest.mark.parametrize(("name", "choices", "rows"), [("csqa", 5, 1221), ("cosmosqa", 4, 597)])
def test_every_row_of_a_choice_task_has_its_choices(name, choices, rows, grid, tmp_path):
    found, dropped = whole(grid, name, "en", "dev", tmp_path)
    assert (len(found), dropped) == (rows, {})
    assert {len(row["choices"]) for row in found} == {choices}
    assert {row["label"] for row in found} == set(range(choices))


def test_the_pools_of_bucc_hold_every_gold_pair(grid, tmp_path):
    rows, dropped = whole(grid, "bucc", "zh", "dev", tmp_path)
    there = {row["id"] for row in rows if row["side"] == "target"}
    gold = [row["gold"] for row in rows if row["gold"]]
    assert (len(rows), len(there), len(gold), dropped) == (22213, 13589, 257, {})
    assert set(gold) <= there


def test_the_bucc_of_the_hub_is_refused_for_mining(grid, tmp_path):
    settings = dict(grid.experiment.settings)
    own = {"bucc": {"hub": "google/xtreme", "config": "bucc18.{lang}",
                    "splits": {"dev": "validation"}}}  # fmt: skip
    other = Grid(config.load({**settings, "tasks": own}))
    with pytest.raises(UserError, match=r"google/xtreme bucc18.zh validation has no column `side`"):
        whole(other, "bucc", "zh", "dev", tmp_path)


def test_no_comment_line_is_left_in_ccg_pmb(grid, tmp_path):
    rows, _ = whole(grid, "ccg_pmb", "en", "train", tmp_path)
    assert len(rows) == 7745
    assert "cat:gold" not in encode.labels_of(rows)
    assert len(encode.labels_of(rows)) == 294

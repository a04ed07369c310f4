"""Evaluation: only what is new is computed, failing languages, the right layer."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests import helpers
from tests.scoring.target import LABELS, Target, made, nli

from xstilts import formats
from xstilts.models import checkpoint
from xstilts.running.errors import UserError
from xstilts.running.files import digest, read_json, sha256, write_json
from xstilts.scoring import evaluate, predict
from xstilts.scoring.scorer import Scorer


@pytest.fixture
def target(tmp_path):
    return Target(tmp_path)


@pytest.fixture
def scored(monkeypatch):
    """The languages that a checkpoint is truly run on."""
    calls = []
    real = Scorer.__call__

    def spy(self, languages):
        calls.extend(language.name for language in languages)
        return real(self, languages)

    monkeypatch.setattr(Scorer, "__call__", spy)
    return calls


def test_a_language_gets_a_score_and_its_predictions(target, capsys):
    import torch

    target.add("de", "zh").run()
    assert target.made() == ["cell.json", *made("de", "zh")]
    score = read_json(target.root / "out/zh.json")
    table = pq.read_table(target.root / "out/zh.parquet").to_pydict()
    # What the head says of the two rows, computed here by hand.
    encoder = checkpoint.load_encoder(target.model).eval()
    page = formats.page("classification")
    head = page.head(encoder, LABELS).eval()
    checkpoint.load_head(head, target.model)
    expected = []
    for i in range(2):
        ids = predict.tensors(page.collate(target.data["zh"], np.array([i])), torch.device("cpu"))
        expected.append(LABELS[int(predict.outputs(encoder, head, ids).argmax())])
    gold = ["neutral", "contradiction"]
    values = [float(e == g) for e, g in zip(expected, gold, strict=True)]
    assert table == {"id": ["zh0", "zh1"], "prediction": expected, "value": values}
    known = {
        "model": "m", "intermediate": "mnli", "seed": "seed1", "target": "xnli", "language": "zh",
        "metric": "accuracy", "score": sum(values) / 2, "metrics": {"accuracy": sum(values) / 2},
        "n": 2, "rows_cut": 0, "spec": target.specs()["zh"],
        "weights": sha256(target.model / "model.safetensors"),
        "checkpoint": read_json(target.model / "node.json")["spec"],
        "pins": {"models/o/tiny": "r1", "datasets/o/data": "r2"},
    }  # fmt: skip
    assert {key: score[key] for key in known} == known
    assert {"device", "seconds", "tokens_per_second", "versions", "fingerprint"} <= set(score)


def test_what_is_computed_is_not_computed_again(target, scored, capsys):
    target.add("de", "en").run()
    first = {name: (target.root / "out" / name).read_bytes() for name in target.made()}
    (target.root / "out/cell.json").unlink()  # as Snakemake does before it starts a job
    capsys.readouterr()
    target.run()
    assert scored == ["de", "en"], "the second run computed nothing"
    assert capsys.readouterr().out == "de: already computed\nen: already computed\n"
    assert {name: (target.root / "out" / name).read_bytes() for name in target.made()} == first


def test_a_new_language_computes_only_itself(target, scored):
    target.add("de", "zh").run()
    target.add("en").run()
    assert scored == ["de", "zh", "en"]
    assert target.made() == ["cell.json", *made("de", "en", "zh")]


def test_another_checkpoint_or_other_rows_are_computed_anew(target, scored):
    target.add("de").run()
    node = read_json(target.model / "node.json")
    write_json(target.model / "node.json", {**node, "weights": "0123"})
    target.run()
    assert scored == ["de", "de"], "other weights by the same spec"
    write_json(target.model / "node.json", {**node, "spec": {"seed": 9}})
    target.run()
    assert scored == ["de"] * 3
    rows = [{**row, "label": "entailment"} for row in nli("de")]
    helpers.write_rows(target.root / "de.parquet", "classification", rows)
    target.run()
    assert scored == ["de"] * 4
    (target.root / "out/de.parquet").unlink()
    target.run()
    assert scored == ["de"] * 5, "without its predictions"


def test_a_score_is_never_beside_predictions_of_another_spec(target, scored, monkeypatch):
    target.add("de").run()
    node = read_json(target.model / "node.json")
    write_json(target.model / "node.json", {**node, "weights": "0123"})
    with monkeypatch.context() as patch:
        patch.setattr(evaluate, "write_json", lambda *_: 1 / 0)  # killed after the predictions
        with pytest.raises(ZeroDivisionError):
            target.run()
    write_json(target.model / "node.json", node)
    target.run()
    assert scored == ["de"] * 3, "back at the first spec, the predictions are the other one's"


def test_the_record_of_a_cell_in_full(target):
    target.add("de", "zh").run()
    scores = {lang: read_json(target.root / f"out/{lang}.json") for lang in ("de", "zh")}
    specs = target.specs()
    assert read_json(target.root / "out/cell.json") == {
        "model": "m", "intermediate": "mnli", "seed": "seed1", "target": "xnli",
        "spec": {"kind": "cell", "scores": {lang: digest(specs[lang]) for lang in ("de", "zh")}},
        "pins": {"models/o/tiny": "r1", "datasets/o/data": "r2"},
        "scores": {lang: scores[lang]["score"] for lang in ("de", "zh")},
        "fingerprints": {lang: scores[lang]["fingerprint"] for lang in ("de", "zh")},
    }  # fmt: skip


def score_of(lang, weights="w", pins=None):
    about = {"spec": {"of": lang}, "weights": weights, "score": 0.5, "fingerprint": f"f {lang}"}
    return {**about, "pins": {"datasets/o/data": "r2"} if pins is None else pins}


def write_score(folder, lang, **about):
    write_json(folder / f"{lang}.json", score_of(lang, **about))
    (folder / f"{lang}.parquet").write_bytes(b"")


def test_languages_of_another_experiment_stay_in_the_record(tmp_path):
    write_score(tmp_path, "ar")
    write_score(tmp_path, "bg", weights="others")
    write_score(tmp_path, "el")
    (tmp_path / "el.parquet").unlink()
    (tmp_path / "es.json").write_text("{")
    write_json(tmp_path / "fr.json", [])
    write_json(tmp_path / "cell.json", score_of("cell"))
    found = evaluate.cell_record(tmp_path, {"model": "m"}, {"de": score_of("de")}, {})
    assert found == {
        "model": "m",
        "spec": {"kind": "cell", "scores": {lang: digest({"of": lang}) for lang in ("ar", "de")}},
        "pins": {"datasets/o/data": "r2"},
        "scores": {"ar": 0.5, "de": 0.5},
        "fingerprints": {"ar": "f ar", "de": "f de"},
    }


def test_a_language_of_other_pins_is_not_listed_with_these(tmp_path):
    """Its old rows would pass for new ones: the pins are of the whole record."""
    write_score(tmp_path, "ar", pins={"datasets/o/data": "r1"})
    found = evaluate.cell_record(tmp_path, {}, {"de": score_of("de")}, {})
    assert found["scores"].keys() == {"de"} and found["pins"] == {"datasets/o/data": "r2"}


def test_a_score_whose_bytes_are_the_same_gets_the_pins_of_now(target, scored):
    """A training on rows of another version may give the same weights: else the score would be of
    old pins for ever, asked for in each run and refused by the tables."""
    target.add("de").run()
    before = read_json(target.root / "out/de.json")
    node = read_json(target.model / "node.json")
    pins = {"models/o/tiny": "r1", "datasets/o/mnli": "r7"}
    write_json(target.model / "node.json", {**node, "pins": pins})
    target.run()
    assert scored == ["de"]
    pins["datasets/o/data"] = "r2"
    assert read_json(target.root / "out/de.json") == {**before, "pins": pins}
    assert read_json(target.root / "out/cell.json")["pins"] == pins


@pytest.mark.parametrize("suffix", ["parquet", "safetensors"])
def test_a_language_that_fails_keeps_the_others_and_alone_is_computed_next(target, scored, suffix):
    target.add("de", "en", "zh")
    broken = target.root / f"en.{suffix}"
    whole = broken.read_bytes()
    broken.write_bytes(b"PAR1 cut off")
    with pytest.raises(
        UserError, match=rf"m/mnli/seed1/xnli: en: .*en\.{suffix}: .*damaged"
    ) as error:
        target.run()
    assert "\n" not in str(error.value)
    assert target.made() == made("de", "zh"), "no cell.json, which would say that all are there"
    broken.write_bytes(whole)
    target.run()
    assert scored == ["de", "zh", "en"]
    assert target.made() == ["cell.json", *made("de", "en", "zh")]


def test_what_does_not_belong_together_is_refused(target):
    target.add("de")
    other = target.data["de"].meta | {"tokenizer": "0123"}
    type(target.data["de"])(target.data["de"].arrays, other).save(target.root / "de.safetensors")
    with pytest.raises(UserError, match=r"de\.safetensors: encoded with another tokenizer than"):
        target.run()
    target.data["de"].meta["spec"]["max_length"] = 1
    with pytest.raises(UserError, match=r"de\.safetensors: made by another spec"):
        target.run()
    assert not (target.root / "out").exists()


@pytest.mark.parametrize("name", ["model.safetensors", "node.json", "head.safetensors"])
def test_a_checkpoint_that_is_not_whole_is_named(target, name):
    target.add("de")
    (target.model / name).unlink()
    with pytest.raises(UserError, match=name.replace(".", "[.]")):
        target.run()
    assert not (target.root / "out").exists()


def pairs(lang):
    return [
        {"id": "0.s", "side": "source", "text": "der hund", "gold": "0.t"},
        {"id": "0.t", "side": "target", "text": "the dog sees", "gold": None},
        {"id": "1.s", "side": "source", "text": "katze", "gold": "1.t"},
        {"id": "1.t", "side": "target", "text": "the cat", "gold": None},
    ]


@pytest.mark.parametrize(("asked", "layer"), [(2, 2), (None, 2), (1, 1), (3, 3)])
def test_retrieval_pools_the_layer_that_is_asked_for(tmp_path, asked, layer):
    import torch
    from transformers import AutoModel

    target = Target(tmp_path, "retrieval", pairs, layer=asked, layers=3).add("de")
    target.run()
    full = AutoModel.from_pretrained(target.model, add_pooling_layer=False).eval()
    vectors = []
    for i in range(4):
        ids = torch.from_numpy(target.data["de"].sequence(i).astype(np.int64))[None]
        with torch.no_grad():
            hidden = full(ids, output_hidden_states=True).hidden_states
        assert len(hidden) == 4
        vectors.append(hidden[layer][0].mean(0))
    node = read_json(target.model / "node.json")
    scorer = Scorer(str(target.model), node, target.specs()["de"], 1000)
    encoder, head, where = scorer.load(target.data["de"])
    assert len(encoder.encoder.layer) == layer and encoder.pooler is None
    page = formats.page("retrieval")
    found = predict.reduced(page, encoder, head, target.data["de"], where, 1000)
    assert np.abs(np.stack(found) - torch.stack(vectors).numpy()).max() < 1e-5
    table = pq.read_table(tmp_path / "out/de.parquet").to_pydict()
    nearest = page.decode([v.numpy() for v in vectors], None, pairs("de"))
    assert (table["id"], table["prediction"]) == (["0.s", "1.s"], nearest)
    assert read_json(tmp_path / "out/de.json")["n"] == 2


def test_a_layer_that_the_model_has_not_is_named(tmp_path):
    target = Target(tmp_path, "retrieval", pairs, layer=4, layers=3).add("de")
    with pytest.raises(UserError, match="retrieval_layer: 4 is above the 3 layers of the model"):
        target.run()


def test_rows_with_other_labels_than_the_model_has_are_refused(target):
    target.add("de")
    node = read_json(target.model / "node.json")
    write_json(target.model / "node.json", node | {"labels": {"nli": ["a", "b", "c"]}})
    with pytest.raises(UserError, match=r"de\.safetensors: its labels are entailment, .* a, b, c"):
        target.run()


def test_predictions_have_the_classes_of_their_rows(target, scored):
    target.add("de").run()
    names = pq.read_schema(target.root / "out/de.parquet").names
    assert names == ["id", "prediction", "value"], "of a task without strata as ever"
    target.rows = lambda lang: [
        {**row, "strata": {"genre": genre}}
        for row, genre in zip(nli(lang), ("news", None), strict=True)
    ]
    target.strata = ("genre",)
    target.add("de").run()
    assert scored == ["de", "de"]
    table = pq.read_table(target.root / "out/de.parquet")
    assert table.column_names == ["id", "prediction", "value", "stratum:genre"]
    assert table["stratum:genre"].to_pylist() == ["news", None]


def test_of_two_sides_the_one_that_is_scored_has_classes(tmp_path):
    rows = [{**row, "strata": {"kind": row["side"]}} for row in pairs("de")]
    target = Target(tmp_path, "retrieval", lambda lang: rows)
    target.strata = ("kind",)
    target.add("de").run()
    table = pq.read_table(tmp_path / "out/de.parquet").to_pydict()
    assert (table["id"], table["stratum:kind"]) == (["0.s", "1.s"], ["source", "source"])


def test_rows_that_were_made_before_their_strata_are_named(target):
    target.add("de")
    target.strata = ("genre",)
    with pytest.raises(
        UserError, match=r"de: .*/de\.parquet: has no stratum `genre`; delete it, r"
    ):
        target.run()
    assert not (target.root / "out/de.json").exists()

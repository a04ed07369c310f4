"""Evaluation: only what is new is computed, failing languages, the right layer."""

import argparse
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests import helpers

from xstilts import formats
from xstilts.models import checkpoint
from xstilts.running.errors import UserError
from xstilts.running.files import digest, read_json, sha256, write_json
from xstilts.scoring import evaluate, predict
from xstilts.steps import evaluate as evaluate_step

LABELS = ("entailment", "neutral", "contradiction")
CELL = "m/mnli/seed1/xnli"


def nli(lang):
    words = {
        "de": ("der hund", "katze sieht"),
        "en": ("the dog", "cat sees"),
        "zh": ("狗", "猫 看见"),
    }
    a, b = words[lang]
    return [
        {"id": f"{lang}0", "text": a, "text_pair": b, "label": "neutral"},
        {"id": f"{lang}1", "text": b, "text_pair": "not " + a, "label": "contradiction"},
    ]


class Target:
    """A tuned checkpoint and encoded rows of some languages, as files."""

    def __init__(self, root, format="classification", rows=nli, layer=None, layers=1):
        self.root, self.format, self.rows, self.layer = root, format, rows, layer
        self.model = helpers.write_model(root / "model", layers=layers)
        self.pieces = helpers.make_tokenizer(root / "tokenizer")
        self.save_head(seed=1)
        self.data = {}

    def save_head(self, seed):
        import torch
        from safetensors.torch import save_file

        torch.manual_seed(seed)
        encoder = checkpoint.load_encoder(self.model)
        head = formats.page(self.format).head(encoder, LABELS)
        if self.format != "retrieval":
            save_file(head.state_dict(), self.model / "head.safetensors")

    def add(self, *languages):
        for lang in languages:
            rows = self.rows(lang)
            labels = LABELS if self.format == "classification" else ()
            self.data[lang] = helpers.encode(self.pieces, self.format, rows, labels, lang=lang)
            helpers.write_encoded(self.root / f"{lang}.safetensors", self.data[lang])
            helpers.write_rows(self.root / f"{lang}.parquet", self.format, rows)
        return self

    def specs(self):
        node = read_json(self.model / "node.json")
        metric = "retrieval" if self.format == "retrieval" else "accuracy"
        return {
            lang: {
                "kind": "score",
                "model": digest(node["spec"]),
                "metric": metric,
                "encoded": digest(data.meta["spec"]),
                "retrieval_layer": self.layer,
            }
            for lang, data in sorted(self.data.items())
        }

    def run(self):
        specs = self.specs()
        evaluate_step.main(
            argparse.Namespace(
                cell=CELL,
                specs=json.dumps(specs),
                model=str(self.model),
                rows=[str(self.root / f"{lang}.parquet") for lang in specs],
                encoded=[str(self.root / f"{lang}.safetensors") for lang in specs],
                dev_rows=[],
                dev_encoded=[],
                state=str(self.root / "state"),
                lock_wait=0,
                budget=1000,
                out=str(self.root / "out"),
            )
        )

    def made(self):
        return sorted(p.name for p in (self.root / "out").iterdir())


@pytest.fixture
def target(tmp_path):
    return Target(tmp_path)


@pytest.fixture
def scored(monkeypatch):
    """The languages that a checkpoint is truly run on."""
    calls = []
    real = evaluate.Scorer.__call__

    def spy(self, data, rows, lang, dev):
        calls.append(lang)
        return real(self, data, rows, lang, dev)

    monkeypatch.setattr(evaluate.Scorer, "__call__", spy)
    return calls


def test_a_language_gets_a_score_and_its_predictions(target, capsys):
    target.add("de", "zh").run()
    assert target.made() == ["de.json", "de.parquet", "zh.json", "zh.parquet"]
    score = read_json(target.root / "out/zh.json")
    table = pq.read_table(target.root / "out/zh.parquet").to_pydict()
    # What the head says of the two rows, computed here by hand.
    encoder = checkpoint.load_encoder(target.model).eval()
    page = formats.page("classification")
    head = page.head(encoder, LABELS).eval()
    checkpoint.load_head(head, target.model)
    expected = []
    for i in range(2):
        ids = predict.tensors(page.collate(target.data["zh"], np.array([i])), "cpu")
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
    for name in first:
        (target.root / "out" / name).unlink()
    capsys.readouterr()
    target.run()
    assert scored == ["de", "en"], "the second run computed nothing"
    assert capsys.readouterr().out == "de: already computed\nen: already computed\n"
    assert {name: (target.root / "out" / name).read_bytes() for name in target.made()} == first


def test_a_new_language_computes_only_itself(target, scored):
    target.add("de", "zh").run()
    target.add("en").run()
    assert scored == ["de", "zh", "en"]
    assert len(target.made()) == 6


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
    assert target.made() == ["de.json", "de.parquet", "zh.json", "zh.parquet"]
    broken.write_bytes(whole)
    target.run()
    assert scored == ["de", "zh", "en"]
    assert len(target.made()) == 6


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
    scorer = evaluate.Scorer(str(target.model), node, target.specs()["de"], 1000)
    encoder, head, where = scorer._load(target.data["de"])
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

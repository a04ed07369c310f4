"""A checkpoint and a target of some languages, as files, and the evaluate step on them."""

import json

from tests import helpers

from xstilts import formats
from xstilts.models import checkpoint
from xstilts.running.files import digest, read_json, write_json
from xstilts.steps import evaluate as evaluate_step

LABELS = ("entailment", "neutral", "contradiction")
METRIC = {"retrieval": "retrieval", "tagging": "tagging", "span": "squad"}  # else accuracy
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

    strata: tuple[str, ...] = ()

    def __init__(
        self, root, format="classification", rows=nli, layer=None, layers=1, labels=LABELS
    ):
        self.root, self.format, self.rows, self.layer = root, format, rows, layer
        self.labels = labels if format in ("classification", "tagging") else ()
        self.model = helpers.write_model(root / "model", layers=layers)
        self.pieces = helpers.make_tokenizer(root / "tokenizer")
        self.save_head(seed=1)
        self.data = {}

    def save_head(self, seed):
        import torch
        from safetensors.torch import save_file

        torch.manual_seed(seed)
        encoder = checkpoint.load_encoder(self.model)
        head = formats.page(self.format).head(encoder, self.labels)
        if self.format != "retrieval":
            save_file(head.state_dict(), self.model / "head.safetensors")

    def add(self, *languages):
        for lang in languages:
            rows = self.rows(lang)
            self.data[lang] = helpers.encode(self.pieces, self.format, rows, self.labels, lang=lang)
            helpers.write_encoded(self.root / f"{lang}.safetensors", self.data[lang])
            helpers.write_rows(self.root / f"{lang}.parquet", self.format, rows, self.strata)
        return self

    def specs(self):
        node = read_json(self.model / "node.json")
        return {
            lang: {
                "kind": "score",
                "model": digest(node["spec"]),
                "metric": METRIC.get(self.format, "accuracy"),
                "encoded": digest(data.meta["spec"]),
                "retrieval_layer": self.layer,
                **({"strata": {name: name for name in self.strata}} if self.strata else {}),
            }
            for lang, data in sorted(self.data.items())
        }

    def run(self):
        specs, root = self.specs(), self.root
        listed = {
            lang: [f"{root / lang}.parquet", f"{root / lang}.safetensors", spec["encoded"]]
            for lang, spec in specs.items()
        }
        pool = {"pool": listed.pop("pool")} if "pool" in listed else {}
        specs.pop("pool", None)
        write_json(root / "manifest.json", {"spec": {"languages": listed, **pool}})
        arguments = [
            "--cell", CELL, "--specs", json.dumps(specs), "--model", str(self.model),
            "--manifest", str(root / "manifest.json"), "--state", str(root / "state"),
            "--lock-wait", "0", "--budget", "1000", "--out", str(root / "out"),
        ]  # fmt: skip
        evaluate_step.main(evaluate_step.parser().parse_args(arguments))

    def made(self):
        return sorted(p.name for p in (self.root / "out").iterdir())


def made(*languages):
    """The files of some languages."""
    return [f"{lang}.{suffix}" for lang in languages for suffix in ("json", "parquet")]

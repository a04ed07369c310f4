"""Step: one checkpoint on all languages of one target -> a score and the predictions of each.

What is computed is kept, language by language, in a state folder that Snakemake does not know,
under a fingerprint of all that it follows from. A new language, or one that failed, costs only
itself.
"""

import argparse
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xstilts import (
    checkpoint,
    device,
    encoded,
    finished,
    formats,
    lock,
    metrics,
    predict,
    prepare,
    step,
)
from xstilts.encoded import Encoded
from xstilts.errors import UserError
from xstilts.files import atomic, digest, read_json, sha256, write_json
from xstilts.node import read_node, same_spec, versions


class Unloadable(UserError):
    """The checkpoint cannot be loaded, so no language can be scored."""


class Scorer:
    """A checkpoint, loaded at the first language that needs it."""

    def __init__(
        self, folder: str, node: dict[str, Any], spec: dict[str, Any], budget: int
    ) -> None:
        self.folder, self.node, self.spec, self.budget = folder, node, spec, budget
        self.loaded: Any = None

    def _load(self, data: Encoded):
        """Return encoder, head and device; retrieval keeps only the layers that it pools."""
        page = formats.page(data.meta["spec"]["format"])
        where = device.choose()
        if data.meta["spec"]["format"] == "retrieval":
            from transformers import AutoConfig

            config = AutoConfig.from_pretrained(self.folder)
            layer = checkpoint.retrieval_layer(config, self.spec["retrieval_layer"])
            encoder = checkpoint.load_encoder(self.folder, layers=layer)
            head = page.head(encoder, [])
        else:
            encoder = checkpoint.load_encoder(self.folder)
            head = page.head(encoder, data.labels)
            checkpoint.load_head(head, self.folder)
        return encoder.to(where), head.to(where), where

    def __call__(
        self, data: Encoded, rows: list[dict[str, Any]], lang: str
    ) -> tuple[dict[str, float], list[str], list[float], dict[str, Any]]:
        """Return the metrics, predictions, value of each prediction, and a record of the run."""
        if self.loaded is None:
            try:
                self.loaded = self._load(data)
            except UserError as error:
                raise Unloadable(str(error)) from error
        encoder, head, where = self.loaded
        page = formats.page(data.meta["spec"]["format"])
        start = time.monotonic()
        found = predict.reduced(page, encoder, head, data, where, self.budget)
        predictions = page.decode(found, data, rows)
        seconds = time.monotonic() - start
        values, each = page.score(rows, predictions, self.spec["metric"], lang)
        tokens = len(data.arrays["tokens"])
        record = {
            "seconds": round(seconds, 3),
            "tokens_per_second": round(tokens / max(seconds, 1e-9), 1),
            **device.describe(where),
        }
        return values, predictions, each, record


def language(scorer: Scorer, spec: dict[str, Any], cell: dict[str, str], lang: str, paths) -> None:
    """Make the score file and the predictions of one language, from the state folder if they are
    there.

    Args:
        paths: `rows`, `encoded`, `state` (folder) and `out` (folder) of this language.
    """
    data = encoded.load(paths["encoded"])
    same_spec(paths["encoded"], data.meta["spec"], spec["encoded"])
    node = scorer.node
    if data.meta["tokenizer"] != node["tokenizer"]:
        raise UserError(
            f"{paths['encoded']}: encoded with another tokenizer than {scorer.folder}'s"
        )
    fingerprint = digest([spec, node["weights"], sha256(paths["encoded"]), sha256(paths["rows"])])
    kept = Path(paths["state"]) / f"{lang}.json"
    whole = kept.exists() and kept.with_suffix(".parquet").exists()
    if whole and read_json(kept).get("fingerprint") == fingerprint:
        print(f"{lang}: already computed")
    else:
        rows = prepare.read(paths["rows"]).to_pylist()
        values, predictions, each, record = scorer(data, rows, lang)
        ids = [row["id"] for row in rows if row.get("side") != "target"]
        table = pa.table({"id": ids, "prediction": predictions, "value": each})
        # An old score must not stand beside new predictions, if this process ends between the two.
        kept.unlink(missing_ok=True)
        with atomic(kept.with_suffix(".parquet")) as temporary:
            pq.write_table(table, temporary, compression="zstd")
        score = {
            **cell,
            "language": lang,
            "metric": spec["metric"],
            "score": metrics.METRICS[spec["metric"]].task_score(values),
            "metrics": values,
            "n": len(predictions),
            "rows_cut": data.meta["cut"],
            "spec": spec,
            "checkpoint": node["spec"],
            "pins": node["pins"] | data.meta["pins"],
            "weights": node["weights"],
            **record,
            "versions": versions(),
            "fingerprint": fingerprint,
        }
        write_json(kept, score)
        print(f"{lang}: " + "  ".join(f"{k} {v:.4f}" for k, v in values.items()), flush=True)
    for suffix in (".parquet", ".json"):  # the score last: it says that the language is done
        with atomic(Path(paths["out"]) / f"{lang}{suffix}") as temporary:
            shutil.copyfile(kept.with_suffix(suffix), temporary)


def main(args: argparse.Namespace) -> None:
    """Score every language, one process a cell at a time."""
    with lock.held(args.state, args.lock_wait):
        score(args)


def score(args: argparse.Namespace) -> None:
    """Score every language; one that fails does not keep the others from being kept."""
    specs: dict[str, dict[str, Any]] = json.loads(args.specs)
    node = read_node(args.model)
    cell = dict(zip(("model", "intermediate", "seed", "target"), args.cell.split("/"), strict=True))
    scorer = Scorer(args.model, node, next(iter(specs.values())), args.budget)
    failed = []
    for (lang, spec), rows, data in zip(specs.items(), args.rows, args.encoded, strict=True):
        same_spec(args.model, node["spec"], spec["model"])
        finished.settle(args.model)
        paths = {"rows": rows, "encoded": data, "state": args.state, "out": args.out}
        try:
            language(scorer, spec, cell, lang, paths)
        except Unloadable:
            raise  # the same for every language
        except UserError as error:
            failed.append(f"{lang}: {error}")
            print(failed[-1], flush=True)
    if failed:
        raise UserError(f"{args.cell}: {'; '.join(failed)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cell", required=True, help="model/intermediate/seed/target")
    parser.add_argument("--specs", required=True, help="language -> spec of its score, as JSON")
    parser.add_argument("--model", required=True, help="checkpoint folder")
    parser.add_argument("--rows", required=True, nargs="+", help="prepared rows, one a language")
    parser.add_argument("--encoded", required=True, nargs="+", help="encoded rows, one a language")
    parser.add_argument("--state", required=True, help="folder of what is already computed")
    lock.add_argument(parser)
    parser.add_argument("--budget", type=int, default=65536, help="pieces of a rectangle")
    parser.add_argument("--out", required=True, help="folder of the score files")
    step.run(main, parser)

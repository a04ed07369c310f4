"""Evaluation: the score and the predictions of one checkpoint in one language.

They are kept under a fingerprint of all that they follow from, so a new language, or one that
failed, costs only itself.
"""

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xstilts import formats, metrics
from xstilts.data import prepare
from xstilts.data.rows import Row
from xstilts.encoding import encoded
from xstilts.encoding.encoded import Encoded
from xstilts.encoding.header import digest_of
from xstilts.models import checkpoint
from xstilts.running import device
from xstilts.running.energy import Meter
from xstilts.running.errors import UserError
from xstilts.running.files import atomic, digest, read_json, sha256, write_json
from xstilts.running.record import versions
from xstilts.scoring import examples, predict


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
            asked = self.spec["retrieval_layer"]
            layer = partial(checkpoint.retrieval_layer, requested=asked)
            encoder = checkpoint.load_encoder(self.folder, layers=layer)
            head = page.head(encoder, [])
        else:
            encoder = checkpoint.load_encoder(self.folder)
            head = page.head(encoder, data.labels)
            checkpoint.load_head(head, self.folder)
        return encoder.to(where), head.to(where), where

    def __call__(
        self, data: Encoded, rows: list[Row], lang: str, dev: tuple[Encoded, list[Row]] | None
    ) -> tuple[dict[str, float], list[str], list[float], dict[str, Any]]:
        """Return the metrics, predictions, value of each prediction, and a record of the run.

        Args:
            data: encoded rows.
            rows: the same as text.
            lang: their language.
            dev: encoded and text rows of the dev split, where mining on `data` needs the threshold
                that is best on them.
        """
        if self.loaded is None:
            try:
                self.loaded = self._load(data)
            except UserError as error:
                raise Unloadable(str(error)) from error
        where = self.loaded[2]
        page = formats.page(data.meta["spec"]["format"])
        start, energy = time.monotonic(), Meter()
        threshold, inputs = None, [data]
        if data.meta["spec"]["format"] == "retrieval":
            if dev is not None:
                inputs.append(dev[0])
                _, threshold = page.search(self._reduced(page, dev[0]), dev[1])
            predictions, threshold = page.search(self._reduced(page, data), rows, threshold)
        else:
            predictions = page.decode(self._reduced(page, data), data, rows)
        seconds = time.monotonic() - start
        values, each = page.score(rows, predictions, self.spec["metric"], lang)
        tokens = sum(len(part.arrays["tokens"]) for part in inputs)
        record = {
            **({} if threshold is None else {"threshold": threshold}),
            "seconds": round(seconds, 3),
            **energy.record(),
            "tokens_per_second": round(tokens / max(seconds, 1e-9), 1),
            **device.describe(where),
        }
        return values, predictions, each, record

    def _reduced(self, page, data: Encoded) -> list:
        encoder, head, where = self.loaded
        return predict.reduced(page, encoder, head, data, where, self.budget)


def language(scorer: Scorer, spec: dict[str, Any], cell: dict[str, str], lang: str, paths) -> Any:
    """Make the score file and the predictions of one language, unless they are there; return the
    score.

    Args:
        paths: `rows`, `encoded` and `out` (folder) of this language; `dev_rows` and `dev_encoded`
            where its dev split settles something.
    """
    node = scorer.node
    tokenizer = node["tokenizer"], scorer.folder
    data = encoded.load_checked(paths["encoded"], spec["encoded"], *tokenizer)
    trained = list(node.get("labels", {}).values())
    if len(trained) == 1 and data.labels and trained[0] != list(data.labels):
        raise UserError(
            f"{paths['encoded']}: its labels are {', '.join(data.labels)}, those of {scorer.folder}"
            f" are {', '.join(trained[0])}; delete both, run again"
        )
    read = {"encoded": digest_of, "rows": sha256, "dev_encoded": digest_of, "dev_rows": sha256}
    used = [of(paths[key]) for key, of in read.items() if key in paths]
    fingerprint = digest([spec, node["weights"], *used])
    out, pins = Path(paths["out"]) / f"{lang}.json", node["pins"] | data.meta["pins"]
    if score := finished(out, spec, fingerprint):
        print(f"{lang}: already computed")
        if score.get("pins") != pins:  # another version of what it was trained on, the same weights
            score["pins"] = pins
            write_json(out, score)
        return score
    rows, dev = prepare.read(paths["rows"]).to_pylist(), None
    if len(rows) != data.meta["rows"]:
        raise UserError(
            f"{paths['rows']}: has {len(rows)} rows, and {data.meta['rows']} were encoded; delete"
            " both, run again"
        )
    if "dev" in spec:
        settling = encoded.load_checked(paths["dev_encoded"], spec["dev"], *tokenizer)
        dev = settling, prepare.read(paths["dev_rows"]).to_pylist()
    classes = _classes(paths["rows"], rows, spec)
    values, predictions, each, record = scorer(data, rows, lang, dev)
    ids = [row["id"] for row in rows if row.get("side") != "target"]
    table = pa.table({"id": ids, "prediction": predictions, "value": each, **classes})
    # An old score must not stand beside new predictions, if this process ends between the two.
    out.unlink(missing_ok=True)
    with atomic(out.with_suffix(".parquet")) as temporary:
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
        "pins": pins,
        "weights": node["weights"],
        **record,
        "versions": versions(),
        "fingerprint": fingerprint,
    }
    write_json(out, score)
    print(f"{lang}: " + "  ".join(f"{k} {v:.4f}" for k, v in values.items()), flush=True)
    return score


def _classes(path: str, rows: list[Row], spec: dict[str, Any]) -> dict[str, pa.Array]:
    """Return the columns of the strata of the rows that are scored; UserError where rows of `path`
    were made before their task had one."""
    columns = {}
    for name in spec.get("strata", ()):
        if any(name not in row.get("strata", ()) for row in rows):
            raise UserError(f"{path}: has no stratum `{name}`; delete it, run again")
        classes = [row["strata"][name] for row in rows if row.get("side") != "target"]
        columns[examples.stratum(name)] = pa.array(classes, pa.string())
    return columns


def finished(path: Path, spec: dict[str, Any], fingerprint: str) -> dict[str, Any] | None:
    """Return the score in a file, if it was made by this spec, from what the fingerprint is of."""
    try:
        score = read_json(path)
    except UserError:
        return None
    if not isinstance(score, dict) or not path.with_suffix(".parquet").exists():
        return None
    same = score.get("spec") == spec and score.get("fingerprint") == fingerprint
    return score if same else None


def cell_record(
    folder: Path,
    cell: dict[str, str],
    scores: dict[str, Any],
    absent: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what `cell.json` says: the spec and fingerprint of the score of every language, and of
    which there are no rows (`absent`: language -> spec, pins, reason).

    Languages that another experiment has asked for stay in it, if the same weights scored them on
    rows of the same pins.
    """
    weights = {score["weights"] for score in scores.values()}
    pins = {name: pin for score in scores.values() for name, pin in score["pins"].items()}
    for path in sorted(folder.glob("*.json")):
        if path.stem not in scores and path.stem != "cell":
            try:
                score = read_json(path)
                same = all(pins.get(name, pin) == pin for name, pin in score["pins"].items())
                same = same and score["weights"] in weights
                if same and path.with_suffix(".parquet").exists():
                    scores = scores | {path.stem: score}
            except (UserError, KeyError, TypeError):
                continue
    langs = sorted(scores)
    return {
        **cell,
        **({"absent": dict(absent)} if absent else {}),
        "spec": {"kind": "cell", "scores": {k: digest(scores[k]["spec"]) for k in langs}},
        "pins": pins,
        "scores": {k: scores[k]["score"] for k in langs},
        "fingerprints": {k: scores[k]["fingerprint"] for k in langs},
    }

"""Step: one checkpoint on all languages of one target -> a score and the predictions of each.

A language whose score is there, made from the same files, is kept; one that fails does not keep the
others from being scored. Small languages share batches.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from xstilts.data import overlap
from xstilts.encoding.header import read_header
from xstilts.experiment.cells import CELL
from xstilts.experiment.tasks import POOL
from xstilts.models import lean
from xstilts.running import lock
from xstilts.running.errors import Absent, UserError
from xstilts.running.files import digest, read_json, write_json
from xstilts.running.record import read_node, same_spec
from xstilts.running.trackers import Trackers
from xstilts.scoring import evaluate, pooled
from xstilts.scoring.scorer import Scorer
from xstilts.steps import arguments, process
from xstilts.training import publish


def main(args: argparse.Namespace) -> None:
    """Score every language, one process a cell at a time."""
    with lock.held(args.state, args.lock_wait):
        score(args)


def score(args: argparse.Namespace) -> None:
    """Score every language, then write `cell.json`, which says that all are done."""
    specs: dict[str, dict[str, Any]] = json.loads(args.specs)
    node = read_node(args.model)
    cell = dict(zip(CELL, args.cell.split("/"), strict=True))
    scorer = Scorer(args.model, node, next(iter(specs.values())), args.budget, args.out)
    files = _listed(args.manifest)
    dev = _listed(args.dev_manifest) if args.dev_manifest else {}
    paths = {
        lang: {
            "out": args.out,
            **files[lang],
            **({"features": args.features} if args.features else {}),
            **{f"dev_{key}": path for key, path in dev.get(lang, {}).items()},
        }
        for lang in specs
    }
    for spec in specs.values():
        same_spec(args.model, node["spec"], spec["model"])
    for given in args.overlap:
        path, _, name = given.rpartition("=")
        overlap.refuse(path, cell["target"], name, args.cell)
    publish.delete_finished(args.model)
    found = evaluate.languages(scorer, specs, cell, paths)
    scores, absent, failed = {}, {}, []
    for lang, spec in specs.items():
        if not isinstance(found[lang], UserError):
            scores[lang] = found[lang]
        elif isinstance(found[lang], Absent):
            pins = read_header(paths[lang]["encoded"])[1]["pins"]
            absent[lang] = {"spec": digest(spec), "pins": pins, "reason": str(found[lang])}
        else:
            failed.append(f"{lang}: {found[lang]}")
    if failed:
        raise UserError(f"{args.cell}: {'; '.join(failed)}")
    record = evaluate.cell_record(Path(args.out), cell, scores, absent)
    write_json(Path(args.out) / "cell.json", record)
    track(args, specs, scores)


def track(args: argparse.Namespace, specs: dict[str, Any], scores: dict[str, Any]) -> None:
    """Tell the trackers the scores of each language, and their mean."""
    values = {f"{lang} {k}": v for lang, s in scores.items() for k, v in s["metrics"].items()}
    values["score"] = sum(score["score"] for score in scores.values()) / len(scores)
    with Trackers(args.trackers, args.out, {"languages": specs}) as trackers:
        trackers.log(values, 0)


def _listed(manifest: str) -> dict[str, dict[str, str]]:
    """Return language -> `rows` and `encoded` of a manifest; those of the candidates of all
    languages beside them, if it has any."""
    spec = read_json(manifest)["spec"]
    pool = dict(zip(pooled.KEYS, spec.get(POOL, ()), strict=False))
    return {
        lang: {"rows": rows, "encoded": of, **pool}
        for lang, (rows, of, _) in spec["languages"].items()
    }


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--cell", required=True, help="model/intermediate/seed/target")
    p.add_argument("--specs", required=True, help="language -> spec of its score, as JSON")
    p.add_argument("--model", required=True, help="checkpoint folder")
    p.add_argument("--manifest", required=True, help="rows and encoded rows of each language")
    p.add_argument(
        "--dev-manifest", default="", help="the same of the dev split, where it settles a threshold"
    )
    p.add_argument("--features", default="", help="of the pictures before the rows, if any")
    p.add_argument(
        "--overlap", nargs="*", default=[], help="records of what must not be in train rows"
    )
    p.add_argument("--state", required=True, help="folder of the lock of the cell")
    arguments.add_trackers(p)
    arguments.add_lock_wait(p)
    p.add_argument("--budget", type=int, default=65536, help="tokens of a batch, with padding")
    p.add_argument("--out", required=True, help="folder of the score files")
    return p


if __name__ == "__main__":
    lean.allow()
    process.run(main, parser())

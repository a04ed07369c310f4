"""Step: one checkpoint on all languages of one target -> a score and the predictions of each.

A language whose score is there, made from the same files, is kept; one that fails does not keep the
others from being scored.
"""

import argparse
import json
from typing import Any

from xstilts.running import lock, step
from xstilts.running.errors import DoesNotFit, UserError
from xstilts.running.record import read_node, same_spec
from xstilts.scoring.evaluate import Scorer, Unloadable, language
from xstilts.training import publish


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
    files = {"rows": args.rows, "encoded": args.encoded}
    if args.dev_rows:
        files |= {"dev_rows": args.dev_rows, "dev_encoded": args.dev_encoded}
    failed = []
    for (lang, spec), *of in zip(specs.items(), *files.values(), strict=True):
        same_spec(args.model, node["spec"], spec["model"])
        publish.delete_finished(args.model)
        paths = dict(zip(files, of, strict=True)) | {"state": args.state, "out": args.out}
        try:
            language(scorer, spec, cell, lang, paths)
        except (Unloadable, DoesNotFit):
            raise  # the same for every language
        except UserError as error:
            failed.append(f"{lang}: {error}")
            print(failed[-1], flush=True)
    if failed:
        raise UserError(f"{args.cell}: {'; '.join(failed)}")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--cell", required=True, help="model/intermediate/seed/target")
    p.add_argument("--specs", required=True, help="language -> spec of its score, as JSON")
    p.add_argument("--model", required=True, help="checkpoint folder")
    p.add_argument("--rows", required=True, nargs="+", help="prepared rows, one a language")
    p.add_argument("--encoded", required=True, nargs="+", help="encoded rows, one a language")
    p.add_argument("--dev-rows", nargs="*", help="the same of the dev split, where it settles")
    p.add_argument("--dev-encoded", nargs="*", help="a threshold; one a language, like these")
    p.add_argument("--state", required=True, help="folder of what is already computed")
    lock.add_argument(p)
    p.add_argument("--budget", type=int, default=65536, help="pieces of a rectangle")
    p.add_argument("--out", required=True, help="folder of the score files")
    return p


if __name__ == "__main__":
    step.run(main, parser())

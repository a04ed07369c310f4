"""Step: the records of the trials of a search -> which values are the best on the English dev set.

The weights of the others are deleted: they are in the state folders of their trials.
"""

import argparse
import json
from pathlib import Path

from xstilts.experiment import search
from xstilts.running.errors import UserError
from xstilts.running.files import digest, read_json, write_json
from xstilts.steps import process
from xstilts.training import choice, publish


def main(args: argparse.Namespace) -> None:
    """Write the choice."""
    spec = json.loads(args.spec)
    folders = {Path(path).parent.name: Path(path).parent for path in args.trials}
    tried = search.trials(spec["searched"])
    records = {name: read_json(folders[name] / publish.RECORD) for name in tried}
    for name, record in records.items():
        if digest(record["spec"]) != spec["trials"][name]:
            raise UserError(f"{folders[name]}: made by another spec; delete it, run again")
    best = choice.best(records, args.search)
    write_json(
        args.out,
        {
            "spec": spec,
            "pins": {k: v for record in records.values() for k, v in record["pins"].items()},
            "search": args.search,
            "seed": f"seed{records[best]['spec']['seed']}",
            search.CHOSEN: best,
            "values": tried[best],
            "edges": search.edges(spec["searched"], tried[best]),
            "folder": str(folders[best]),
            "trials": {name: choice.summary(record) for name, record in records.items()},
        },
    )
    for name, folder in folders.items():
        if name != best:
            publish.delete_finished(folder)
    for name, record in records.items():
        said = record.get(choice.DIVERGED) or f"{100 * choice.score(record):.2f}"
        print(f"{'*' if name == best else ' '} {name}: {said}")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help="of the choice, as JSON")
    p.add_argument("--search", required=True, help="its name: MODEL/INTERMEDIATE[/TASK]")
    p.add_argument("--trials", required=True, nargs="+", help="node.json of each trial")
    p.add_argument("--out", required=True, help="JSON: what is chosen")
    return p


if __name__ == "__main__":
    process.run(main, parser())

"""Step: a config -> what an experiment asks for: `grid.csv`, `traits.csv`, the resolved config,
`nodes.json`.

`grid.csv` has a row per score file, `traits.csv` all by which questions can be asked, `nodes.json`
every file by the digest of its spec. Pins that
other experiments of this folder have made are taken into the lock file, where it has none.
"""

import argparse
import json

import yaml

from xstilts.data import pin
from xstilts.experiment import config, graph, traits
from xstilts.experiment.grid import Grid
from xstilts.experiment.nodes import PINS
from xstilts.experiment.plan import rows, write
from xstilts.monitoring import claims, products
from xstilts.running.files import atomic, write_json
from xstilts.steps import process


def main(args: argparse.Namespace) -> None:
    """Write them."""
    grid = Grid(config.load(json.loads(args.config)))
    lines, settings = list(rows(grid, grid.cells)), grid.experiment.settings
    with atomic(args.resolved) as path:
        path.write_text(yaml.safe_dump(dict(settings), sort_keys=False))
    nodes = graph.build(grid)
    write_json(args.nodes, claims.content(args.name, args.lock, nodes, args.files))
    write(traits.table(traits.of(grid.experiment)), args.traits, traits.COLUMNS)
    write(lines, args.out)
    if args.lock:
        wanted = {
            node.key: node.spec
            for node in nodes.values()
            if node.rule in PINS and not node.spec["source"].startswith("toy")
        }
        pin.adopt(args.lock, wanted)
    products.write(args.record, "plan", config=products.settings_digest(settings))
    print(f"{len(grid.cells)} cells, {len(lines)} score files")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--config", required=True, help="the merged config, as JSON")
    p.add_argument("--name", required=True, help="of the experiment")
    p.add_argument("--lock", default="", help='the lock file, "" for none')
    p.add_argument("--files", nargs="*", default=[], help="the config files, to be named again")
    p.add_argument("--resolved", required=True, help="where the resolved config goes (YAML)")
    p.add_argument("--nodes", required=True, help="where the nodes go (JSON)")
    p.add_argument("--traits", required=True, help="where the traits go (CSV)")
    p.add_argument("--out", required=True, help="where the grid goes (CSV)")
    p.add_argument("--record", required=True, help="the record of the plan, written last")
    return p


if __name__ == "__main__":
    process.run(main, parser())

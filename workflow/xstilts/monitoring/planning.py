"""What Snakemake is told when it builds its graph: which inputs a node has now.

A node whose record is right has none; one that is to be made has all. So the record decides, and
the times of files do not.
"""

import base64
import dataclasses
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from xstilts.experiment.graph import Graph
from xstilts.experiment.nodes import PINS, Node
from xstilts.monitoring import claims, looking, products
from xstilts.monitoring.estimate.priorities import priorities
from xstilts.monitoring.products import Products
from xstilts.monitoring.records import Pins, Records, next_run
from xstilts.running import failure
from xstilts.running.mark import Mark, present

Inputs = dict[str, list[Any]]
MARK = "mark"  # the name of the mark among the inputs
OLD = "results/grid.csv"  # where 0.1.0 had it


class Planning:
    """The graph of one experiment, held against what is there."""

    def __init__(self, graph: Graph, name: str, lock: str) -> None:
        """Look at the lock file alone.

        Raises:
            UserError: the lock file is damaged.
        """
        self.graph, self.name, self.lock = graph, name, lock
        self.pins = Pins(lock, Path())
        self.records = Records(graph.nodes, self.pins)
        self.mark = Mark()
        self.read: list[str] = []  # the inputs of what is to be made
        self.replace = graph.grid.experiment.settings["replace"]
        self.again: set[str] = set()  # see `chosen_anew`
        self.told: set[str] = set()  # those of which a dry-run has been told
        self.others: list[claims.Experiment] | None = None
        self.incomplete = _incomplete(Path(".snakemake/incomplete"))
        self._products: Products | None = None
        self._looked = False
        self._priorities: dict[str, float] | None = None

    @property
    def pin_nodes(self) -> list[Node]:
        """The pins of every data set and model of the experiment."""
        return [node for node in self.graph.nodes.values() if node.rule in PINS]

    @property
    def products(self) -> Products:
        """What the experiment ends in; from then on the graph is whole."""
        if self._products is None:
            folder = products.home(self.name)
            listed = products.listed(self.graph, self.name)
            for node in self.pin_nodes:
                self.pins.adopt(node)
            self._products = Products(folder, self.records, listed)
        return self._products

    def reload(self) -> Products:
        """Look at the products anew, once what was chosen for the test split is known."""
        self._products = None
        return self.products

    def all(self) -> list[str]:
        """Return what the rule `all` asks for: pins, and the products with their records."""
        folder, named = products.home(self.name), self.products.named
        files = [node.key for node in self.pin_nodes]
        for rule, product in named.items():
            files += [*product.outputs, products.record_of(folder, rule)]
        return files

    def chosen_anew(self) -> set[str]:
        """Return the searches whose choice is to be made anew, where something is made by it."""
        if self.graph.grid.searches.all:
            assert self.products  # so that the graph is whole
            for node in list(self.graph.nodes.values()):
                self.again |= {self.graph.nodes[key].name for key in self.records.undecided(node)}
        return self.again

    def undecided(self, node: Node, workflow: Any) -> str:
        """Return a search on whose choice it hangs whether a node is to be made; "" if on none.

        A dry-run, in which nothing is chosen, is told so and shows what is certain.
        """
        if not workflow.is_main_process:
            return ""
        names = [self.graph.nodes[key].name for key in self.records.undecided(node)]
        name = next((name for name in names if name in self.again), "")
        if not (name and workflow.dryrun):
            return name
        if name not in self.told:
            self.told.add(name)
            line = f"note: {name}: what follows is made again only if other values win"
            print(line, file=sys.stderr, flush=True)
        return ""

    def decided(self) -> None:
        """Look anew at what is made, as something was chosen."""
        self.records.forget()

    def left(self, workflow: Any) -> str:
        """Say after a run that pins which it has made leave more to do; "" if not."""
        if workflow.dag_settings.targets:
            return ""  # asked for by name
        looked_up = [node.key for node in self.pin_nodes if not self.records.current(node.key)]
        if not looked_up:
            return ""
        now = Planning(self.graph, self.name, self.lock)
        run = next_run(self.graph.nodes, now.records) if now.products else set()
        return f"{len(run)} jobs are left, as pins were looked up: run it again" if run else ""

    def inputs(self, node: Node, workflow: Any) -> Inputs:
        """Return the inputs of a node: none if it is current."""
        made: Inputs = {name: list(paths) for name, paths in node.inputs.items()}
        if not workflow.is_main_process:
            return made  # a job that was submitted is to run
        _only_records_decide(workflow)
        self._look()
        if self.records.current(node.key):
            return self._kept(made, [node.key, *node.outputs], workflow)
        if not self.records.exists(node.key):
            return self._marked(made, _beside(node))
        if not self.replace:
            if self.others is None:
                self.others = claims.experiments(Path(), but=self.name)
            if line := claims.conflict(node, self.records, self.others):
                _refuse(line)
        return self._marked(made, [node.key, *node.outputs, *_beside(node)])

    def product(self, rule: str, workflow: Any) -> Inputs:
        """Return the inputs of a product: none if it is current."""
        product = self.products.named[rule]
        made: Inputs = {"files": list(product.inputs)}
        if not workflow.is_main_process:
            return made
        _only_records_decide(workflow)
        self._look()
        record = products.record_of(products.home(self.name), rule)
        outputs = [record, *product.outputs]
        if self.products.current(rule) and not (rule == "plan" and self.pins.to_lock):
            return self._kept(made, outputs, workflow)
        return self._marked(made, outputs)

    def priority(self, node: Node, workflow: Any) -> float:
        """Return the priority of a node's job, see `priorities`; 0 where the node is new since the
        graph was built: what is scored on test comes when all else is done."""
        if not workflow.is_main_process:
            return 0.0  # a job that was submitted is alone
        if self._priorities is None:
            try:
                self._priorities = priorities(self.graph.grid, self.graph.nodes, Path())
            except Exception as error:  # such as a damaged record, which this run makes anew
                self._priorities = {}
                line = f"note: jobs run in any order ({failure.line(error)})"
                print(line, file=sys.stderr, flush=True)
        return self._priorities.get(node.key, 0.0)

    def _look(self) -> None:
        """Look, once, at the folders that the run would read; end if something is wrong there."""
        if self._looked:
            return
        self._looked = True
        assert self.products  # so that pins are known
        found = looking.look(self.graph.grid, self.graph.nodes, self.records)
        for line in (*self.graph.grid.experiment.notes, *found.notes):
            print(f"note: {line}", file=sys.stderr, flush=True)
        if found.problems.lines:
            _refuse("\nerror: ".join(found.problems.lines))

    def _kept(self, made: Inputs, outputs: Iterable[str], workflow: Any) -> Inputs:
        """Return the inputs of what is not to be made.

        Where Snakemake may run it all the same (it was forced to, or holds it for incomplete), and
        where its provenance is asked for (the between-workflow cache), what is there, but not
        counting its times.
        """
        settings = workflow.dag_settings
        forced = settings.forceall or settings.forcerun or settings.forcetargets
        cached = workflow.workflow_settings.cache
        if not (forced or cached or self.incomplete.intersection(outputs)):
            return {}
        from snakemake.io import ancient  # type: ignore[import-untyped]

        return {
            name: [ancient(path) for path in paths if Path(path).exists()]
            for name, paths in made.items()
        }

    def start(self) -> None:
        """Say that the graph is built and jobs are about to start."""
        self.mark.start()
        present(self.read)

    def _marked(self, made: Inputs, outputs: list[str]) -> Inputs:
        paths = [path for files in made.values() for path in files]
        if self.mark.started:
            present(paths)
        self.read += paths
        if any(Path(path).exists() for path in outputs):
            made[MARK] = [self.mark.newer_than(outputs)]
        return made


def _beside(node: Node) -> list[str]:
    """The other files of a checkpoint's folder: Snakemake takes the oldest of its outputs."""
    if not any(path.endswith("model.safetensors") for path in node.outputs):
        return []
    return [str(path) for path in Path(node.key).parent.glob("*")]


def _only_records_decide(workflow: Any) -> None:
    """Switch off the triggers that compare with what `.snakemake` remembers, which is wrong after
    results were brought from elsewhere. `mtime` alone switches none on."""
    from snakemake.settings.enums import RerunTrigger  # type: ignore[import-untyped]

    settings = workflow.dag_settings
    if settings.rerun_triggers != frozenset({RerunTrigger.MTIME}):
        only = frozenset({RerunTrigger.MTIME})
        workflow.dag_settings = dataclasses.replace(settings, rerun_triggers=only)


def _refuse(line: str) -> None:
    """End with one line: an exception in an input function would come with a traceback."""
    print(f"error: {line}", file=sys.stderr, flush=True)
    raise SystemExit(1)


def _incomplete(folder: Path) -> set[str]:
    """Return the files that Snakemake holds for incomplete: a job for them was begun and has not
    ended, as far as it knows. (Their names are how it names its marks.)"""
    names: set[str] = set()
    for path in folder.rglob("*"):
        if path.is_file():
            encoded = "".join(part.removeprefix("@") for part in path.relative_to(folder).parts)
            try:
                names.add(base64.urlsafe_b64decode(encoded).decode())
            except ValueError:
                continue
    return names


def old_results(root: Path = Path()) -> str:
    """Say what lies here of xstilts 0.1.0, whose tables were not by experiment; "" if nothing."""
    if not (root / OLD).exists():
        return ""
    return (
        f"{OLD}: made by xstilts 0.1.0, whose tables were not in results/experiments/<name>/. Its"
        " checkpoints and scores are used where they fit; delete the rest: rm -r"
        " results/{grid.csv,config.yaml,tables,figures,report.html,submission,estimate.csv}"
    )

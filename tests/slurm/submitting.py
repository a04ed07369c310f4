"""An experiment that is submitted to the test cluster, with a record of every start of a step."""

import dataclasses
import os
import signal
import site
import subprocess
import time
import venv
from collections.abc import Iterable
from pathlib import Path

from tests.slurm.cluster import Cluster
from tests.workflow.running import OWN, ROOT, Experiment, Run, command, environment

PLUGIN = ROOT / ".venv-slurm"  # where `make test-slurm` installs it, outside the environment
PROFILE = ROOT / "workflow/profiles/slurm"
LOCAL = ROOT / "workflow/profiles/default"
POLLING = Path(__file__).with_name("polling.py")
# Trainings that take long enough to be ended in the middle.
SLOW = {"epochs": 10, "max_steps": 80, "eval_every": 1, "patience": 1000}
RECIPES = {"mnli": SLOW, "udpos": SLOW}
# The jobs that need no other, in the grid of the tests, and what they end in.
FIRST = "intermediate/xlmr/mnli/seed1"
TRAINING = "tune/xlmr/none/seed1/udpos_en"
RETRIEVAL = "evaluate/xlmr/none/noseed/tatoeba"
FIRST_STAGE = {
    FIRST: "results/encoders/xlmr/mnli/seed1/node.json",
    TRAINING: "results/tuned/xlmr/none/seed1/udpos_en/node.json",
    RETRIEVAL: "results/scores/xlmr/none/noseed/tatoeba/cell.json",
}
# Of the profile, what this cluster has otherwise; and no waiting for a slow file system.
HERE = ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1"]
HERE += ["--seconds-between-status-checks", "1", "--latency-wait", "10", "--jobs", "4"]
# The step, but looking at the queue more often.
ORPHANS = """
import runpy
from xstilts.running import orphans
orphans.POLL = 0.5
runpy.run_module("xstilts.steps.orphans", run_name="__main__")
"""


def python(folder: Path) -> Path:
    """Make an environment that is ours and the plugin, and records (`recording.py`)."""
    venv.create(folder, symlinks=True)
    [packages] = folder.glob("lib/python3*/site-packages")
    packages.joinpath("ours.pth").write_text("\n".join([*site.getsitepackages(), str(PLUGIN)]))
    packages.joinpath("sitecustomize.py").symlink_to(Path(__file__).with_name("recording.py"))
    return folder / "bin/python"


@dataclasses.dataclass
class Start:
    """One start of a step: the node it made, where, when."""

    node: str
    job: str
    host: str  # the name of the SLURM node
    gpu: str
    pid: int
    began: float
    ended: float | None = None


class Submitting(Experiment):
    """An experiment on the cluster."""

    def __init__(self, folder: Path, cluster: Cluster, python: Path) -> None:
        super().__init__(folder)
        self.cluster, self.python = cluster, python
        self.record = folder / "starts.txt"
        self.begun: list[subprocess.Popen] = []

    def copy(self, folder: Path, record: bool = False) -> "Submitting":
        """Return a copy in a new folder, without the record of starts unless that is asked for."""
        super().copy(folder)
        made = Submitting(folder, self.cluster, self.python)
        if not record:
            made.record.unlink(missing_ok=True)
        return made

    def local(self, *args: str) -> Run:
        """Run the workflow without the cluster."""
        return self.finish(self.begin(*args, profile=LOCAL))

    def submit(self, *args: str, limit: float = 900) -> Run:
        """Run the workflow on the cluster."""
        return self.finish(self.begin(*args), limit)

    def begin(self, *args: str, profile: Path = PROFILE, plain: bool = False) -> subprocess.Popen:
        """Start Snakemake as a process group of its own; `plain` without the faster polling."""
        line = command(self.folder, [self.folder / "config.yaml"], profile=False)
        line[line.index("--cores") : line.index("--cores") + 2] = []
        line[:3] = [self.python, "-m", "snakemake"] if plain else [self.python, POLLING]
        line += ["--workflow-profile", profile, *(HERE if profile == PROFILE else ["--cores", "2"])]
        with open(self.folder / "out.txt", "w") as out:
            process = subprocess.Popen(
                [*map(str, line), *args], cwd=self.folder, env=self.environment(),
                stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self.begun.append(process)
        return process

    def end(self) -> None:
        """Kill the Snakemakes that are still there, and end their jobs."""
        alive = [process for process in self.begun if process.poll() is None]
        for process in alive:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        if alive:
            self.orphans("--cancel")

    def orphans(self, what: str, hung: str = "") -> Run:
        """Have the orphans of this folder waited for or cancelled; once they are listed, let the
        node `hung` go on."""
        line = [self.python, "-c", ORPHANS, what, "--directory", self.folder]
        said = self.folder / "orphans.txt"
        with open(said, "w") as out:
            process = subprocess.Popen(
                list(map(str, line)), cwd=ROOT / "workflow", env=self.environment(),
                stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        while hung and process.poll() is None and "waits for" not in said.read_text():
            time.sleep(0.05)
        if hung:
            self.go_on(hung)
        return Run(process.wait(600), said.read_text())

    def finish(self, process: subprocess.Popen, limit: float = 900) -> Run:
        """Wait for a Snakemake."""
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"took more than {limit} s:\n{self.out}") from None
        finally:
            process.kill()
        return Run(code, self.out)

    @property
    def out(self) -> str:
        """What the last Snakemake has printed."""
        return (self.folder / "out.txt").read_text()

    def environment(self) -> dict[str, str]:
        """Return the environment of the processes, jobs included."""
        ours = {"SLURM_CONF": str(self.cluster.conf), "XSTILTS_STARTS": str(self.record)}
        return environment() | ours

    def fault(self, node: str, kind: str) -> None:
        """Have the next start of a node fail, in a way that `recording.py` knows."""
        folder = Path(f"{self.record}.faults")
        folder.mkdir(exist_ok=True)
        (folder / node.replace("/", "+")).write_text(kind)

    def go_on(self, node: str) -> None:
        """Have a node that hangs go on."""
        Path(f"{self.record}.faults", node.replace("/", "+") + ".over").touch()

    def starts(self) -> list[Start]:
        """Return every start of a step so far, in the order of the starts."""
        found: dict[tuple[str, str], Start] = {}
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        for line in lines:
            what, node, job, host, gpu, pid, when = line.split("\t")
            if what == "start":
                found[job, pid] = Start(node, job, host, gpu, int(pid), float(when))
            else:
                found[job, pid].ended = float(when)
        return list(found.values())

    def counts(self) -> dict[str, int]:
        """Return submitted node -> how often it was started."""
        nodes = [start.node for start in self.starts() if start.job]
        return {node: nodes.count(node) for node in sorted(set(nodes))}

    def tables(self) -> dict[str, bytes]:
        """Return the result tables by name; what things cost differs each time."""
        folder = self.path(f"{OWN}/tables")
        files = [path for path in sorted(folder.rglob("*.*")) if path.stem != "cost"]
        assert folder / "main.csv" in files, self.out
        return {str(path.relative_to(folder)): path.read_bytes() for path in files}

    def wait_for(self, node: str, text: str = "", limit: float = 180) -> Start:
        """Return the start of a node that runs now, once its log holds `text` (if any)."""
        return self.wait_for_any([node], text, limit)[1]

    def wait_for_any(
        self, nodes: Iterable[str], text: str = "", limit: float = 180
    ) -> tuple[str, Start]:
        """Return that one of some nodes which is the first to be as `wait_for` says, and its start.

        Of nodes that run side by side each may be over before another has begun.
        """
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            for start in reversed(self.starts()):
                if start.node in nodes and start.ended is None:
                    log = self.path(f"logs/{start.node}.log")
                    if not text or (log.exists() and text in log.read_text()):
                        return start.node, start
            time.sleep(0.05)
        raise AssertionError(f"{', '.join(nodes)} did not start in {limit} s:\n{self.out}")


def overlaps(starts: list[Start]) -> list[tuple[Start, Start]]:
    """Return the pairs of starts that had one GPU at one time; one that was killed has no end, so
    it counts as a moment."""
    spans = [(start, start.began, start.ended or start.began) for start in starts]
    return [
        (one, other)
        for i, (one, began, ended) in enumerate(spans)
        for other, other_began, other_ended in spans[i + 1 :]
        if (one.host, one.gpu) == (other.host, other.gpu)
        and began <= other_ended
        and other_began <= ended
    ]

"""The real Snakemake in a process of its own, on a toy experiment of seconds."""

import atexit
import contextlib
import copy
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from tests.workflow.warm import Server

ROOT = Path(__file__).resolve().parents[2]
SNAKEFILE = ROOT / "Snakefile"
OWN = "experiments/config"  # below results: what the experiment of config.yaml ends in
# Large enough to run, far too small to learn: what is shown here is which jobs run, and on what.
TINY: dict[str, Any] = {
    "source": "toy",
    "models": {"xlmr": {"from": "FacebookAI/xlm-roberta-base"}},
    "intermediates": {"mnli": {"tasks": ["mnli"]}},
    "targets": ["xnli", "udpos", "tatoeba"],
    "languages": ["de", "en"],
    "seeds": [1],
    "keep_tuned": True,
    "recipes": {
        "all": {
            "max_steps": 3, "learning_rate": 1.0e-3, "batch_size": 8, "max_length": 64,
            "eval_every": 3, "eval_rows": 8,
        }
    },
    "toy": {
        "languages": ["en", "de", "ru"],
        "sizes": {"train": 48, "dev": 12, "test": 12},
        "pretrain": {"steps": 3, "batch_size": 8, "layers": 2, "width": 32, "heads": 2},
    },
}  # fmt: skip


def tiny(**changes: Any) -> dict[str, Any]:
    """Return the tiny config with some of its keys replaced; `recipes` are laid over its own."""
    config = copy.deepcopy(TINY)
    config["recipes"] |= changes.pop("recipes", {})
    return config | changes


@dataclass
class Run:
    """How a call ended."""

    code: int
    out: str  # stdout and stderr together

    @property
    def nothing(self) -> bool:
        """Whether all was there already."""
        return self.code == 0 and "Nothing to be done" in self.out

    @property
    def jobs(self) -> dict[str, int]:
        """Rule -> number of jobs that were planned."""
        table = re.search(r"^job +count\n[- ]+\n(.*?)^total ", self.out, re.M | re.S)
        if table is None:
            assert "Nothing to be done" in self.out, self.out
            return {}
        return {line.split()[0]: int(line.split()[1]) for line in table[1].splitlines()}

    def ok(self) -> "Run":
        """Return itself, if it succeeded."""
        assert self.code == 0, self.out
        return self

    def failed(self, *texts: str) -> "Run":
        """Return itself, if it failed with one line that holds all of `texts`, and no traceback."""
        assert self.code != 0, self.out
        assert "Traceback" not in self.out and "internal error" not in self.out, self.out
        assert any(all(t in line for t in texts) for line in self.out.splitlines()), self.out
        return self


@cache
def server() -> Server:
    """The process that forks for the commands of this one."""
    folder = Path(tempfile.mkdtemp(prefix="xstilts-warm-"))
    started = Server(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(started.stop)
    return started


def run(args: list[str | Path], cwd: Path, limit: int = 900, packages: Path | None = None) -> Run:
    """Run a command under a hard limit, since Snakemake can hang when it is asked to stop.

    packages: a folder where Python looks too.
    """
    env = environment() | ({"PYTHONPATH": str(packages)} if packages else {})
    if args[0] == sys.executable:
        code, out = server().run([str(arg) for arg in args[1:]], cwd, env, limit)
        assert code not in (124, 137), f"took more than {limit} s:\n{out}"
        return Run(code, out)
    done = subprocess.run(
        ["timeout", "-k", "5", str(limit), *map(str, args)],
        cwd=cwd, env=env, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode not in (124, 137), f"took more than {limit} s:\n{done.stdout}"
    return Run(done.returncode, done.stdout)


def xstilts(
    folder: Path, *words: str | Path, packages: Path = ROOT / "workflow", limit: int = 900
) -> Run:
    """Run the command `xstilts` in a folder; `packages` has the package."""
    return run([sys.executable, "-m", "xstilts.cli", *words], folder, limit, packages)


def environment() -> dict[str, str]:
    """Return an environment in which nothing of the caller's hub, threads or profile is left."""
    ours = ("HF_", "TRANSFORMERS_", "SNAKEMAKE_", "OMP_", "PYTHONPATH")
    return {k: v for k, v in os.environ.items() if not k.startswith(ours)}


def command(folder: Path, configs: list[Path], *args: str, profile: bool = True) -> list[Any]:
    """Return the command line of the workflow, with its results in `folder`.

    profile: whether the default profile is used, which Snakemake finds beside the Snakefile.
    """
    return [
        sys.executable, "-m", "snakemake", "--snakefile", SNAKEFILE, "--configfile", *configs,
        "--cores", "2", "--directory", folder,
        *([] if profile else ["--workflow-profile", "none"]), *args,
    ]  # fmt: skip


@contextlib.contextmanager
def at_work(
    folder: Path, configs: list[Path], *args: str, until: Callable[[], bool]
) -> Iterator[subprocess.Popen]:
    """A process group of the workflow from when something is so on; killed, if it is not over."""
    with open(folder / "out.txt", "w") as out:
        process = subprocess.Popen(
            [str(arg) for arg in command(folder, configs, *args)], cwd=folder,
            env=environment(), stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while not until():
            assert time.monotonic() < deadline and process.poll() is None, folder
            time.sleep(0.02)
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


class Experiment:
    """A folder with a config and its results."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, config: dict[str, Any] | str, name: str = "config.yaml") -> Path:
        """Write a config, given as data or as text."""
        text = config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False)
        (self.folder / name).write_text(text)
        return self.folder / name

    def snakemake(self, *args: str, profile: bool = True, config: Path | None = None) -> Run:
        """Run the workflow."""
        configs = [config or self.folder / "config.yaml"]
        return run(command(self.folder, configs, *args, profile=profile), self.folder)

    def planned(self, *options: str, config: Path | None = None) -> dict[str, int]:
        """Return rule -> number of jobs that a run would do."""
        args = ["--dry-run", "--quiet", "rules", *options]
        return self.snakemake(*args, config=config).ok().jobs

    def step(self, name: str, *args: str | Path) -> Run:
        """Run one step as the rules do."""
        code = f"import sys; sys.path.insert(0, {str(ROOT / 'workflow')!r}); import runpy; "
        code += f"runpy.run_module('xstilts.steps.{name}', run_name='__main__')"
        return run([sys.executable, "-c", code, *args], self.folder)

    def path(self, name: str) -> Path:
        """Return a path below `results`."""
        return self.folder / "results" / name

    def read(self, name: str) -> str:
        """Return the text of a file below `results`."""
        return self.path(name).read_text()

    def copy(self, folder: Path) -> "Experiment":
        """Return a copy in a new folder, times and Snakemake's own records included."""
        shutil.copytree(self.folder, folder)
        return Experiment(folder)


def handed_over(folder: Path) -> Path:
    """Copy what a clone would have, but for the tests; return the folder."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in names.split("\0"):
        if name and not name.startswith("tests/") and (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name, follow_symlinks=False)
    return folder


def damage(path: Path) -> None:
    """Overwrite the second half of a file, as a full disk or a broken transfer may."""
    size = path.stat().st_size
    with open(path, "r+b") as file:
        file.seek(size // 2)
        file.write(b"\0" * (size - size // 2))

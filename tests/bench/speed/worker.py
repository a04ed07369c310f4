"""A process that measures one code: it does what it is told, a JSON object a line, and answers so.

PYTHONPATH=CHECKOUT/workflow:. python -m tests.bench.speed.worker FOLDER
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")


class Worker:
    """A process that measures the code of one checkout, between the measurements of others."""

    def __init__(self, folder: Path, code: Path = ROOT) -> None:
        environ = {k: v for k, v in os.environ.items() if k != "SLURM_JOB_ID"}
        environ |= dict.fromkeys(THREADS, "1")
        path = [str(code / "workflow"), str(ROOT), os.environ.get("PYTHONPATH", "")]
        environ["PYTHONPATH"] = os.pathsep.join(filter(None, path))
        environ |= {"TOKENIZERS_PARALLELISM": "false", "CUDA_VISIBLE_DEVICES": ""}
        command = [sys.executable, "-m", "tests.bench.speed.worker", str(folder)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environ, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def seconds(self, measure: str, *args: Any) -> float:
        """Return the seconds that one repeat of a function of `measures` takes.

        Raises:
            RuntimeError: it has failed; its traceback is on stderr.
        """
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps([measure, *args]) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{measure} {args}: the process that measures it has ended")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def main() -> None:
    """Measure until there is nothing to do; what a training prints is of no interest."""
    folder = Path(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    from . import measures

    for line in sys.stdin:
        measure, *args = json.loads(line)
        print(json.dumps(getattr(measures, measure)(folder, *args)), file=answers)


if __name__ == "__main__":
    main()

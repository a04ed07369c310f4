"""Everything a GPU has to show, in one command, in under 8 minutes.

    make gpu-check                                   # makes results/gpu-assets
    python3 tests/gpu/check.py --assets results/gpu-assets --out FOLDER

Needs torch with CUDA, transformers, safetensors, pyarrow, pandas and numpy; of `accelerate` (HF
Trainer) and `pynvml` (energy) it says where they are missing. No network, no installed xstilts.
Weights are random, of XLM-R Large's shape. Prints one table, writes FOLDER/gpu-check.json. Exit
code 1 if a part has failed. Without a GPU the same parts run on the CPU at toy size.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "workflow"), str(ROOT / "tests")]

from gpu import (  # noqa: E402
    assets,
    ceilings,
    claims,
    correctness,
    dual,
    evaluating,
    figures,
    fitting,
    measuring,
    memory,
    peer,
    resume,
    runner,
    several,
    sizes,
    training,
)
from gpu.runner import Part  # noqa: E402

SECONDS = 460  # of all parts together
# In the order of what is worth most: what compiles, which takes minutes, is last. With time limits
# that a part does not need if all is well.
PARTS = (
    Part("1 ceilings", ceilings.run, 30),
    Part("2 training step", training.run, 75),
    Part("2 training step, captured", training.run_captured, 45),
    Part("2 HF Trainer", peer.run, 60),
    Part("3 correctness", correctness.run, 80),
    Part("3 correctness, captured", correctness.run_captured, 45),
    Part("3 dual encoder", dual.run, 40),
    Part("4 out of memory", memory.run, 45),
    Part("4 less memory", fitting.run, 70),
    Part("5 resume", resume.run, 60),
    Part("6 claims, energy, memory", claims.run, 30),
    Part("7 evaluation", evaluating.run, 60),
    Part("7 mining", evaluating.run_mining, 60),
    Part("8 several at once", several.run, 50),
    Part("9 recorded training", measuring.run_recorded, 40),
    Part("9 alignment", measuring.run_alignment, 40),
    Part("2 training step, compiled", training.run_compiled, 120),
    Part("2 HF Trainer, compiled", peer.run_compiled, 110),
    Part("3 correctness, compiled", correctness.run_compiled, 60),
)


def main() -> int:
    """Run the parts; return the exit code."""
    args = parse()
    start = time.monotonic()
    import torch  # once, here: the parts are forked
    import transformers
    import transformers.models.xlm_roberta.modeling_xlm_roberta

    from xstilts.training import loop  # noqa: F401

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    scratch = Path(tempfile.mkdtemp(prefix="gpu-check-", dir=args.scratch))
    try:
        gpu = bool(torch.version.cuda) and has_gpu()
        setting = runner.Setting(
            sizes.LARGE if gpu else sizes.TOY, gpu, args.assets or scratch / "assets", scratch
        )
        if not args.assets:
            made = Part("0 assets", lambda its, _: assets.make(its.assets, its.size), 120)
            results = [runner.run_part(made, setting, 120)]
        else:
            results = []
        for part in PARTS:
            if args.only and not any(part.name.startswith(one) for one in args.only):
                continue
            left = args.seconds - (time.monotonic() - start)
            results.append(runner.run_part(part, setting, max(0.0, min(part.limit, left))))
            print(figures.table(results[-1:]), flush=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    failed = [one["part"] for one in results if is_failed(one)]
    seconds = time.monotonic() - start
    record = machine(gpu) | {
        "size": "XLM-R Large" if gpu else "toy, on a CPU",
        "seconds": round(seconds, 1), "failed": failed,
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "parts": results,
    }  # fmt: skip
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "gpu-check.json").write_text(json.dumps(record, indent=1) + "\n")
    said = f"failed: {', '.join(failed)}" if failed else "nothing failed"
    print(f"{record['card']}, {record['size']}: {seconds:.0f} s, {said}")
    return bool(failed)


def parse() -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--assets", type=Path, help="what `make gpu-check` has made; else toy ones")
    parser.add_argument("--out", type=Path, required=True, help="folder for gpu-check.json")
    parser.add_argument("--only", nargs="+", help="parts, by how their names begin: 1, 2, ...")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of all parts together")
    parser.add_argument("--scratch", help="folder for what is deleted at the end")
    return parser.parse_args()


def has_gpu() -> bool:
    """Return whether the machine has a GPU of NVIDIA, without asking CUDA."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return False
    try:
        return bool(subprocess.run(["nvidia-smi", "-L"], capture_output=True, timeout=60).stdout)
    except (OSError, subprocess.SubprocessError):
        return Path("/dev/nvidiactl").exists()


def is_failed(result: dict[str, Any]) -> bool:
    """Return whether a part, or a figure of it, has failed."""
    return bool(result["error"]) or any(row["ok"] is False for row in result["figures"])


def machine(gpu: bool) -> dict[str, str]:
    """Return card, driver, host and date, and the code that ran."""
    from xstilts.running import record

    card, driver = platform.machine() + " CPU", ""
    if gpu:
        query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
        try:
            said = subprocess.run(query, capture_output=True, text=True, timeout=30, check=True)
            card, driver = said.stdout.splitlines()[0].split(", ")
        except (OSError, subprocess.SubprocessError, IndexError, ValueError):
            card = "a GPU that nvidia-smi does not name"
    date = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return {
        "card": card, "driver": driver, "cpus": str(os.cpu_count()), "date": date,
        "code": record.code(),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())

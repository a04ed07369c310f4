"""The host memory that two ranks take while a checkpoint is loaded into their shards.

    PYTHONPATH=workflow:. python tests/bench/loading.py [--gigabytes 2] [--half] [--whole]

makes a checkpoint of random weights (XLM-R's shape, fp32 or, with
`--half`, stored in fp16), loads it in two processes on the CPU,
where shards stay in the host's memory, and prints each one's peak, sampled a hundred times a
second: RssAnon, memory that is the process's own, and VmRSS, with what is mapped of files, which
the kernel takes back when memory is short. `--whole`: each loads all of it first, as without.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

RANKS = 2
WIDTH, VOCABULARY = 1024, 32_000  # a layer of 12.6 M parameters


def make(folder: Path, gigabytes: float, half: bool = False) -> None:
    """Write the checkpoint, of so many GB in fp32."""
    import torch
    import transformers

    layers = round((gigabytes * 1e9 / 4 - VOCABULARY * WIDTH) / (12 * WIDTH * WIDTH))
    config = transformers.XLMRobertaConfig(
        vocab_size=VOCABULARY, hidden_size=WIDTH, num_hidden_layers=layers,
        num_attention_heads=16, intermediate_size=4 * WIDTH, max_position_embeddings=514,
    )  # fmt: skip
    with torch.device("meta"):
        model = transformers.XLMRobertaModel(config, add_pooling_layer=False)
    model.to_empty(device="cpu")
    with torch.no_grad():
        for number, parameter in enumerate(model.parameters()):
            parameter.fill_(1e-3 * (number + 1))
    (model.half() if half else model).save_pretrained(folder, max_shard_size="100GB")


def memory() -> dict[str, float]:
    """Return what /proc says of this process, in GB."""
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    return {line[0][:-1]: int(line[1]) * 1024 / 1e9 for line in lines if line[0][:-1] in KEYS}


KEYS = ("RssAnon", "RssFile", "VmRSS")


def rank(folder: str, whole: bool) -> None:
    """Load as a rank does; print before, peak, and after."""
    import torch

    from xstilts.models import checkpoint, shard_loading, shards
    from xstilts.running import ranks

    with ranks.joined(600):
        import torch.distributed.fsdp

        cpu, done, peak = torch.device("cpu"), threading.Event(), dict.fromkeys(KEYS, 0.0)
        before = memory()

        def watch() -> None:
            while not done.is_set():
                for key, value in memory().items():
                    peak[key] = max(peak[key], value)
                time.sleep(0.01)

        watcher = threading.Thread(target=watch)
        watcher.start()
        start = time.perf_counter()
        if whole:
            encoder = checkpoint.load_encoder(folder, dropout=0.1)
            shards.shard(cpu, encoder)
        else:
            encoder = shard_loading.load(folder, cpu, dropout=0.1)
        seconds = time.perf_counter() - start
        done.set()
        watcher.join()
        parameters = list(encoder.parameters())
        for number, parameter in enumerate(parameters):
            wanted = torch.tensor(1e-3 * (number + 1))
            off = (shards.local_tensor(parameter) - wanted).abs()
            assert not off.numel() or off.max() <= 1e-3 * wanted, number
        for one in range(ranks.size()):
            if ranks.agreed(None) is None and one == ranks.rank():
                shown = ", ".join(f"{k} {before[k]:.2f} -> at most {peak[k]:.2f}" for k in KEYS)
                print(f"rank {one}: {shown} GB, {seconds:.1f} s", flush=True)
            ranks.every(None)


def main() -> None:
    """Make the checkpoint, launch two ranks."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--gigabytes", type=float, default=2.0)
    p.add_argument("--half", action="store_true")
    p.add_argument("--whole", action="store_true")
    p.add_argument("--folder", help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.folder:
        rank(args.folder, args.whole)
        return
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), args.gigabytes, args.half)
        size = (Path(folder) / "model.safetensors").stat().st_size
        print(f"a checkpoint of {size / 1e9:.2f} GB in {RANKS} ranks", flush=True)
        launch = "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(RANKS)
        more = ["--whole"] if args.whole else []
        subprocess.run(
            [sys.executable, *launch, __file__, "--folder", folder, *more],
            check=True, env=os.environ | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip


if __name__ == "__main__":
    main()

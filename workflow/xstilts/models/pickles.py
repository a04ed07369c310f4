"""Weights without safetensors: pickles, converted once, in a process of their own.

XLM-R XL and XXL, mDeBERTa-v3, mT5, umT5 and XGLM have `pytorch_model*.bin` alone on their main
branch. Loading a pickle can run any code, so:

- it is read by `torch.load(weights_only=True)`, which builds tensors and plain containers and calls
  nothing else, in every process and on every system. What that refuses stays refused;
- in a process of its own (`python -m xstilts.models.pickles FOLDER OUT`), which reads nothing but
  the shards and writes nothing but safetensors. The file system is not closed to it;
- without a network. On Linux where it may make namespaces (root; users, unless the administrator
  has forbidden it, as Ubuntu 24.04 does by AppArmor, and most containers) by the kernel, for any
  code: there is no interface, not even loopback; sockets that are files (`/run/*.sock`) are not
  covered. Everywhere besides by an audit hook of Python, which refuses sockets and new processes
  to Python code alone: where that is all, code that got past `weights_only` and is not Python's
  would not be held. The log says which of the two it was.

Shard by shard, mapped into memory (files of torch before 1.6 are no archives and are read whole),
so that the peak of host memory is about one shard. Names stay as they are; a tensor with several
names is written under each, as transformers takes its own choice among them.
"""

import contextlib
import ctypes
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xstilts.data import source as sources
from xstilts.running.errors import UserError
from xstilts.running.files import read_json, sha256

SINGLE, INDEX = "pytorch_model.bin", "pytorch_model.bin.index.json"
SCRATCH = ".safetensors"  # the folder of the converted weights, beside what is made of them
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000  # linux/sched.h
# Audit events (docs.python.org/3/library/audit_events.html) that the process may not cause.
FORBIDDEN = (
    "socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile",
    "os.system", "pty.spawn", "ctypes.dlopen",
)  # fmt: skip
REFUSED = 2  # the exit code of a refusal, whose line is the last of stderr


@contextlib.contextmanager
def as_safetensors(folder: Path, name: str, beside: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """Hold a folder of model `name` whose weights are safetensors.

    Args:
        folder: as it was fetched.
        beside: where there is room for the converted weights while they are needed.

    Yields:
        The folder itself and {}, or one with the weights converted, and the SHA-256 of each pickle.

    Raises UserError: weights that are damaged, incomplete, or hold more than weights.
    """
    scratch = beside / SCRATCH
    shutil.rmtree(scratch, ignore_errors=True)  # of one that was killed
    if sources.has_safetensors(path.name for path in folder.iterdir()):
        yield folder, {}
        return
    try:
        scratch.mkdir(parents=True)
        for pattern in sources.MODEL_FILES:
            for path in folder.glob(pattern):
                if path.name != INDEX:
                    (scratch / path.name).symlink_to(path.resolve())
        pickles = [folder / file for file in shards(folder, name)]
        _apart(folder, scratch, name)
        _name_architecture(scratch, name)
        yield scratch, {path.name: sha256(path) for path in pickles}
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def shards(folder: Path, name: str) -> list[str]:
    """Return the names of the files that hold the weights, as transformers looks for them."""
    if (folder / SINGLE).is_file():
        return [SINGLE]
    try:
        files = list(dict.fromkeys(read_json(folder / INDEX)["weight_map"].values()))
        plain = all(isinstance(file, str) and Path(file).name == file for file in files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        files, plain = [], False
    if not files or not plain:
        raise UserError(
            f"model {name}: {folder / INDEX} is not an index of weights; fetch it again"
        )
    for file in files:
        if not (folder / file).is_file():
            raise UserError(f"model {name}: {file} is missing, though {INDEX} names it")
    return files


def _apart(folder: Path, out: Path, name: str) -> None:
    """Convert in a process of its own."""
    command = [sys.executable, "-m", "xstilts.models.pickles", str(folder), str(out), name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr, sep="", end="")
    if done.returncode == REFUSED:
        raise UserError(done.stderr.strip().splitlines()[-1])
    if done.returncode:
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"code {done.returncode}"
        last = (done.stderr.strip().splitlines() or ["is there memory for the largest file?"])[-1]
        raise UserError(f"model {name}: converting its pickles ended with {how} ({last})")


def _name_architecture(folder: Path, name: str) -> None:
    """Call an XLM-R XL or XXL by its name where its config does not: a `config.json` that XXL has
    had on the hub (commit 51b1d0c) has the `model_type` of XLM-R, whose layers are others."""
    from safetensors import safe_open

    path = folder / "config.json"
    config = read_json(path)
    if config.get("model_type") != "xlm-roberta":
        return
    for file in folder.glob("*.safetensors"):
        with safe_open(file, "pt") as weights:
            names = list(weights.keys())
        if any(".self_attn_layer_norm." in key for key in names):
            print(f"{name}: an XLM-R XL by its weights, which its config.json calls xlm-roberta")
            path.unlink()  # a link to what was fetched
            path.write_text(json.dumps(config | {"model_type": "xlm-roberta-xl"}))
            return


def no_network(namespace: bool = True) -> str:
    """Take the network from this process, for good; return by what.

    To be called while there is one thread, as the kernel wants it. `forbid` comes after imports.
    """
    if namespace and sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        for flags in (CLONE_NEWNET, CLONE_NEWUSER | CLONE_NEWNET):
            if libc.unshare(flags) == 0:
                return "a network namespace that is empty"
    return "an audit hook of Python alone"


def forbid() -> None:
    """Refuse sockets and new processes to Python code in this process, for good."""

    def hook(event: str, _: Any) -> None:
        if event.startswith(FORBIDDEN):
            raise PermissionError(f"{event} is not for a process that reads pickles")

    sys.addaudithook(hook)


def convert(folder: Path, out: Path, name: str) -> None:
    """Write the safetensors, and their index, of a folder's pickles."""
    from safetensors.torch import save_file

    files = shards(folder, name)
    weight_map: dict[str, str] = {}
    total = 0
    for i, file in enumerate(files, 1):
        shard = f"model-{i:05d}-of-{len(files):05d}.safetensors"
        target = "model.safetensors" if files == [SINGLE] else shard
        weights = _separate(read(folder / file, name))
        save_file(weights, out / target, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(weights, target)
        total += sum(tensor.nbytes for tensor in weights.values())
        del weights  # before the next is mapped
    if files != [SINGLE]:
        index = {"metadata": {"total_size": total}, "weight_map": weight_map}
        (out / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")


def read(path: Path, name: str) -> dict[str, Any]:
    """Return the tensors of one pickle, by name."""
    import torch

    with open(path, "rb") as file:
        archive = file.read(4) == b"PK\x03\x04"
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True, mmap=archive)
    except Exception as error:
        called = re.search(r"GLOBAL (\S+)", str(error))
        if isinstance(error, pickle.UnpicklingError) and called:
            raise _more(path, name, called[1].rstrip(".")) from None
        raise UserError(
            f"model {name}: {path} is damaged, or no file of weights ({type(error).__name__}); "
            "fetch it again"
        ) from None
    if not isinstance(weights, dict):
        raise _more(path, name, type(weights).__name__)
    for key, value in weights.items():
        plain = isinstance(value, torch.Tensor) and value.layout == torch.strided
        if not (isinstance(key, str) and plain) or value.is_quantized:
            raise _more(path, name, f"{key}: {type(value).__name__}")
    return weights


def _more(path: Path, name: str, what: str) -> UserError:
    return UserError(
        f"model {name}: {path} holds more than weights ({what}), so it is not loaded, because a "
        "pickle can run any code; give a `revision` that has safetensors (on the hub often "
        "`refs/pr/<n>`)"
    )


def _separate(weights: dict[str, Any]) -> dict[str, Any]:
    """Copy tensors whose memory another one has, too: safetensors holds no shared memory."""
    seen: set[int] = set()
    apart = {}
    for key, tensor in weights.items():
        place = tensor.untyped_storage().data_ptr()
        apart[key] = tensor.clone() if place in seen else tensor.detach()
        apart[key] = apart[key].contiguous()
        seen.add(place)
    return apart


def main(folder: str, out: str, name: str) -> int:
    """Convert, with the network away; return the exit code."""
    how = no_network()
    import safetensors.torch  # noqa: F401  all that is needed, before it is forbidden
    import torch  # noqa: F401

    forbid()
    try:
        convert(Path(folder), Path(out), name)
    except UserError as error:
        print(error, file=sys.stderr)
        return REFUSED
    print(f"{name}: its pickles became safetensors in a process without network, by {how}")
    return 0


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    sys.exit(main(*sys.argv[1:]))

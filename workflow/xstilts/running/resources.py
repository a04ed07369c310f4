"""What a job asks the scheduler for: memory, minutes, GPUs, name. Pure; the only such numbers.

A request that is too small ends a job, one that is too large makes it wait. So these lean to the
generous side of a slow GPU, grow with every attempt, and stop growing where a job would no longer
start anywhere. Any of them is overridden in a profile (`set-resources`), never in a rule.
"""

from collections.abc import Iterable
from pathlib import Path

from xstilts.running import weights

# Host memory in MB. Two nested Snakemakes take 230 each, torch with CUDA up to 3,000.
BASE_MB = 4_000
# Copies of the weights that are in host memory at a time: the best so far and, while a state is
# saved, those of the step and the optimizer's two. On a GPU they are pinned, and stay so; torch
# rounds each tensor up to a power of two then, 1.5 times the memory for XLM-R Base, 1.05 for Large.
COPIES = 6
CPU_COPIES = 5  # without a GPU also: weights in use, gradients, two moments, activations
# Seconds until a process computes, on a cold shared file system.
START_SECONDS = 600
# FLOP/s that a training reaches at least: a tenth of what an A100 can do in bf16, half of what a
# V100 can in fp32 (XLM-R Large, MNLI: about an hour an epoch). On a CPU, of one thread.
GPU_RATE, CPU_RATE = 20e12, 30e9
# FLOP a parameter and piece: 2 forward, 4 backward (Kaplan et al. 2020, arXiv 2001.08361).
FORWARD, TRAINING = 2, 6
# A decoder writes a token of each sequence of a batch at a time, which is bound by memory: the
# share of the rate above that is left (assumed; no GPU has been measured).
WRITING = 0.25
DEV_SHARE = 1.5  # evaluations along the way
PIECE_BYTES = 4  # of an encoded file, int32; the rest of it is small
# A retrieval holds and searches embeddings of all sentences: copies of them, their width in XLM-R
# Large, pieces of a sentence at least.
EMBEDDINGS, WIDTH, SENTENCE = 4, 1024, 20
# Of prepared rows: bytes of text in one of a file; bytes in memory of a text and its translation,
# as objects, in one of a file. Characters that a translator reads in a second at least.
UNPACKED, TEXTS, GPU_LETTERS, CPU_LETTERS = 4, 40, 5_000, 500
# Characters of rows that are measured, or read and changed, in a second at least.
FILTERED = 200_000
# Bytes of the hidden states of one side of an alignment set, of all layers, that are in memory;
# more are in a file.
STATES = 2**29
# A prepared set has so few bytes a picture at least; pictures that a process decodes a second at
# least, states of a picture at most, and the memory of a process that decodes.
ID_BYTES, DECODED, PATCHES, DECODER_MB = 4, 30, 577, 1_000
# Each attempt asks for this much more than the last.
MEMORY_GROWTH, TIME_GROWTH = 1.5, 2
# No job asks for more: nodes of 256 GB and limits of a day are common, and a training that meets
# the limit of time goes on where it was.
MOST_MB, MOST_MINUTES = 250_000, 24 * 60
# Before the limit of time, SLURM sends SIGUSR1 to the step, so that a training can save its state.
WARNING_SECONDS = 120


def memory(
    model: int,
    data: int,
    gpus: int,
    attempt: int,
    searched: int = 0,
    trained: float = 1.0,
    sharded: bool = False,
) -> int:
    """Return the host memory of a job in MB.

    Args:
        model: bytes of the checkpoint in fp32 (`weights.loaded`), as everywhere here.
        data: bytes of the encoded rows.
        gpus: 0 for a job on the CPU.
        attempt: 1 for the first.
        searched: bytes of the encoded rows of a retrieval; without a pool, which is in memory in
            parts.
        trained: what is trained to the model's parameters; of an adapter a few percent.
        sharded: whether each process has a part of the model alone.
    """
    processes = max(1, gpus)  # each loads the model, unless it is sharded, and the rows
    copies = max(1.0, COPIES * trained) + (0 if sharded else processes - 1)
    copies += 0 if gpus else CPU_COPIES * trained
    need = processes * BASE_MB + (copies * model + 2 * processes * data) / 1e6
    need += EMBEDDINGS * 4 * WIDTH * _sentences(searched) / 1e6
    return min(MOST_MB, int(need * MEMORY_GROWTH ** (attempt - 1)))


def translation_memory(model: int, rows: int, shards: int, attempt: int) -> int:
    """Return the host memory of a shard of a translation in MB.

    Args:
        model: bytes of the converted checkpoint, 0 for none.
        rows: bytes of the prepared rows, of all shards.
        shards: their number; a shard holds its texts, and its translations.
    """
    need = BASE_MB + (2 * model + TEXTS * rows / shards) / 1e6
    return min(MOST_MB, int(need * MEMORY_GROWTH ** (attempt - 1)))


def translation_minutes(rows: int, shards: int, gpus: int, attempt: int) -> int:
    """Return the time limit of a shard of a translation in minutes; `rows` as above. One that
    meets it goes on after its last block."""
    seconds = START_SECONDS + UNPACKED * rows / shards / (gpus * GPU_LETTERS or CPU_LETTERS)
    return min(MOST_MINUTES, int(seconds / 60 * TIME_GROWTH ** (attempt - 1)) + 1)


def filtering_memory(rows: int, attempt: int) -> int:
    """Return the host memory in MB of what reads rows one after another; `rows` in bytes of the
    prepared ones, of which eight bytes a row, and lexicons, are in memory."""
    return min(MOST_MB, int((BASE_MB + 2 * rows / 1e6) * MEMORY_GROWTH ** (attempt - 1)))


def filtering_minutes(rows: int, attempt: int) -> int:
    """Return the time limit of it in minutes; `rows` in bytes of what is read."""
    seconds = START_SECONDS + UNPACKED * rows / FILTERED
    return min(MOST_MINUTES, int(seconds / 60 * TIME_GROWTH ** (attempt - 1)) + 1)


def training_minutes(model: int, data: int, epochs: float, gpus: int, attempt: int) -> int:
    """Return the time limit of a training in minutes; `data` in bytes of encoded train rows."""
    work = TRAINING * DEV_SHARE * epochs * _flop(model, data)
    return _minutes(work, gpus, attempt)


def evaluation_minutes(
    model: int, data: int, gpus: int, attempt: int, searched: int = 0, pool: int = 0
) -> int:
    """Return the time limit of the evaluation of all languages of a target, in minutes; `pool` in
    bytes of the candidates of the searched rows, 0 where these are searched among themselves."""
    # Each sentence of one half against each of the other, or each against each of the pool, on one
    # CPU thread, and as much again to find the nearest of each.
    pairs = _sentences(searched) * _sentences(pool) if pool else (_sentences(searched) / 2) ** 2
    search = 2 * 2 * WIDTH * pairs
    return _minutes(FORWARD * _flop(model, data), gpus, attempt, search / CPU_RATE)


def features_memory(model: int, processes: int, attempt: int) -> int:
    """Return the host memory of what makes features of pictures, in MB; `processes` decode."""
    need = BASE_MB + 3 * model / 1e6 + processes * DECODER_MB
    return min(MOST_MB, int(need * MEMORY_GROWTH ** (attempt - 1)))


def features_minutes(model: int, pictures: float, gpus: int, processes: int, attempt: int) -> int:
    """Return the time limit of it, in minutes."""
    flop = FORWARD * model / weights.FP32 * PATCHES * pictures
    return _minutes(flop, gpus, attempt, pictures / DECODED / max(1, processes))


def writing_memory(model: int, gpus: int, attempt: int) -> int:
    """Return the host memory of a job in which a decoder writes, in MB; `model` in stored bytes, of
    which a CPU, which computes in fp32, may have twice as many."""
    need = BASE_MB + (1 if gpus else 3) * model / 1e6
    return min(MOST_MB, int(need * MEMORY_GROWTH ** (attempt - 1)))


def writing_minutes(model: int, tokens: float, gpus: int, attempt: int) -> int:
    """Return the time limit of it in minutes; `tokens` of all answers, at most."""
    parameters = model / 2  # stored in bf16
    return _minutes(FORWARD * parameters * tokens / WRITING, gpus, attempt)


def _sentences(searched: int) -> float:
    return searched / PIECE_BYTES / SENTENCE


def _flop(model: int, data: int) -> float:
    """Return parameters times pieces."""
    return model / weights.FP32 * data / PIECE_BYTES


def _minutes(flop: float, gpus: int, attempt: int, more: float = 0.0) -> int:
    seconds = START_SECONDS + more + flop / (gpus * GPU_RATE or CPU_RATE)
    return min(MOST_MINUTES, int(seconds / 60 * TIME_GROWTH ** (attempt - 1)) + 1)


def bytes_of(paths: str | Iterable[str]) -> int:
    """Return the size of files in bytes; FileNotFoundError if one is not made yet."""
    return sum(Path(path).stat().st_size for path in ([paths] if isinstance(paths, str) else paths))


def sbatch(name: str) -> str:
    """Return what sbatch is told besides: when to warn the step, and the name of the node.

    The name goes into the comment, because the job name is how the plugin asks for its jobs. The
    plugin sets a comment of its own (rule and wildcards, which do not name a target) and refuses
    the option in full; of two, sbatch takes the last, and it takes the shortened form. The plugin
    also takes a `-J` anywhere for the option of that name, hence the quotes, which the shell eats.
    """
    quoted = name.replace("-J", "-''J")
    return f"--signal=USR1@{WARNING_SECONDS} --commen={quoted}"

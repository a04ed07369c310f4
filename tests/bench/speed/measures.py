"""The measurements that run in a worker, each a function that returns seconds of one repeat.

The arithmetic of both sides is the same: our encoder, collation, head and loss are around HF
Trainer's loop, and around its prediction.
"""

import dataclasses
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from tests.gpu import assets, models, trainer
from tests.gpu.evaluating import pool
from tests.gpu.watching import Watch, fit

from xstilts.encoding.encoded import Encoded

from . import rows

BUDGET = 16384  # tokens of a micro-batch: the default of the train step
WIDTH = 384  # of the embeddings of sentences
NEIGHBOURS = 4


@cache
def _encoder(folder: Path) -> Any:
    from xstilts.models import checkpoint
    from xstilts.running import device

    return checkpoint.load_encoder(folder).to(device.choose())


@cache
def _task(folder: Path, name: str) -> Any:
    case = next(case for case in rows.CASES if case.name == name)
    task = models.task(folder, name, _encoder(folder), case.batch, dev_rows=4)
    data = task.train["en"]
    groups = data.arrays["groups"][: data.meta["measured"] + 1]
    return dataclasses.replace(
        task, train={"en": Encoded(data.arrays | {"groups": groups}, data.meta)}
    )


def train(folder: Path, name: str) -> float:
    """Train one epoch by our loop."""
    task, encoder = _task(folder, name), _encoder(folder)
    steps = len(task.train["en"]) // task.batch_size
    watch = Watch(0, steps)
    spec = models.spec(2 * steps, task.batch_size)
    spec["recipe"] = {key: value for key, value in spec["recipe"].items() if key != "grouping"}
    return fit(encoder, [task], spec, encoder.device, BUDGET, watch).seconds


def train_trainer(folder: Path, name: str, way: str) -> float:
    """Train one epoch by HF Trainer, at its default or at its best."""
    task, encoder = _task(folder, name), _encoder(folder)
    steps = len(task.train["en"]) // task.batch_size
    epoch = trainer.Epoch(0, steps, task.batch_size)
    seconds, _, by = trainer.train(encoder, task, encoder.device, epoch, way)
    assert by == "HF Trainer", by
    return seconds


def evaluate(folder: Path, name: str) -> float:
    """Predict the dev rows: to what decoding needs."""
    from xstilts.scoring import predict

    task, encoder = _task(folder, name), _encoder(folder)
    data, _ = assets.read(folder, name, "dev")
    start = time.perf_counter()
    predict.reduced(task.page, encoder, task.head, data, encoder.device, 4 * BUDGET)
    return time.perf_counter() - start


def evaluate_trainer(folder: Path, name: str, way: str) -> float:
    """Predict the dev rows by `Trainer.predict`; at its best with batches of like length."""
    import tempfile

    from transformers import Trainer

    task, encoder = _task(folder, name), _encoder(folder)
    data, _ = assets.read(folder, name, "dev")
    width = data.meta["spec"]["max_length"] if way == "default" else None
    epoch = trainer.Epoch(0, 1, task.batch_size)
    with tempfile.TemporaryDirectory() as out:
        arguments = trainer.arguments(out, epoch, way, False, encoder.device.type == "cuda")
        if way == "best":
            arguments.per_device_eval_batch_size = 32
        predictor = Trainer(
            model=trainer.peer_model(encoder, task), args=arguments,
            data_collator=trainer.collator(data, task.page, width),
        )  # fmt: skip
        start = time.perf_counter()
        predictor.predict(trainer.Rows(data))
    return time.perf_counter() - start


@cache
def _texts(folder: Path, count: int) -> list[dict[str, Any]]:
    _, own = assets.read(folder, "mnli", "train")
    return [own[i % len(own)] | {"id": str(i)} for i in range(count)]


@cache
def _tokenizer(folder: Path) -> Any:
    from xstilts.encoding.tokenizer import load_tokenizer

    return load_tokenizer(folder / "tokenizer.json")


@cache
def _fast_tokenizer(folder: Path) -> Any:
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))


def encode(folder: Path, count: int) -> float:
    """Encode pairs of texts by our page of classification."""
    own, tokenizer = _texts(folder, count), _tokenizer(folder)
    start = time.perf_counter()
    assets.encode(tokenizer, "classification", own, 128)
    return time.perf_counter() - start


def encode_transformers(folder: Path, count: int) -> float:
    """Encode the same by transformers' fast tokenizer, in one batch."""
    own, tokenizer = _texts(folder, count), _fast_tokenizer(folder)
    pairs = [row["text"] for row in own], [row["text_pair"] for row in own]
    start = time.perf_counter()
    tokenizer(*pairs, truncation="longest_first", max_length=128)
    return time.perf_counter() - start


@cache
def _pools(count: int) -> tuple[np.ndarray, np.ndarray]:
    return pool(count, WIDTH)


def mine(folder: Path, count: int) -> float:
    """Mine two pools."""
    from xstilts.metrics import mining

    pools = _pools(count)
    start = time.perf_counter()
    mining.mine(*pools)
    return time.perf_counter() - start


def mine_faiss(folder: Path, count: int) -> float:
    """Search the neighbours of both pools in flat indices of faiss, without scores and pairs."""
    import faiss

    faiss.omp_set_num_threads(1)
    source, target = (p / np.linalg.norm(p, axis=1, keepdims=True) for p in _pools(count))
    start = time.perf_counter()
    for queries, candidates in ((source, target), (target, source)):
        index = faiss.IndexFlatIP(candidates.shape[1])
        index.add(candidates)
        index.search(queries, NEIGHBOURS)
    return time.perf_counter() - start


def mine_product(folder: Path, count: int) -> float:
    """Make the bare products of the two pools, in both directions, with numpy."""
    source, target = _pools(count)
    start = time.perf_counter()
    for queries, candidates in ((source, target), (target, source)):
        for first in range(0, len(queries), 1024):
            queries[first : first + 1024] @ candidates.T
    return time.perf_counter() - start

"""HF Trainer on an encoded task: its loop, sampler and optimizer around our encoder, collation and
loss, so that the arithmetic is the same. Used by tests/bench/speed too."""

import dataclasses
import itertools
import tempfile
import time
from typing import Any

import numpy as np

from xstilts.scoring import predict

from .models import sync

WAYS = ("default", "best")  # padded to the longest a row may be; batches of like length, fused


@dataclasses.dataclass(frozen=True)
class Epoch:
    """Steps before a measurement, and in it; examples a step; processes that make batches."""

    warm: int
    steps: int
    batch_size: int
    workers: int = 0
    seed: int = 1


def has_trainer() -> bool:
    """Return whether HF Trainer can be used: it needs accelerate."""
    from transformers.utils import is_accelerate_available

    return is_accelerate_available()


def train(
    encoder, task, device, epoch: Epoch, way: str = "best", compiled: bool = False
) -> tuple[float, int, str]:
    """Train; return the seconds and the tokens, without padding, of the measured steps, and by
    whom: a plain loop with batches of like length where there is no Trainer."""
    model = peer_model(encoder, task)
    clock = Clock(device, model, epoch)
    (_trainer if has_trainer() else _plain)(model, task, device, epoch, way, compiled, clock)
    by = "HF Trainer" if has_trainer() else "accelerate is not here: a plain loop, like lengths"
    return clock.seconds, clock.tokens, by


def peer_model(encoder, task) -> Any:
    """Return encoder, head and loss of a task as one module, as Trainer wants it."""
    import torch

    class Peer(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.head = encoder, task.head
            seen = torch.zeros((), dtype=torch.int64, device=encoder.device)
            self.register_buffer("seen", seen, persistent=False)

        def forward(self, **batch) -> dict[str, Any]:
            ids, mask = batch["ids"], batch["mask"]
            hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
            outputs = self.head(hidden, mask)
            if not self.training:
                return {"logits": outputs}
            self.seen += ids.numel() if mask is None else mask.sum()  # nothing waits for it
            return {"loss": task.page.loss(outputs, batch) / batch["weight"]}

    return Peer()


class Clock:
    """The clock and the tokens at the first and after the last measured step."""

    def __init__(self, device, model, epoch: Epoch) -> None:
        self.device, self.model, self.epoch = device, model, epoch
        self.done, self.seconds, self.tokens = 0, 0.0, 0

    def step_ends(self) -> None:
        """Count a step; stop the clock after the last."""
        self.done += 1
        if self.done == self.epoch.warm + self.epoch.steps:
            seconds, tokens = self._now()
            self.seconds, self.tokens = seconds - self.seconds, tokens - self.tokens

    def step_begins(self) -> None:
        """Start the clock where the measured steps begin."""
        if self.done == self.epoch.warm:
            self.seconds, self.tokens = self._now()

    def _now(self) -> tuple[float, int]:
        sync(self.device)
        return time.perf_counter(), int(self.model.seen)


class Rows:
    """The examples of encoded rows, as Trainer wants a data set; some may come again."""

    def __init__(self, data, count: int | None = None) -> None:
        self.data, self.count = data, len(data) if count is None else count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not 0 <= index < self.count:
            raise IndexError(index)
        index %= len(self.data)
        first, last = self.data.arrays["groups"][index : index + 2]
        longest = max(range(first, last), key=lambda s: len(self.data.sequence(s)))
        return {"input_ids": self.data.sequence(longest), "example": index}


def collator(data, page, width: int | None) -> Any:
    """Return what makes a batch of tensors of some `Rows`; `width` to pad all to."""
    import torch

    def collate(rows: list[dict[str, Any]]) -> dict[str, Any]:
        batch = page.collate(data, np.array([row["example"] for row in rows]))
        if width is not None:
            batch = widened(batch, width, data.meta["pad"])
        return predict.tensors(batch, torch.device("cpu"))

    return collate


def widened(batch: dict[str, Any], width: int, pad: int) -> dict[str, Any]:
    """Return a padded batch, padded further to `width` tokens."""
    shape = batch["ids"].shape
    mask = np.ones(shape, dtype=bool) if batch["mask"] is None else batch["mask"]
    wider = ((0, 0), (0, width - shape[1]))
    return batch | {
        key: np.pad(value, wider, constant_values=pad if key == "ids" else 0)
        for key, value in (batch | {"mask": mask}).items()
        if key in ("ids", "mask", "inside")
    }


def arguments(folder: str, epoch: Epoch, way: str, compiled: bool, cuda: bool) -> Any:
    """Return the arguments of a Trainer; transformers 4 names the sampling otherwise."""
    from transformers import TrainingArguments

    best: dict[str, Any] = {}
    if way == "best":
        fields = {field.name for field in dataclasses.fields(TrainingArguments)}
        new = "train_sampling_strategy" in fields
        best = {"train_sampling_strategy": "group_by_length"} if new else {"group_by_length": True}
        best |= {"bf16": cuda, "optim": "adamw_torch_fused", "torch_compile": compiled}
    return TrainingArguments(
        output_dir=folder, per_device_train_batch_size=epoch.batch_size, learning_rate=1e-5,
        max_steps=epoch.warm + epoch.steps, seed=epoch.seed, save_strategy="no", report_to=[],
        logging_strategy="no", disable_tqdm=True, remove_unused_columns=False, weight_decay=0.01,
        warmup_steps=1, dataloader_num_workers=epoch.workers, use_cpu=not cuda,
        dataloader_pin_memory=cuda, **best,
    )  # fmt: skip


def _trainer(model, task, device, epoch: Epoch, way: str, compiled: bool, clock: Clock) -> None:
    from transformers import Trainer, TrainerCallback

    class Callback(TrainerCallback):
        def on_step_begin(self, *_, **__) -> None:
            clock.step_begins()

        def on_step_end(self, *_, **__) -> None:
            clock.step_ends()

    data = task.train["en"]
    rows = Rows(data, (epoch.warm + epoch.steps) * epoch.batch_size)
    width = data.meta["spec"]["max_length"] if way == "default" else None
    with tempfile.TemporaryDirectory() as folder:
        Trainer(
            model=model, train_dataset=rows, data_collator=collator(data, task.page, width),
            args=arguments(folder, epoch, way, compiled, device.type == "cuda"),
            callbacks=[Callback()],
        ).train()  # fmt: skip


def _plain(model, task, device, epoch: Epoch, way: str, compiled: bool, clock: Clock) -> None:
    """Train as Trainer at its best would, without it."""
    import torch

    from xstilts.encoding import batches

    data, page = task.train["en"], task.page
    drawn = itertools.cycle(batches.epoch_batches(data.shapes()[0], epoch.batch_size, 1, 0))
    width = data.meta["spec"]["max_length"] if way == "default" else None
    step_model = torch.compile(model, dynamic=True) if compiled else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.01, fused=True)
    model.train()
    for examples in itertools.islice(drawn, epoch.warm + epoch.steps):
        clock.step_begins()
        batch = page.collate(data, examples)
        if width is not None:
            batch = widened(batch, width, data.meta["pad"])
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=device.type == "cuda"):
            loss = step_model(**predict.tensors(batch, device))["loss"]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        clock.step_ends()

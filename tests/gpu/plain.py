"""A training in a few lines of torch, in fp32 and with everything padded: what ours has to equal.

Only the choice of the examples of each batch is ours.
"""

import contextlib
import math
from typing import Any

from xstilts.scoring import predict
from xstilts.training import mixture


def train(
    encoder, task, spec: dict[str, Any], device, steps: int, bf16: bool = False
) -> list[float]:
    """Train; return the loss of every step. The weights are those of `encoder` and `task.head`.

    AdamW (betas 0.9 and 0.999, eps 1e-8), no decay on vectors, linear warm-up and decay over the
    steps of the spec, the gradient clipped by its norm.
    """
    import torch

    recipe, total = spec["recipe"], spec["steps"]
    parameters = [*encoder.parameters(), *task.head.parameters()]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe["weight_decay"]},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1.0, eps=1e-8, foreach=False, fused=False)
    warm = max(1, math.ceil(total * recipe["warmup"] - 1e-9))
    [stream] = mixture.make_streams([task], None, spec["seed"], recipe["grouping"])
    encoder.train()
    task.head.train()
    losses = []
    for step in range(steps):
        batch = predict.tensors(task.page.collate(stream.data, stream.batch(step)), device)
        narrow = torch.autocast(device.type, dtype=torch.bfloat16)
        with narrow if bf16 else contextlib.nullcontext():
            hidden = encoder(input_ids=batch["ids"], attention_mask=batch["mask"])
            outputs = task.head(hidden.last_hidden_state, batch["mask"])
        loss = task.page.loss(outputs, batch) / batch["weight"]
        loss.backward()
        gradients = [p.grad for p in parameters if p.grad is not None]
        norm = float(torch.stack([gradient.norm() for gradient in gradients]).norm())
        for gradient in gradients:
            gradient *= min(1.0, recipe["clip"] / (norm + 1e-6))
        rising, falling = (step + 1) / warm, (total - step) / max(1, total - warm)
        for group in optimizer.param_groups:
            group["lr"] = recipe["learning_rate"] * (rising if step < warm else falling)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses

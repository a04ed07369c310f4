"""The cost of padding: training on the same examples, with three ways of making batches.

    PYTHONPATH=workflow python tests/bench/bench_padding.py --encoded FILE --model DIR

`FILE` is an encoded train file of a classification task (en.train.*.safetensors in
results/encoded), `DIR` the model whose tokenizer made it. Ways: `fixed`, every batch padded to
--length tokens, as in the XTREME scripts; `dynamic`, shuffled batches padded to their longest;
`bucketed`, as in xstilts. Prints the share of padding, the examples a second and their ratios.
"""

import argparse
import time

import numpy as np

from xstilts import formats
from xstilts.encoding import batches, encoded
from xstilts.models import checkpoint
from xstilts.running import device
from xstilts.scoring import predict


def batch_widths(way: str, lengths: np.ndarray, size: int, length: int) -> list[tuple]:
    """Return (examples, width) of every batch of one epoch."""
    if way == "bucketed":
        epoch = batches.epoch_batches(lengths, size, seed=1, epoch=0)
        return [(batch, int(lengths[batch].max())) for batch in epoch]
    order = np.random.default_rng(1).permutation(len(lengths))
    shuffled = [order[i : i + size] for i in range(0, len(order), size)]
    return [(b, length if way == "fixed" else int(lengths[b].max())) for b in shuffled]


def measure(way: str, data, encoder, head, where, args) -> dict[str, float]:
    """Train on some batches drawn from an epoch; return padding of the epoch, examples a second."""
    import torch

    page = formats.page("classification")
    lengths, _ = data.shapes()
    epoch = batch_widths(way, lengths, args.batch_size, max(args.length, int(lengths.max())))
    padding = 1 - lengths.sum() / sum(len(batch) * width for batch, width in epoch)
    drawn = np.random.default_rng(0).choice(len(epoch), min(args.steps, len(epoch)), replace=False)
    parameters = [*encoder.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=1e-6, fused=True)
    encoder.train()
    start, examples = time.monotonic(), 0
    for index in drawn:
        chosen, width = epoch[index]
        batch = page.collate(data, chosen)
        missing = width - batch["ids"].shape[1]
        if missing:
            mask = np.ones(batch["ids"].shape, bool) if batch["mask"] is None else batch["mask"]
            batch["ids"] = np.pad(
                batch["ids"], ((0, 0), (0, missing)), constant_values=data.meta["pad"]
            )
            batch["mask"] = np.pad(mask, ((0, 0), (0, missing)))
        tensors = predict.tensors(batch, where)
        with device.autocast(where):
            outputs = predict.outputs(encoder, head, tensors)
        page.loss(outputs, tensors).backward()
        optimizer.step()
        optimizer.zero_grad()
        examples += len(chosen)
    if where.type == "cuda":
        torch.cuda.synchronize()
    return {"padding": padding, "speed": examples / (time.monotonic() - start)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoded", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--steps", type=int, default=20)
    args = parser.parse_args()
    data, where = encoded.load(args.encoded), device.choose()
    encoder = checkpoint.load_encoder(args.model).to(where)
    head = formats.page("classification").head(encoder, data.meta["spec"]["labels"]).to(where)
    ways = ("fixed", "dynamic", "bucketed")
    results = {way: measure(way, data, encoder, head, where, args) for way in (ways[0], *ways)}
    for way, values in results.items():
        ratio = values["speed"] / results["fixed"]["speed"]
        print(
            f"{way:9} padding {values['padding']:.2f}  {values['speed']:8.1f} examples/s"
            f"  {ratio:.2f} x fixed"
        )


if __name__ == "__main__":
    main()

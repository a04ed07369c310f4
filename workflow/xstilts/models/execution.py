"""How an encoder is run: its sequences padded or packed, its layers compiled or not.

Neither changes what is computed, but for rounding, so no spec has it.
"""

import dataclasses
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from xstilts.encoding import packing
from xstilts.encoding.encoded import Encoded
from xstilts.models import attention, pinning, shards
from xstilts.models.before import TOLERANCE, behind, in_place, mask_for
from xstilts.running import device as devices
from xstilts.running import ranks

LENGTHS = (37, 1, 20, 2, 9)  # of the sequences that it is tried on
SHAPES = 1024  # that may be compiled for: more than there are buckets of tokens, so never reached

_chosen: weakref.WeakKeyDictionary[Any, "Execution"] = weakref.WeakKeyDictionary()


@dataclasses.dataclass(frozen=True)
class Execution:
    """How an encoder is run.

    Attributes:
        packed: sequences without padding, one after another.
        compiled: the layers, in training (`torch.compile`), once for each shape of packed batches.
        first_position: where packed, the position of a sequence's first token.
    """

    packed: bool = False
    compiled: bool = False
    first_position: int = 0

    @classmethod
    def choose(cls, encoder, device, compiled: bool = False) -> "Execution":
        """Return how an encoder is run on a device, the same at every call, and prepare it for it.

        On a CPU padded. On a GPU packed, if the encoder can be and a first forward pass comes to
        the same as the padded one; else one line says why it is not. All ranks have to call this.

        Args:
            compiled: whether to compile the layers too, where sequences are packed.

        Raises:
            OutOfMemoryError (torch's): there is not even memory for the first pass.
        """
        if encoder not in _chosen:
            if device.type == "cpu":
                chosen = cls()
                reason = "that is for GPUs, and this is a CPU" if compiled else ""
            else:
                chosen, reason = cls.tried(encoder, device, compiled)
            if reason and ranks.rank() == 0:
                more = " or compiled" if compiled else ""
                what = f"sequences are padded, not packed{more}"
                what = "layers are not compiled" if chosen.packed else what
                print(f"{what}: {reason}", flush=True)
            _chosen[encoder] = chosen
        return _chosen[encoder]

    @classmethod
    def tried(cls, encoder, device, compiled: bool = False) -> tuple["Execution", str]:
        """Return packed execution and "" (or why it is not compiled), or padded execution and why;
        see `choose`."""
        first = attention.first_position(encoder.config)
        if first is None:
            return cls(), f"{encoder.config.model_type} has no attention for it"
        previous = encoder.config._attn_implementation
        execution = cls.prepare(encoder)
        reason = _reason(encoder, device, partial(_difference, encoder, execution, device))
        if any(ranks.most(bool(reason))):
            encoder.set_attn_implementation(previous)
            return cls(), reason or "another rank cannot"
        if not compiled or shards.sharded():
            return execution, ""
        whole = cls.prepare(encoder, compiled=True)
        reason = _reason(encoder, device, partial(_step, encoder, whole, device))
        if any(ranks.most(bool(reason))):
            for layer in shards.layers(encoder):
                layer._compiled_call_impl = None
            return execution, reason or "another rank cannot"
        return whole, ""

    @classmethod
    def prepare(cls, encoder, compiled: bool = False, **options: Any) -> "Execution":
        """Make an encoder run packed, and compiled if asked for; `options` are torch.compile's."""
        first = attention.first_position(encoder.config)
        assert first is not None
        attention.install(encoder)
        if compiled:
            import torch

            # Every layer is the same code, so it is compiled once for all, not once for each.
            torch._dynamo.config.recompile_limit = SHAPES
            torch._dynamo.config.accumulated_recompile_limit = 2 * SHAPES
            for layer in shards.layers(encoder):
                layer.compile(dynamic=False, **options)
        return cls(packed=True, compiled=compiled, first_position=first)

    def arrange(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return a collated batch of numpy arrays as the encoder is to have it."""
        return packing.pack(batch, self.first_position) if self.packed else batch

    def tokens(self, data: Encoded) -> np.ndarray | None:
        """Return what a budget of tokens counts of each example; None: padding too (`batches`)."""
        return data.tokens if self.packed else None


def tensors(batch: dict[str, Any], device) -> dict[str, Any]:
    """Return a batch of numpy arrays, or tensors, as tensors on a device; other values stay.

    A GPU copies from pinned memory, for which the host does not wait.
    """
    import torch

    def tensor(array):
        if isinstance(array, torch.Tensor):  # was pinned when it was made
            return array.to(device, non_blocking=True)
        on_gpu = str(device).startswith("cuda")
        made = pinning.pinned(array) if on_gpu else torch.from_numpy(array)
        return made.to(device, non_blocking=True)

    return {
        key: tensor(value) if isinstance(value, np.ndarray | torch.Tensor) else value
        for key, value in batch.items()
    }


def hidden_states(encoder, batch: dict[str, Any], pictures=None):
    """Return the last hidden states [sequences, width, H] of a batch of tensors, padded or packed.

    At places of padding they are anything finite.

    Args:
        pictures: what takes the place of the word embeddings of positions before each sequence,
            [sequences, positions, H]; their own states are left out of what is returned.
    """
    if "offsets" in batch:
        with in_place(encoder, pictures, batch.get("places")):
            flat = packed_states(encoder, batch)
        index = batch["index"]
        return flat[0].index_select(0, index.flatten()).unflatten(0, index.shape)
    if pictures is not None:
        return behind(encoder, batch, pictures)
    mask = batch["mask"]
    return encoder(input_ids=batch["ids"], attention_mask=mask_for(encoder, mask)).last_hidden_state


def packed_states(encoder, batch: dict[str, Any]):
    """Return the last hidden states [1, tokens, H] of a packed batch of tensors."""
    return encoder(
        input_ids=batch["ids"],
        position_ids=batch["positions"],
        cu_seq_lens_q=batch["offsets"],
        max_length_q=batch["longest"],
    ).last_hidden_state


def _reason(encoder, device, trial: Callable[[], str]) -> str:
    """Return what a trial says of an encoder, or the error in which it ends; "" if all is well.

    Encoder and generators are afterwards what they were.

    Raises:
        OutOfMemoryError (torch's).
    """
    import torch

    training = encoder.training
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            return trial()
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        lines = (str(error).strip() or "-").splitlines()
        count = 2 if lines[0].endswith(":") else 1  # as the compiler's do, before what it is
        return f"{type(error).__name__}: {' '.join(lines[:count])}"
    finally:
        encoder.train(training)
        encoder.zero_grad(set_to_none=True)
        shards.reshard(encoder)


def _difference(encoder, execution: Execution, device) -> str:
    """Return "" if packed sequences come to the same as padded ones, else what is the matter."""
    encoder.eval()
    return _of_attention(encoder.config, device) or _of_encoder(encoder, execution, device)


def _step(encoder, execution: Execution, device) -> str:
    """Try the layers forward and backward, as in training: what compiles for a GPU needs a C
    compiler on its machine."""
    encoder.train()
    with devices.autocast(device):
        batch = tensors(execution.arrange(_trial(encoder.config, execution)), device)
        states = hidden_states(encoder, batch)
    states.float().sum().backward()
    return ""


def _of_attention(config, device) -> str:
    """Try attention with dropout, and its gradients, which a pass of the encoder does not."""
    import torch

    size = config.hidden_size // config.num_attention_heads
    shape, offsets = (sum(LENGTHS), 2, size), np.cumsum([0, *LENGTHS], dtype=np.int32)
    parts = [torch.randn(shape, device=device, requires_grad=True) for _ in range(3)]
    with devices.autocast(device):  # of which a matrix product has its precision
        query, key, value = (part @ torch.eye(size, device=device) for part in parts)
        where = torch.from_numpy(offsets).to(device)
        context = attention.attend(query, key, value, where, max(LENGTHS), dropout=0.1)
    context.float().sum().backward()
    finite = all(part.grad is not None and bool(part.grad.isfinite().all()) for part in parts)
    return "" if finite else "its gradients are not finite"


def _trial(config, execution: Execution) -> dict[str, Any]:
    """Return a padded batch of sequences of `LENGTHS`, as far as there are positions."""
    lengths = np.minimum(LENGTHS, config.max_position_embeddings - execution.first_position)
    mask = np.arange(lengths.max()) < lengths[:, None]
    ids = np.random.default_rng(0).integers(0, config.vocab_size, mask.shape)
    ids[ids == config.pad_token_id] = (config.pad_token_id + 1) % config.vocab_size
    return {"ids": np.where(mask, ids, config.pad_token_id), "mask": mask}


def _of_encoder(encoder, execution: Execution, device) -> str:
    """Try the encoder, packed against padded."""
    import torch

    batch = _trial(encoder.config, execution)
    lengths = batch["mask"].sum(1)
    with torch.no_grad(), devices.autocast(device):
        padded, packed = (
            hidden_states(encoder, tensors(arrays, device)).float()
            for arrays in (batch, execution.arrange(batch))
        )
    differences = [
        float((ours[:length] - theirs[:length]).norm() / theirs[:length].norm())
        for ours, theirs, length in zip(packed, padded, lengths, strict=True)
    ]
    if max(differences) <= TOLERANCE[device.type]:  # False for NaN
        return ""
    return f"their hidden states differ by {max(differences):.2g} of their size"

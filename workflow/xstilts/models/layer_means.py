"""The mean hidden states of sequences at several layers, from one pass of the encoder."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from xstilts.experiment.architecture import Architecture
from xstilts.formats.heads import masked_mean
from xstilts.models import shards
from xstilts.running.errors import UserError

TRIED = 4  # tokens of the pass that shows what comes after the layers


class LayerMeans(nn.Module):
    """In place of a head: the mean over the tokens of each sequence, at each of some layers.

    Layer 0 is what the first layer reads, the embeddings; the last is what the encoder returns. An
    inner layer is what the encoder would return if it ended there (`checkpoint.load_encoder` with
    `layers`), so under the norm that ends the model where it has one: as retrieval pools it.

    States are pooled as soon as a layer has made them, so that no more than one layer's are kept
    beside those that the encoder itself holds.
    """

    def __init__(self, encoder: Any, layers: Sequence[int] = ()) -> None:
        """Look at what an encoder's layers do from now on.

        Args:
            encoder: is run on batches as `execution.hidden_states` runs it.
            layers: which, ascending; () for all.

        Raises:
            UserError: a layer is not there, or they cannot be told apart.
        """
        super().__init__()
        modules = list(shards.layers(encoder))
        depth, kind = Architecture.of(encoder.config).layers, encoder.config.model_type
        if len(modules) != depth:  # as in ALBERT, in which they are one
            raise UserError(f"{kind}: its {depth} layers are {len(modules)} modules")
        self.layers = tuple(layers) or tuple(range(depth + 1))
        if self.layers[-1] > depth:
            raise UserError(f"layer {self.layers[-1]} is not there: the model has {depth}")
        self.depth = depth
        self._after = (_norm_after(encoder, modules[-1]),)  # in a tuple: it is the encoder's
        self._batch: dict[str, Any] = {}
        self._means: dict[int, torch.Tensor] = {}
        encoder.register_forward_pre_hook(self._begin, with_kwargs=True)
        for layer in self.layers:
            if layer == 0:
                modules[0].register_forward_pre_hook(self._embedded, with_kwargs=True)
            elif layer < depth:
                modules[layer - 1].register_forward_hook(self._seen(layer))

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Return the means of the batch that was run last, float32 [sequences, layers, H].

        Args:
            hidden: its last states [sequences, width, H].
            mask: of them.
        """
        if self.depth in self.layers:
            self._means[self.depth] = masked_mean(hidden, mask)
        return torch.stack([self._means[layer][: len(hidden)] for layer in self.layers], 1)

    def _begin(self, encoder: Any, args: Any, kwargs: dict[str, Any]) -> None:
        self._batch, self._means = kwargs, {}

    def _embedded(self, module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        self._pool(0, args[0] if args else kwargs["hidden_states"])

    def _seen(self, layer: int) -> Any:
        def hook(module: Any, args: Any, output: Any) -> None:
            self._pool(layer, output[0] if isinstance(output, tuple) else output)

        return hook

    def _pool(self, layer: int, states: torch.Tensor) -> None:
        if self._after[0] is not None:
            states = self._after[0](states)
        offsets = self._batch.get("cu_seq_lens_q")
        if offsets is None:
            mask = self._batch["attention_mask"]
            self._means[layer] = masked_mean(states, mask)
            return
        lengths = offsets.diff()
        sequence = torch.arange(len(lengths), device=states.device).repeat_interleave(lengths)
        sums = states.new_zeros(len(lengths), states.shape[-1], dtype=torch.float32)
        sums.index_add_(0, sequence, states[0].float())
        self._means[layer] = sums / lengths.unsqueeze(1)


def _norm_after(encoder: Any, last: nn.Module) -> nn.Module | None:
    """Return the norm that is between the last layer and what an encoder returns; None without.

    By a pass of few tokens: the norm outside of the layers that makes one of the other.
    """
    ids = torch.arange(TRIED, device=next(encoder.parameters()).device).unsqueeze(0)
    ids, seen = ids % encoder.config.vocab_size, []
    hook = last.register_forward_hook(lambda module, args, output: seen.append(output))
    with torch.inference_mode():
        states = encoder.eval()(input_ids=ids, attention_mask=torch.ones_like(ids))
        hook.remove()
        made = seen[0][0] if isinstance(seen[0], tuple) else seen[0]
        states = states.last_hidden_state
        if torch.equal(made, states):
            return None
        within = {part for layer in shards.layers(encoder) for part in layer.modules()}
        for module in encoder.modules():
            is_norm = "norm" in type(module).__name__.lower() and module not in within
            if is_norm and torch.allclose(module(made), states):
                return module
    print("what comes after the last layer is no norm: inner layers are read without it")
    return None

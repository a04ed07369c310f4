"""Heads: small torch modules on the encoder's hidden states, hidden float [sequences, width, H].

The states of encoders are read as they are. Those of decoders and T5s, which end in a norm whose
gain each model has learned for its own output layer, are first divided by their root mean square:
new weights of the usual deviation would else start in the flat parts of the tanh, or at nothing.
"""

import math

import torch
from torch import nn

from xstilts.experiment.architecture import ENCODER, Architecture

SCALE = 100.0  # of a dual encoder, before it has learned one


class PooledHead(nn.Module):
    """Scores of a sequence: pooled, dense, tanh, linear (as in XLM-R's own head).

    Pooled is the first token, the last, or the mean over all, which sentence encoders are trained
    by: as the encoder's config says under `classifier_pooling` (the name is ModernBERT's), else as
    its architecture is made for.
    """

    def __init__(self, config, outputs: int) -> None:
        super().__init__()
        architecture = Architecture.of(config)
        self.pooling, self.scaled = architecture.pooling, architecture.kind != ENCODER
        self.dropout = nn.Dropout(architecture.dropout)
        self.dense = nn.Linear(architecture.width, architecture.width)
        self.out = nn.Linear(architecture.width, outputs)
        _init_weights(self, architecture.deviation)

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Return scores [sequences, outputs]."""
        pooled = pool(hidden, mask, self.pooling)
        if self.scaled:
            pooled = unit_scale(pooled)
        return self.out(self.dropout(torch.tanh(self.dense(self.dropout(pooled)))))


class NumberHead(PooledHead):
    """A number of a sequence: the score of a `PooledHead` times `sd`, plus `mean`.

    Both are of the numbers that it is trained on and saved with the weights, so that scores of 0 to
    1 and of 0 to 100 train alike: without them the second do not train at all.
    """

    def __init__(self, config, mean: float = 0.0, sd: float = 1.0) -> None:
        super().__init__(config, 1)
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("sd", torch.tensor(sd))

    def forward(
        self, hidden: torch.Tensor, mask: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return numbers float32 [sequences], and `sd`, in which their error is measured."""
        scores = super().forward(hidden, mask).float().squeeze(-1)
        return scores * self.sd + self.mean, self.sd


class DualHead(nn.Module):
    """Embeddings of length 1 and the scale of their cosines: pooled, dense, tanh, normalised.

    As `BertForRetrieval` of XTREME-R, which takes the encoder's own pooler for it. The scale is
    learned from 100 on, as its logarithm (Radford et al. 2021, arXiv 2103.00020), so that a step
    moves it by a share of itself; or it is what it is set to.
    """

    def __init__(self, config, scale: float | None = None) -> None:
        super().__init__()
        architecture = Architecture.of(config)
        self.pooling, self.scaled = architecture.pooling, architecture.kind != ENCODER
        self.dense = nn.Linear(architecture.width, architecture.width)
        _init_weights(self, architecture.deviation)
        # Not a scalar, which a sharded model cannot have.
        start = torch.tensor([math.log(SCALE if scale is None else scale)])
        self.log_scale = nn.Parameter(start, requires_grad=scale is None)

    def forward(
        self, hidden: torch.Tensor, mask: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return embeddings float32 [sequences, H], and the scale [1]."""
        pooled = pool(hidden, mask, self.pooling)
        if self.scaled:
            pooled = unit_scale(pooled)
        embeddings = nn.functional.normalize(torch.tanh(self.dense(pooled)).float(), dim=1)
        return embeddings, self.log_scale.float().exp()


class TokenHead(nn.Module):
    """Scores of every token: dropout, linear."""

    def __init__(self, config, outputs: int) -> None:
        super().__init__()
        architecture = Architecture.of(config)
        self.scaled = architecture.kind != ENCODER
        self.dropout = nn.Dropout(architecture.dropout)
        self.out = nn.Linear(architecture.width, outputs)
        _init_weights(self, architecture.deviation)

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Return scores [sequences, width, outputs]."""
        return self.out(self.dropout(unit_scale(hidden) if self.scaled else hidden))


class MeanPoolHead(nn.Module):
    """The mean of the hidden states over all tokens that are not padding, special tokens included.

    As in jiant and XTREME's scripts (`evaluate_retrieval.py`, pool_type mean).
    """

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Return embeddings [sequences, H]."""
        return masked_mean(hidden, mask)


def pool(hidden: torch.Tensor, mask: torch.Tensor | None, pooling: str) -> torch.Tensor:
    """Return what stands for each sequence, [sequences, H]; padding is on the right."""
    if pooling == "mean":
        return masked_mean(hidden, mask).to(hidden.dtype)
    if pooling == "last" and mask is not None:
        sequences = torch.arange(len(hidden), device=hidden.device)
        return hidden[sequences, mask.sum(1) - 1]
    return hidden[:, -1 if pooling == "last" else 0]


def unit_scale(hidden: torch.Tensor) -> torch.Tensor:
    """Return states of root mean square 1, of the same type."""
    return nn.functional.rms_norm(hidden.float(), hidden.shape[-1:]).to(hidden.dtype)


def masked_mean(hidden: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Return the mean over the tokens that the mask [sequences, width] keeps, float32."""
    if mask is None:
        return hidden.float().mean(1)
    weights = mask.unsqueeze(-1).float()
    return (hidden.float() * weights).sum(1) / weights.sum(1)


class MaskedLMHead(nn.Module):
    """Scores of all tokens of the vocabulary: dense, GELU, LayerNorm, tied embeddings, bias.

    As `XLMRobertaLMHead` of transformers, and its weights are new as those of every head. The
    embeddings are the encoder's, neither trained nor saved twice.
    """

    def __init__(self, encoder) -> None:
        super().__init__()
        architecture = Architecture.of(encoder.config)
        width = architecture.width
        self.dense = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, eps=architecture.epsilon)
        self.bias = nn.Parameter(torch.zeros(encoder.config.vocab_size))
        # In a tuple, so that torch does not register them as this head's own.
        self.tied_embeddings = (encoder.get_input_embeddings(),)
        _init_weights(self, architecture.deviation)

    def forward(
        self, hidden: torch.Tensor, mask: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return features [sequences, width, H], embeddings [vocabulary, H], bias [vocabulary].

        The score of a token is its embedding times the features, plus its bias; the loss computes
        it where it is needed alone, since all scores of a batch would fill the memory.
        """
        features = self.norm(nn.functional.gelu(self.dense(hidden)))
        return features, self.tied_embeddings[0].weight, self.bias


def _init_weights(head: nn.Module, deviation: float) -> None:
    for module in head.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=deviation)
            nn.init.zeros_(module.bias)

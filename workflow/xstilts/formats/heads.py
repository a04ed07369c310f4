"""Heads: small torch modules on the encoder's hidden states, hidden float [sequences, width, H]."""

import torch
from torch import nn


class FirstPiece(nn.Module):
    """Scores of a sequence from its first piece: dense, tanh, linear (as in XLM-R's own head)."""

    def __init__(self, config, outputs: int) -> None:
        super().__init__()
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.out = nn.Linear(config.hidden_size, outputs)
        _initialise(self, config)

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Return scores [sequences, outputs]."""
        first = torch.tanh(self.dense(self.dropout(hidden[:, 0])))
        return self.out(self.dropout(first))


class EachPiece(nn.Module):
    """Scores of every piece: dropout, linear."""

    def __init__(self, config, outputs: int) -> None:
        super().__init__()
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.out = nn.Linear(config.hidden_size, outputs)
        _initialise(self, config)

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Return scores [sequences, width, outputs]."""
        return self.out(self.dropout(hidden))


class MeanPool(nn.Module):
    """The mean of the hidden states over all pieces that are not padding, special pieces included.

    As in jiant and XTREME's scripts (`evaluate_retrieval.py`, pool_type mean).
    """

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Return embeddings [sequences, H]."""
        if mask is None:
            return hidden.float().mean(1)
        weights = mask.unsqueeze(-1).float()
        return (hidden.float() * weights).sum(1) / weights.sum(1)


class TiedPieces(nn.Module):
    """What scores all pieces of the vocabulary: dense, GELU, LayerNorm, embeddings, bias.

    As `XLMRobertaLMHead` of transformers, and its weights are new as those of every head. The
    embeddings are the encoder's, neither trained nor saved twice.
    """

    def __init__(self, encoder) -> None:
        super().__init__()
        config = encoder.config
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.tied = (encoder.get_input_embeddings(),)  # in a tuple, where torch does not see it
        _initialise(self, config)

    def forward(
        self, hidden: torch.Tensor, mask: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return features [sequences, width, H], embeddings [vocabulary, H], bias [vocabulary].

        The score of a piece is its embedding times the features, plus its bias; the loss computes
        it where it is needed alone, since all scores of a batch would fill the memory.
        """
        features = self.norm(nn.functional.gelu(self.dense(hidden)))
        return features, self.tied[0].weight, self.bias


def _initialise(head: nn.Module, config) -> None:
    for module in head.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=config.initializer_range)
            nn.init.zeros_(module.bias)

"""Pictures before a text: what makes the features of a vision encoder the input of a text encoder.

It is part of a head, `head.pictures`, one for all heads of a training: saved with them, and dropped
with them, so that an encoder trained with pictures is an ordinary one of text.
"""

import torch
from torch import nn

from xstilts.encoding.features import PART
from xstilts.running.errors import UserError

PLACE_SHARE = 0.1  # of the size of a projected state, what its place adds at the beginning


class Projector(nn.Module):
    """Features of pictures as word embeddings: LayerNorm, linear, a learned place a position.

    The new weights are such that what it makes is as large as the word embeddings are: the encoder
    meets something of a size that it knows.

    Args:
        width: of the features.
        positions: of a picture.
        embeddings: the word embeddings of the encoder.
    """

    def __init__(self, width: int, positions: int, embeddings: nn.Embedding) -> None:
        super().__init__()
        weight = embeddings.weight
        deviation = float(weight.detach().float().std())
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, weight.shape[1])
        self.place = nn.Parameter(torch.randn(positions, weight.shape[1]) * deviation * PLACE_SHARE)
        nn.init.normal_(self.out.weight, std=deviation * width**-0.5)
        nn.init.zeros_(self.out.bias)

    @classmethod
    def of(cls, shape: tuple[int, int, int], encoder) -> "Projector":
        """Return a new one for features [pictures, positions, width] before an encoder's texts."""
        _, positions, width = shape
        return cls(width, positions, encoder.get_input_embeddings())

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return what takes the place of word embeddings, [sequences, positions, H], of features
        [sequences, positions, width] of any precision.

        Raises:
            UserError: they are of another shape than it was made for.
        """
        made_for = len(self.place), self.out.in_features
        if features.shape[1:] != made_for:
            raise UserError(
                f"features of {features.shape[1]} positions and {features.shape[2]} wide are not"
                f" for what was trained on {made_for[0]} positions and {made_for[1]} wide; take"
                " those of one vision encoder"
            )
        return self.out(self.norm(features.float())) + self.place


def add(head: nn.Module, projector: Projector) -> None:
    """Make a projector part of a head."""
    head.add_module(PART, projector)

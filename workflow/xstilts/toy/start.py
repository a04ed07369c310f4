"""The initial weights of the toy encoder, with which a minute of training is enough.

A small encoder needs long to discover that two texts can be compared word by word. It starts nearly
there: words of one concept near each other, and attention that looks for what is alike elsewhere
and subtracts it, so that the difference remains. This is the shape that trained attention
has (Trockman & Kolter 2023, "Mimetic Initialization of Self-Attention Layers", arXiv 2305.09828,
section 3: the product of query and key near a positive, that of value and output near a negative
multiple of the identity).
"""

import math

import torch
from transformers import XLMRobertaModel

SPREAD = 0.06  # standard deviation of the weights; 0.02 is for models that are 768 wide
WORDS = 0.1  # of the embeddings: large enough that the first steps do not wipe out the dictionary
LOOK, TAKE = 1.5, 0.7  # how strongly a layer attends to what is alike, and subtracts it


def position_width(width: int) -> int:
    """How many dimensions, the last ones, hold the position and nothing of the word."""
    return width // 4


def words(encoder: XLMRobertaModel, dictionary: dict[str, list[int]], share: float) -> None:
    """Set words of a concept near each other (at a cosine of `share`), positions as waves."""
    width, last = encoder.config.hidden_size, position_width(encoder.config.hidden_size)
    weights = encoder.embeddings.word_embeddings.weight.data
    spread = WORDS * math.sqrt(width / (width - last))
    weights.normal_(0, spread)
    for ids in dictionary.values():
        common = torch.randn(width) * spread
        weights[ids] = share**0.5 * common + (1 - share) ** 0.5 * weights[ids]
    weights[:, -last:] = 0
    weights[encoder.config.pad_token_id] = 0

    positions = encoder.embeddings.position_embeddings.weight.data
    times = torch.arange(len(positions)).unsqueeze(1)
    pitch = math.pi / 2 * torch.logspace(0, -math.log10(60), last // 2)  # 4 to 240 tokens a wave
    positions.zero_()
    positions[:, -last:] = WORDS * torch.cat(
        [torch.sin(times * pitch), torch.cos(times * pitch)], 1
    )
    encoder.embeddings.token_type_embeddings.weight.data.zero_()


def attention(encoder: XLMRobertaModel) -> None:
    """Initialise all layers but the last to attend to the same word in another place."""
    width, last = encoder.config.hidden_size, position_width(encoder.config.hidden_size)
    word = torch.ones(width)
    word[-last:] = 0
    for layer in list(encoder.encoder.layer)[:-1]:
        look = torch.randn(width, width) * LOOK / math.sqrt(width)
        take = torch.linalg.qr(torch.randn(width, width)).Q
        own = layer.attention.self
        own.query.weight.data.copy_(look)
        own.key.weight.data.copy_(look * (2 * word - 1))
        own.value.weight.data.copy_(TAKE * take)
        layer.attention.output.dense.weight.data.copy_(-take.T * word.unsqueeze(1))

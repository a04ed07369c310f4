"""What each rank draws for itself is its own."""

import pytest
import torch

from xstilts.running import ranks
from xstilts.training import streams


def drawn(seed):
    torch.manual_seed(seed)
    return torch.rand(3).tolist()


def test_ranks_draw_other_numbers(monkeypatch):
    """Was: the rank, 32 bits to the left, of which the CPU's generator reads nothing."""
    assert drawn(1 + (1 << 32)) == drawn(1), "or this module is not needed"
    found = []
    for rank in range(4):
        monkeypatch.setenv("RANK", str(rank))
        found.append(drawn(ranks.seed(1)))
    assert found[0] == drawn(1) and len({tuple(each) for each in found}) == 4


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_no_rank_has_the_seed_of_a_stream(monkeypatch, seed):
    monkeypatch.setenv("RANK", "2")
    others = {streams.seed_of(seed, stream) for stream in (1, 2, 3)}
    assert ranks.seed(seed) not in others

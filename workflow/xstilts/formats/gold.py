"""What training dynamics record of a gold answer among scored answers; torch alone is used."""


def among(scores, answer):
    """Return, for each example, what `metrics.dynamics.VALUES` names, float32 [..., 4].

    The probability of the gold answer by softmax, its rank (of equal scores the first in order is
    first, as in `decode`), its loss, and 1 or 0 for whether it is right: its rank is 1.

    Args:
        scores: of the answers, float [..., answers]; -inf where there is none.
        answer: the index of the gold one, int64 [...].
    """
    import torch

    own = scores.gather(-1, answer.unsqueeze(-1))
    before = torch.arange(scores.shape[-1], device=scores.device) < answer.unsqueeze(-1)
    rank = 1 + ((scores > own) | ((scores == own) & before)).sum(-1)
    loss = (scores.logsumexp(-1, keepdim=True) - own).squeeze(-1)
    return values(loss, rank)


def values(loss, rank):
    """Return the same from loss and rank, [...]."""
    import torch

    return torch.stack([(-loss).exp(), rank.float(), loss, (rank == 1).float()], -1)

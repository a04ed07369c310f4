"""What AdamW does to a row in the steps in which the row has no gradient, all of them at once.

A row that step s was the last to update, with moments m and v, has in step t = s + k

    m_t = beta1^k m,    v_t = beta2^k v,
    w_t = (1 - lr_t wd) w_(t-1) - lr_t / (1 - beta1^t) m_t / (sqrt(v_t / (1 - beta2^t)) + eps)

(torch's AdamW). With q = sqrt(1 - beta2^t) / sqrt(beta2)^k the last quotient is a number that rows
share, times m / (sqrt(v) + eps q). All there is of a row in it but m is sqrt(v), so the steps are
summed as a series in q around its mean c:

    1 / (y + eps q) = 1 / (y + eps c) sum_j (-h)^j (q - c)^j,    h = eps / (y + eps c) <= 1 / c.

It converges whatever y is, 0 included, as fast as powers of q / c - 1 fall. A step k counts by
(beta1 / sqrt(beta2))^k = 0.9^k, and over so few steps q hardly moves, but at the beginning: with a
constant rate the relative error of the sum is 4e-7 after `FIRST` steps and 2e-10 after 5,000; the
bound for any schedule is in tests/training/test_lazy_steps.py. Until then the update stays dense.
The sums are over 0.9^k / (1 - lr wd)^k, which has to fall: `MAX_DECAY`.
"""

from collections.abc import Sequence
from typing import Any

import torch

FIRST = 200  # steps before it is precise enough
ORDER = 4  # of the series: its last power
MAX_DECAY = 0.01  # of a step
WINDOW = 512  # steps that count: the next has 1e-23 of the weight of the first


class IdleSteps:
    """The steps of a schedule, as they are for rows without gradient."""

    def __init__(
        self,
        rates: Sequence[float],
        weight_decay: float,
        betas: tuple[float, float],
        eps: float,
        weight: Any,
    ) -> None:
        """Tabulate, for every step, the sums over the steps that come after it.

        Args:
            rates: learning rate of each step.
            weight_decay, betas, eps: AdamW's.
            weight: the table, for its device and precision.
        """
        options: dict[str, Any] = {"dtype": torch.float64, "device": weight.device}
        beta1, beta2 = betas
        self.eps, self.powers = eps, torch.arange(ORDER + 1, **options)
        step = torch.arange(len(rates) + 1, **options)
        rate = torch.tensor([0.0, *rates], **options)
        keep, moments = 1 - rate * weight_decay, torch.tensor(betas, **options)
        if weight.device.type == "cpu":  # where the fused kernel rounds these
            keep, moments = keep.to(weight.dtype).double(), moments.to(weight.dtype).double()
        self.log_keep, self.log_moments = keep.log().cumsum(0), moments.log()
        self.log_q = -self.log_moments[1] / 2  # what a step adds to log q, besides `root`
        self.root = torch.sqrt(1 - beta2**step)
        factor = (rate * self.root / (1 - beta1**step)).nan_to_num()
        # How a term of power j falls from one step to the next, [powers], as a logarithm.
        self.log_fall = self.log_moments[0] + (self.powers + 1) * self.log_q
        # sums[s, j]: over k >= 1, of the factors of steps s + k times q^j, without the decay after.
        self.sums = (factor[:, None] * self.root[:, None] ** self.powers).roll(-1, 0)
        self.sums[-1] = 0
        self.sums[:-1] *= self._fall(step[:-1], step[1:])
        width = 1
        while width < min(WINDOW, len(rates)):
            later = self.sums[width:] * self._fall(step[:-width], step[width:])
            self.sums[:-width] += later
            width *= 2

    def _fall(self, since, until):
        """Return how the terms of each power fall between two steps, [rows, powers]."""
        since_, until_ = since.long(), until.long()
        kept = self.log_keep[since_] - self.log_keep[until_]
        return torch.exp((until - since)[:, None] * self.log_fall + kept[:, None])

    def coefficients(self, last, now: int) -> tuple[Any, Any, Any, Any]:
        """Return what the steps after `last` up to `now` do to each row.

        Args:
            last: the step that has updated a row last, int64 [rows]; at least `FIRST`.
            now: the last step done.

        Returns:
            What is left of the weight [rows] and of the two moments [rows, 2]; `c` [rows]; the
            coefficients of (-h)^j m / (sqrt(v) + eps c) [rows, powers]. All float64.
        """
        step = torch.full_like(last, now)
        gap = (step - last).double()
        kept = torch.exp(self.log_keep[step] - self.log_keep[last])
        sums = self.sums[last] - self._fall(last, step) * self.sums[step]
        # The mean of q; with rates next to 0 rounding must not move it out of the range of q.
        first, most = self.root[(last + 1).clamp(max=now)], self.root[now]
        first, most = first * torch.exp(self.log_q), most * torch.exp(gap * self.log_q)
        tiny = torch.finfo(sums.dtype).tiny
        centre = (sums[:, 1] / sums[:, 0].clamp(min=tiny)).clamp(first, most.clamp(min=first))
        central = [sums[:, :1]]  # of (q - c)^j: (q - c)^j q^i from (q - c)^(j - 1) q^i, q^(i + 1)
        for _ in range(ORDER):
            sums = sums[:, 1:] - centre[:, None] * sums[:, :-1]
            central.append(sums[:, :1])
        moments = torch.exp(gap[:, None] * self.log_moments)
        return kept, moments, centre, torch.cat(central, 1) * kept[:, None]

    def apply_(self, weight, moment, square, last, now: int) -> None:
        """Do the steps after `last` up to `now` to rows, in place.

        Args:
            weight, moment, square: the rows and their moments, float [rows, H].
            last, now: as in `coefficients`.
        """
        kept, moments, centre, series = (
            value.to(weight.dtype) for value in self.coefficients(last, now)
        )
        denominator = square.sqrt().add_(self.eps * centre[:, None])
        minus_h = -self.eps / denominator
        total = series[:, -1:]
        for j in reversed(range(ORDER)):
            total = torch.addcmul(series[:, j : j + 1], total, minus_h)
        weight.mul_(kept[:, None]).sub_(total.mul_(moment).div_(denominator))
        moment.mul_(moments[:, :1])
        square.mul_(moments[:, 1:])

"""The forward pass of a linear layer with an adapter, in less time than peft's own takes on a CPU.

On one, drawing a mask as wide as the input, and multiplying and adding what is as wide as the
output, take longer than the products with A and B save. So alpha / rank is multiplied in between,
where rank is the width, and of dropout the places that are dropped are drawn, which are few.
Weights and what is computed are peft's.
"""

import math

import torch
from peft.tuners.lora import Linear
from torch.nn import functional


class Layer(Linear):
    """peft's, with one adapter that is trained and not merged."""

    def forward(self, x: torch.Tensor, *args: object, **kwargs: object) -> torch.Tensor:
        """Return W x + b + alpha / rank * B A dropout(x)."""
        (name,) = self.active_adapters
        if self.disable_adapters or self.merged or args or kwargs:
            return super().forward(x, *args, **kwargs)
        base, p = self.base_layer(x), getattr(self.lora_dropout[name], "p", 0.0)
        scale, a = self.scaling[name], self.lora_A[name].weight
        if not (self.training and p):
            narrow = functional.linear(x, a)
        elif x.is_cuda:
            narrow = functional.linear(functional.dropout(x, p), a)
        else:
            narrow, scale = _Dropped.apply(x, a, dropped(x.numel(), p)), scale / (1 - p)
        out = torch.addmm(
            base.flatten(0, -2), narrow.flatten(0, -2) * scale, self.lora_B[name].weight.t()
        )
        return out.view_as(base)


def dropped(size: int, p: float) -> torch.Tensor:
    """Draw which of `size` places are dropped, each with probability p, independently: the gaps
    between successes of Bernoulli trials are geometric. Returns their indices, ascending."""
    most = math.ceil(size * p + 8 * math.sqrt(size * p) + 16)  # by 8 sd never fewer than needed
    places = torch.empty(most).geometric_(p).long().cumsum(0) - 1
    return places[places < size]


class _Dropped(torch.autograd.Function):
    """A x where some places of x are dropped, not scaled up."""

    @staticmethod
    def forward(ctx, x, a, places):
        kept = x.clone(memory_format=torch.contiguous_format)
        kept.view(-1).index_fill_(0, places, 0.0)
        ctx.save_for_backward(kept, a, places)
        return functional.linear(kept, a)

    @staticmethod
    def backward(ctx, gradient):
        kept, a, places = ctx.saved_tensors
        of_a = gradient.flatten(0, -2).t() @ kept.flatten(0, -2)
        if not ctx.needs_input_grad[0]:
            return None, of_a, None
        of_x = gradient @ a
        of_x.view(-1).index_fill_(0, places, 0.0)
        return of_x, of_a, None

"""Pinned memory: pages of the host that stay in place, so that a GPU copies while nobody waits."""

_possible = [True]  # until memory could not be pinned


def empty(like):
    """Return an empty contiguous tensor on the host, in pinned memory if there is such."""
    import torch

    if _possible[0]:
        try:
            return torch.empty(like.shape, dtype=like.dtype, pin_memory=True)
        except RuntimeError as error:
            _possible[0] = False
            line = str(error).strip().splitlines()[0]
            print(f"no memory can be pinned, so copies are waited for: {line}", flush=True)
    return torch.empty(like.shape, dtype=like.dtype)


def pinned(array):
    """Return a numpy array as a tensor there."""
    import torch

    tensor = torch.from_numpy(array)
    return empty(tensor).copy_(tensor)

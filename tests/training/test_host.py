"""The host beside the device: a thread that makes things ahead, copies."""

import threading
import time

import pytest
from tests.training.test_loop import cpu

from xstilts.models import pinning
from xstilts.models.execution import tensors
from xstilts.running.errors import UserError
from xstilts.training import host


def no_thread_is_left():
    return not [t for t in threading.enumerate() if t.name.startswith(("ahead", "saver"))]


def noted(size, made):
    for number in range(size):
        made.append(number)
        yield number


def wait_until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.mark.parametrize("depth", [1, 3, 50])
def test_items_are_made_ahead_in_order_but_not_too_far(depth):
    made, taken = [], []
    with host.ahead(noted(20, made), depth, cpu()) as items:
        for item in items:
            taken.append(item)
            there = min(20, len(taken) + depth)
            wait_until(lambda there=there: len(made) == there)  # by a thread: nobody asked
    assert taken == made == list(range(20))
    assert no_thread_is_left()


def test_without_a_depth_items_are_made_when_they_are_asked_for():
    made = []
    with host.ahead(noted(3, made), 0, cpu()) as items:
        assert [(item, list(made)) for item in items] == [(0, [0]), (1, [0, 1]), (2, [0, 1, 2])]
        assert no_thread_is_left()


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_an_error_comes_where_its_item_is_asked_for(depth):
    def items():
        yield from range(2)
        raise UserError("row 3 is no good")

    taken = []
    with (
        pytest.raises(UserError, match="row 3 is no good"),
        host.ahead(items(), depth, cpu()) as found,
    ):
        for item in found:
            taken.append(item)
    assert taken == [0, 1] and no_thread_is_left()


class Stop(BaseException):
    pass


def test_the_thread_ends_with_who_takes_from_it():
    made = []
    with pytest.raises(Stop), host.ahead(noted(10**9, made), 3, cpu()) as items:
        assert next(items) == 0
        raise Stop
    assert no_thread_is_left() and len(made) <= 5
    with host.ahead(noted(10**9, made), 3, cpu()) as items:
        assert next(items) == 0
    assert no_thread_is_left()


def test_a_copy_does_not_change_with_what_it_is_of(monkeypatch):
    import torch

    weight = torch.nn.Parameter(torch.arange(6.0).reshape(2, 3).T)
    copy = host.copy(weight)
    with torch.no_grad():
        weight.zero_()
    assert copy.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert copy.is_contiguous() and not copy.requires_grad
    host.arrival(cpu())()
    monkeypatch.setenv("RANK", "1")
    assert host.copy(weight) is None


def test_what_cannot_be_pinned_is_copied_all_the_same_and_said_once(monkeypatch, capsys):
    """This torch has no GPU, so it has no pinned memory."""
    import numpy as np
    import torch

    monkeypatch.setattr(pinning, "_possible", [True])
    array, moved = np.arange(4), []
    monkeypatch.setattr(torch.Tensor, "to", lambda t, *to, **how: moved.append((t, *to, how)))
    tensors({"ids": array, "mask": pinning.pinned(array), "longest": 4}, "cuda")
    found = [(tensor.tolist(), *rest) for tensor, *rest in moved]
    assert found == [([0, 1, 2, 3], "cuda", {"non_blocking": True})] * 2
    assert capsys.readouterr().out.count("no memory can be pinned, so copies are waited for") == 1

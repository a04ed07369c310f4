import itertools

import numpy as np
import pytest
import torch

from xstilts.models import pixels, seeing
from xstilts.running.errors import UserError

IDS = [f"p{number}" for number in range(2500)]


class Tower:
    """Sees in a picture the number that it is; counts what it is shown."""

    def __init__(self, most=10**9):
        self.most, self.shown = most, []

    def __call__(self, batch):
        if len(batch) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        self.shown.append(len(batch))
        return batch.view(-1, 1, 1).expand(-1, 2, 3).half()


class Reader:
    """A picture is a number as text; anything else cannot be read."""

    def __init__(self, folder):
        pass

    def __call__(self, blobs):
        good = [float(blob) for blob in blobs if blob.isdigit()]
        made = np.array(good, np.float32).reshape(-1, 1) if good else None
        return made, [place for place, blob in enumerate(blobs) if not blob.isdigit()]


@pytest.fixture(autouse=True)
def reader(monkeypatch):
    monkeypatch.setattr(pixels, "Reader", Reader)


def see(tmp_path, tower, total=2500, bad=(), key="k", stop=None):
    """Return the features of a set, and the first picture that was asked for."""
    asked = []

    def pictures(first):
        asked.append(first)
        for number in range(first, total):
            if number == stop:
                raise KeyboardInterrupt
            yield "x" if number in bad else str(number % 1000)

    unreadable = seeing.Unreadable("task `coco`: o/coco train", IDS[:total])
    state = seeing.State(tmp_path, key)
    _, blocks = seeing.see(pictures, total, tower, "vit", 1, state, unreadable)
    return np.concatenate(list(blocks)), asked, unreadable.found


def test_the_features_of_a_set_are_in_its_order(tmp_path):
    tower = Tower()
    found, asked, unreadable = see(tmp_path, tower)
    assert found.shape == (2500, 2, 3) and found.dtype == np.float16
    assert np.array_equal(found[:, 0, 0], np.arange(2500) % 1000)
    assert (asked, unreadable) == ([0], [])
    # Blocks of 1024 by 64, whatever comes after them.
    assert tower.shown == [64] * 16 * 2 + [64] * 7 + [4]


def test_what_was_killed_goes_on_where_it_was_and_makes_the_same(tmp_path):
    whole, _, _ = see(tmp_path / "whole", Tower())
    with pytest.raises(KeyboardInterrupt):
        see(tmp_path / "killed", Tower(), stop=2100)
    assert sorted(p.name for p in (tmp_path / "killed/blocks").iterdir()) == [
        "000000.npz", "000001.npz", "key",
    ]  # fmt: skip
    tower = Tower()
    found, asked, _ = see(tmp_path / "killed", tower)
    assert asked == [2048] and sum(tower.shown) == 2500 - 2048
    assert found.tobytes() == whole.tobytes()


def test_a_block_that_was_cut_off_is_made_again(tmp_path):
    whole, _, _ = see(tmp_path, Tower())
    path = tmp_path / "blocks/000001.npz"
    path.write_bytes(path.read_bytes()[:100])
    found, asked, _ = see(tmp_path, Tower())
    assert asked == [1024] and found.tobytes() == whole.tobytes()


def test_blocks_of_another_spec_are_not_taken(tmp_path):
    see(tmp_path, Tower(), key="old")
    _, asked, _ = see(tmp_path, Tower(), key="new")
    assert asked == [0]


def test_what_does_not_fit_the_gpu_is_done_by_halves(tmp_path):
    whole, _, _ = see(tmp_path / "a", Tower(), total=100)
    tower = Tower(most=20)
    found, _, _ = see(tmp_path / "b", tower, total=100)
    assert found.tobytes() == whole.tobytes()
    assert tower.shown == [16] * 4 + [18, 18]
    with pytest.raises(UserError, match="does not fit the GPU's memory"):
        see(tmp_path / "c", Tower(most=0), total=100)


def test_a_picture_that_cannot_be_read_is_zeros_and_told(tmp_path):
    found, _, unreadable = see(tmp_path, Tower(), bad={7, 1500})
    assert unreadable == [7, 1500]
    assert not found[[7, 1500]].any() and np.array_equal(found[8:20, 0, 0], np.arange(8, 20))
    again, _, unreadable = see(tmp_path, Tower(), bad={7, 1500})  # of finished blocks
    assert unreadable == [7, 1500] and again.tobytes() == found.tobytes()


def test_more_than_one_in_a_thousand_is_an_error_that_names_the_first(tmp_path):
    line = (
        r"^task `coco`: o/coco train: 3 of its 2500 pictures cannot be read, the first is p30; at"
        r" most 2 may be \(one in 1,000\)$"
    )
    with pytest.raises(UserError, match=line):
        see(tmp_path, Tower(), bad={30, 40, 50})
    with pytest.raises(UserError, match="1 of its 500 pictures cannot be read, the first is p3;"):
        see(tmp_path, Tower(), total=500, bad={3})


def test_a_block_of_which_none_can_be_read(tmp_path):
    with pytest.raises(UserError, match="100 of its 100 pictures cannot be read, the first is p0"):
        see(tmp_path, Tower(), total=100, bad=set(range(100)))


def test_states_that_fp16_has_no_number_for(tmp_path):
    class Large(Tower):
        def __call__(self, batch):
            return super().__call__(batch) * float("inf")

    with pytest.raises(UserError, match="too large for fp16, or no numbers"):
        see(tmp_path, Large(), total=10)


def test_chunks_do_not_cross_blocks():
    assert seeing.BLOCK % (seeing.BATCH * pixels.CHUNK) == 0
    assert list(itertools.accumulate([64] * 16))[-1] == seeing.BLOCK

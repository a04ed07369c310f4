import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from xstilts.data import features, own_features
from xstilts.encoding import features as read
from xstilts.running.errors import UserError


def files(folder, values, ids=("a", "b", "c"), name="features"):
    save_file({name: values}, folder / "f.safetensors")
    (folder / "ids.txt").write_text("".join(f"{each}\n" for each in ids))
    return [folder / "f.safetensors", folder / "ids.txt"]


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_any_kind_of_float_becomes_fp16_in_the_order_that_is_asked_for(tmp_path, kind):
    values = torch.arange(24.0).view(3, 2, 4).to(kind)
    found = own_features.look(files(tmp_path, values))
    assert (found.shape, found.ids) == ((3, 2, 4), ["a", "b", "c"])
    made = np.concatenate(list(found.blocks([2, 0])))
    assert made.dtype == np.float16
    assert np.array_equal(made, values[[2, 0]].half().numpy())


def test_a_vector_a_picture_is_one_position(tmp_path):
    found = own_features.look(files(tmp_path, torch.ones(3, 4)))
    assert found.shape == (3, 1, 4) and next(found.blocks([1])).shape == (1, 1, 4)


def test_blocks_are_of_many_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr(own_features, "BLOCK", 2)
    values = torch.arange(6.0).view(3, 2)
    found = own_features.look(files(tmp_path, values))
    assert [len(block) for block in found.blocks([0, 1, 2])] == [2, 1]


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda f: files(f, torch.ones(3, 4))[:1], "are a .safetensors file with the tensor"),
        (lambda f: files(f, torch.ones(3, 4), ids="ab"), "of 3 pictures, and ids.txt 2 ids"),
        (lambda f: files(f, torch.ones(3, 4), name="feature"), "did you mean `feature`"),
        (lambda f: files(f, torch.ones(3, 4).int()), r"`features` is I32 \[3, 4\], not floats"),
        (lambda f: files(f, torch.ones(3)), r"`features` is F32 \[3\], not floats"),
    ],
)
def test_files_that_are_no_features_are_one_line(tmp_path, make, line):
    with pytest.raises(UserError, match=line):
        own_features.look(make(tmp_path))


def test_files_that_were_cut_off(tmp_path):
    paths = files(tmp_path, torch.ones(3, 400))
    whole = paths[0].read_bytes()
    paths[0].write_bytes(whole[:-10])
    with pytest.raises(UserError, match=r"f\.safetensors: was cut off"):
        own_features.look(paths)
    paths[0].write_bytes(whole[:20])
    with pytest.raises(UserError, match="is not a safetensors file, or was cut off"):
        own_features.look(paths)


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), 1e6])
def test_numbers_that_fp16_has_not_are_told_with_the_picture(tmp_path, odd):
    values = torch.ones(3, 2, 4)
    values[1, 1, 2] = odd
    found = own_features.look(files(tmp_path, values))
    with pytest.raises(UserError, match="the features of b are too large for fp16, or no numbers"):
        list(found.blocks([0, 1, 2]))


def test_what_is_written_is_what_a_training_reads(tmp_path):
    from safetensors.numpy import load_file

    values = np.random.default_rng(0).standard_normal((7, 4, 6)).astype(np.float16)
    path = tmp_path / "a.safetensors"
    features.write(path, (7, 4, 6), iter([values[:3], values[3:]]))
    assert np.array_equal(load_file(path)["features"], values)
    assert features.shape_of(path) == (7, 4, 6)
    assert np.array_equal(read.load(path).rows(np.array([6, 0])), values[[6, 0]])


def test_too_few_blocks_leave_no_file(tmp_path):
    path = tmp_path / "a.safetensors"
    with pytest.raises(ValueError, match="the blocks are not"):
        features.write(path, (7, 4, 6), [np.zeros((3, 4, 6), np.float16)])
    assert not list(tmp_path.iterdir())

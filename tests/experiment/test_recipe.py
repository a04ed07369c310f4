"""Recipes: later layers win; what of them a spec has."""

import dataclasses

from xstilts.experiment.recipe import Recipe, resolve, stride


def test_later_layers_win_and_the_rest_stays():
    assert resolve() == Recipe()
    found = resolve({"epochs": 2, "batch_size": 4}, {}, {"epochs": 5, "dropout": 0.0})
    assert found == Recipe(epochs=5, batch_size=4, dropout=0.0)


def test_windows_overlap_by_a_third():
    assert [stride(n) for n in (384, 128, 16)] == [128, 42, 5]


def test_what_came_later_is_in_a_spec_only_where_it_is_not_the_default():
    """So that what was trained before there was such a key is not trained again."""
    plain, fields = Recipe(), dataclasses.asdict(Recipe())
    later = {"grouping": ("length", "none"), "optimizer": ("adamw", "adamw8bit")}
    later |= {"scale": (None, 20.0), "image_learning_rate": (1e-4, 1e-3)}
    assert plain.spec() == {k: v for k, v in fields.items() if k not in later}
    assert Recipe(**plain.spec()) == plain
    for key, (default, other) in later.items():
        assert resolve({key: default}).spec() == plain.spec()
        assert resolve({key: other}).spec() == {**plain.spec(), key: other}

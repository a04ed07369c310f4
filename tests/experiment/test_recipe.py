"""Recipes: later layers win."""

from xstilts.experiment.recipe import Recipe, resolve, stride


def test_later_layers_win_and_the_rest_stays():
    assert resolve() == Recipe()
    found = resolve({"epochs": 2, "batch_size": 4}, {}, {"epochs": 5, "dropout": 0.0})
    assert found == Recipe(epochs=5, batch_size=4, dropout=0.0)


def test_windows_overlap_by_a_third():
    assert [stride(n) for n in (384, 128, 16)] == [128, 42, 5]

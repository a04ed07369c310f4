"""The scale of colours: zero is nearly white, losses are brown, gains are blue."""

from hypothesis import given
from hypothesis import strategies as st

from xstilts.analysis import colours
from xstilts.analysis.colours import Scale


def rgb(colour):
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def test_the_scale_in_full():
    scale = Scale(10.0)
    assert scale.colour(0.0) == "#f7f7f5" and not scale.dark(0.0)
    assert rgb(scale.colour(-10.0)) == list(colours.LOSS) and scale.dark(-10.0)
    assert rgb(scale.colour(99.0)) == list(colours.GAIN) and scale.dark(99.0)
    assert scale.colour(5.0) == "#88a8c6" and not scale.dark(5.0)


def test_an_outlier_does_not_make_the_rest_pale():
    assert Scale.of([1.5] * 10 + [-80.0]).limit == 1.5
    assert Scale.of([0.1, None, float("nan")]).limit == colours.SMALLEST
    assert Scale.of([]).limit == colours.SMALLEST


@given(st.floats(0, 200), st.floats(0, 200), st.floats(1, 100))
def test_a_larger_difference_is_never_paler(a, b, limit):
    scale, low, high = Scale(limit), min(a, b), max(a, b)
    for sign in (-1, 1):
        near, far = (sum(rgb(scale.colour(sign * x))) for x in (low, high))
        assert far <= near

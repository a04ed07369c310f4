"""The figure of an answer, read back from its axes."""

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex
from tests.analysis import answers

from xstilts.analysis.plots import along, answer, style

NAN = float("nan")


def drawn(found):
    return answer.draw(found.meta, found.table, found.points)


def labels(axes):
    return [text.get_text() for text in axes.get_yticklabels()]


def said(figure):
    """All text that stands outside the axes."""
    parts = figure.subfigs
    titles = [part._suptitle.get_text() for part in parts if part._suptitle]
    return titles, parts[-1].texts[0].get_text().replace("\n", " ")


def marks(axes):
    """The dots: collections of one place that have a face."""
    return [c for c in axes.collections if len(c.get_offsets()) == 1 and len(c.get_facecolor())]


def fills(axes):
    found = [to_hex(mark.get_facecolor()[0]) for mark in marks(axes)]
    return ["white" if colour == "#ffffff" else colour for colour in found]


def dots(axes):
    return [mark.get_offsets().tolist()[0] for mark in marks(axes)]


def test_classes_are_dots_and_differences_are_below_them():
    figure = drawn(answers.compared())
    values, differences = figure.axes
    assert labels(values) == ["sentences", "single-hop", "multi-hop"]
    assert dots(values) == [[5.1, 0], [4.8, 1], [3.0, 2]]
    assert set(fills(values)) == {answer.GREY.lower()}, "they are not tested"
    assert labels(differences) == ["single-hop", "multi-hop"]
    assert dots(differences) == [[-0.3, 0], [-2.1, 1]]
    assert fills(differences) == ["white", style.COLOURS[0].lower()], "one is claimed"
    low, high = differences.get_xlim()
    assert low < -3.6 and high > 1.0, "intervals are whole"
    titles, note = said(figure)
    assert titles == ["gain", "difference to sentences"]
    assert note == (
        "lines: 95% intervals over examples and seeds; filled: told apart from zero (Holm); grey:"
        " not tested"
    )
    assert figure.get_size_inches()[0] == answer.WIDTH, "a column of print"


def test_scales_are_beside_each_other():
    figure = drawn(answers.ALL["three-scales"]())
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "points", "% of the errors", "log-odds",
    ] * 2  # fmt: skip
    assert "on every scale" in said(figure)[1]
    assert fills(drawn(answers.disagreeing()).axes[2]) == ["white"], "above zero in points alone"


def test_a_slope_goes_through_the_mean_of_its_points_and_its_band_has_its_bounds():
    found = answers.slopes()
    figure = drawn(found)
    panel = figure.axes[0]
    near = found.points[found.points["class"] == "near"]
    line = panel.lines[0]
    x, y = line.get_xdata(), line.get_ydata()
    assert np.allclose(x, np.log10([1000, 392702]))
    assert np.isclose((y[1] - y[0]) / (x[1] - x[0]), 1.2)
    middle, level = np.log10(near["x"]).mean(), near["estimate"].mean()
    assert np.isclose(y[0] + 1.2 * (middle - x[0]), level)
    [band, _] = [c for c in panel.collections if len(c.get_paths()[0].vertices) > 80]
    edge = band.get_paths()[0].vertices
    last = edge[np.isclose(edge[:, 0], x[1]), 1]
    assert np.allclose(sorted({*last.round(9)}), level + np.array([0.4, 2.0]) * (x[1] - middle))
    ticks = [text.get_text() for text in panel.get_xticklabels()]
    assert ticks == ["1k", "10k", "100k"] and panel.get_xlabel() == "intermediate rows"
    assert "turned about the mean of the points" in said(figure)[1]
    assert [t.get_text() for t in figure.subfigs[0].legends[0].get_texts()] == ["near", "far"]
    assert said(figure)[0] == ["slope of the gain, for ten times the\nintermediate rows"]


def test_a_single_slope_is_said_and_needs_no_dots():
    found = answers.slopes()
    one = found.table["class"] == "near"
    figure = answer.draw(
        found.meta, found.table[one], found.points[found.points["class"] == "near"]
    )
    [panel] = figure.axes
    assert panel.get_title(loc="left") == "slope 1.2 (95%: 0.4 to 2.0)"


def test_ranks_are_points_by_the_trait_with_names_where_they_are_few():
    panel = drawn(answers.ranks(14)).axes[0]
    assert panel.get_title(loc="left") == "rank correlation −0.62 (95%: −0.83 to −0.21)"
    assert [text.get_text() for text in panel.texts] == [f"l{at:02d}" for at in range(14)]
    assert not [line for line in panel.lines if len(line.get_xdata()) == 2 and
                line.get_xdata()[1] > 0.5 and np.ptp(line.get_ydata())], "no line"  # fmt: skip
    assert not drawn(answers.ranks(40)).axes[0].texts


def test_what_is_missing_is_said():
    figure = drawn(answers.unanswered())
    assert figure.texts[0].get_text().startswith("Not answered yet: 4 of 24 cells are missing")
    rows = [answers.row("a", NAN, NAN, NAN), answers.row("b", 1.0, 0.5, 1.5)]
    figure = drawn(answers.answer(answers.meta(), rows))
    assert labels(figure.axes[0]) == ["a", "b"] and said(figure)[1].endswith("no estimate: a")


def test_a_score_is_not_drawn_from_zero():
    panel = drawn(answers.scores()).axes[0]
    assert panel.get_xlim()[0] > 50 and panel.get_xlabel() == "percent"
    assert "filled" not in said(drawn(answers.scores()))[1]


def test_the_answer_without_collapsed_trainings_is_beside_it():
    figure = drawn(answers.collapsed())
    assert dots(figure.axes[0]) == [
        [2.4, 0], [1.5, 1], [0.2, 2], [2.4, 0.26], [2.6, 1.26], [0.2, 2.26],
    ]  # fmt: skip
    assert said(figure)[1].endswith("diamond: without collapsed trainings")


@pytest.mark.parametrize("kind", ["hostile", "slopes-three"])
def test_the_same_figure_is_the_same_bytes_in_every_form(tmp_path, kind, recwarn):
    found = answers.ALL[kind]()
    for name in ("a", "b"):
        style.save(drawn(found), tmp_path / name, ("svg", "pdf"))
    for end in ("svg", "pdf"):
        first, second = ((tmp_path / f"{name}.{end}").read_bytes() for name in ("a", "b"))
        assert first == second and len(first) < 300_000
    assert not [w for w in recwarn if "layout" in str(w.message)]


@pytest.mark.parametrize("kind", answers.ALL)
def test_every_kind_is_drawn(kind):
    assert drawn(answers.ALL[kind]()).get_size_inches()[0] < 6.5, "the text of a page"


def test_a_name_is_no_formula():
    panel = drawn(answers.hostile()).axes[0]
    assert labels(panel)[0].replace("\n", " ") == r"50% _of_ {all} #1 & $x^2$ ~ \n"
    assert not matplotlib.rcParams["text.parse_math"]
    assert labels(panel)[4] == "a class of a name\nthat is much too\nlong for any …"


@pytest.mark.parametrize(
    ("value", "text"),
    [(392702, "393k"), (1e8, "100M"), (10.7e9, "10.7B"), (0.35, "0.35"), (-2, "−2"), (0, "0")],
)
def test_numbers_of_an_axis_are_short(value, text):
    assert along.short(value) == text


@pytest.mark.parametrize(
    ("values", "ticks"),
    [([1e3, 4e5], ["1k", "10k", "100k"]), ([1e8, 6e8], ["100M", "200M", "500M"]),
     ([3e3, 3e3], ["3k"])],
)  # fmt: skip
def test_ticks_of_a_logarithmic_axis_are_round(values, ticks):
    assert [along.short(10**x) for x in along._ticks(np.log10(values))] == ticks

"""Figures: what is drawn of hand-written rows, read back from the axes."""

import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from xstilts.analysis import cost, figure_data, significance
from xstilts.analysis.plots import curves, dots, gap, heatmap, style
from xstilts.running.errors import UserError
from xstilts.steps import figures as figures_step

NAN = float("nan")
MAIN = pd.DataFrame(
    [
        ("a", "none", 50.0, NAN, 60.0, NAN),
        ("a", "mnli", 48.0, -2.0, 60.0, 0.0),
        ("b", "none", 50.0, NAN, 60.0, NAN),
        ("b", "mnli", 60.0, 10.0, NAN, NAN),
    ],
    columns=["model", "intermediate", "xnli", "xnli delta", "xquad", "xquad delta"],
)


def texts(axes):
    return [text.get_text() for text in axes.texts]


def messages(figure):
    return [text.get_text() for text in figure.texts]


def test_the_heatmap_prints_signs_on_a_scale_around_zero():
    figure = heatmap.draw(MAIN, {("b", "mnli", "xnli")})
    first, second, _ = figure.axes
    assert texts(first) == ["−2.0", "0.0"] and texts(second) == ["+10.0*", "–"]
    assert [panel.get_title(loc="left") for panel in (first, second)] == ["a", "b"]
    assert [panel.images[0].get_clim() for panel in (first, second)] == [(-10.0, 10.0)] * 2


def test_without_a_difference_the_heatmap_says_so():
    assert "No difference" in messages(heatmap.draw(MAIN[MAIN["intermediate"] == "none"], set()))[0]


def test_losses_and_gains_are_of_different_hue_and_zero_is_nearly_white():
    low, middle, high = (style.GAIN(x)[:3] for x in (0.0, 0.5, 1.0))
    assert low[0] > low[2] and high[2] > high[0] and min(middle) > 0.95


def deltas(rows):
    lines = [
        dict(model="a", intermediate=i, target="xnli", language=language, delta=delta, low=low)
        | dict(high=high, statistic="score", over="examples", survives=False)
        for i, language, delta, low, high in rows
    ]
    return pd.DataFrame(lines, columns=significance.COLUMNS)


def test_dots_are_sorted_and_filled_where_the_interval_leaves_out_zero():
    rows = [
        ("mnli", "", 1.0, 0.0, 2.0),
        ("mnli", "de", -1.0, -2.0, 1.0),
        ("mnli", "ru", 3.0, 1.0, 5.0),
    ]
    figure = dots.draw(deltas(rows), "xnli, a")
    [axes] = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["de", "ru"]
    points = axes.collections[-1]
    assert points.get_offsets().tolist() == [[-1.0, 0.0], [3.0, 1.0]]
    blue = to_rgb(style.COLOURS[0])
    assert [tuple(colour[:3]) for colour in points.get_facecolors()] == [(1.0, 1.0, 1.0), blue]
    assert "xnli, a" in messages(figure) and "95% interval over examples" in messages(figure)[0]
    assert "no difference to show" in messages(dots.draw(deltas([]), "xnli, a"))[0]


def test_more_columns_than_fit_go_below():
    rows = [(f"task{i}", "de", 1.0, 0.0, 2.0) for i in range(dots.MAX_COLUMNS + 1)]
    assert len(dots.draw(deltas(rows), "xnli, a").axes) == 2


def test_the_gap_has_a_panel_a_model_and_a_line_a_target():
    rows = [("a", "none", "xnli", 10.0), ("a", "mnli", "xnli", 8.0), ("b", "none", "xquad", NAN)]
    figure = gap.draw(pd.DataFrame(rows, columns=["model", "intermediate", "target", "gap"]))
    [axes] = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["xnli"]
    assert [points.get_offsets()[0][0] for points in axes.collections] == [10.0, 8.0]
    nothing = pd.DataFrame([], columns=["model", "intermediate", "target", "gap"])
    assert "No transfer gap" in messages(gap.draw(nothing))[0]


def test_curves_have_a_panel_a_training_and_a_line_a_seed():
    rows = [
        ("tune", "a", "none", seed, "squad", step, 1.0, 10.0 * step, step == 2)
        for seed in ("seed1", "seed2")
        for step in (1, 2)
    ]
    rows.append(("intermediate", "a", "mnli", "seed1", "", 5, 1.0, 50.0, True))
    figure = curves.draw(pd.DataFrame(rows, columns=cost.CURVE_COLUMNS))
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "stage 1: mnli",
        "tuning on squad",
    ]
    tuned = figure.axes[1].lines
    assert [line.get_ydata().tolist() for line in tuned] == [[10.0, 20.0], [20.0]] * 2
    assert (
        "No learning curves"
        in messages(curves.draw(pd.DataFrame([], columns=cost.CURVE_COLUMNS)))[0]
    )


def test_markers_differ_in_grey_too():
    markers = style.markers(f"task{i}" for i in range(12))
    assert len({style["marker"] for style in markers.values()}) == 12


def test_a_table_is_read_with_its_names_as_text(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("model,language,delta,survives\n007,nan,,True\nnone,,1.5,\n")
    found = figure_data.read_table(path)
    assert found["model"].tolist() == ["007", "none"] and found["language"].tolist() == ["nan", ""]
    assert found["delta"].isna().tolist() == [True, False] and found["delta"][1] == 1.5
    assert found["survives"].tolist() == [True, False]


def test_without_tables_the_step_says_who_makes_them(tmp_path):
    given = ["--tables", str(tmp_path), "--out", str(tmp_path / "figures"), "--processes", "2"]
    args = figures_step.parser().parse_args(given)
    with pytest.raises(UserError, match=r"main\.csv: there is no such table; the step `tables`"):
        figures_step.main(args)


def test_the_same_figure_is_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        style.save(heatmap.draw(MAIN, set()), tmp_path / name)
    for kind in ("png", "svg"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()

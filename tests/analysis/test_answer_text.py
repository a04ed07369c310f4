"""An answer in words: each kind of sentence in full, what none may claim, the table in full."""

import dataclasses
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.analysis import answers
from tests.analysis.answers import answer, meta, row
from tests.analysis.test_latex import compiled, parsed

from xstilts.analysis.answers import files as answer_files
from xstilts.analysis.answers import findings
from xstilts.analysis.answers import text as answer_text
from xstilts.analysis.latex import to_latex
from xstilts.analysis.text_table import to_markdown

NAN = float("nan")
SENTENCES = {
    "single": "The gain is above zero: 1.8 points (95%: 0.9 to 2.7).",
    "several": (
        "The gain is above zero for mnli (2.4 points; 95%: 1.1 to 3.7) and squad (1.2 points;"
        " 95%: 0.1 to 2.3); the gain is below zero for hellaswag (−1.5 points; 95%: −2.6 to"
        " −0.4); the gain is not told apart from zero for xnli-15 (0.3 points; 95%: −0.9 to"
        " 1.5) and mlm (−0.2 points; 95%: −1.7 to 1.3); there 1.7 to 2.1 points would have"
        " been seen with 80% power."
    ),
    "compared": (
        "Compared to sentences, the gain is smaller for multi-hop (−2.1 points; 95%: −3.6 to"
        " −0.6); no difference of the gain was found for single-hop (−0.3 points; 95%: −1.6 to"
        " 1.0; one of 1.8 points would have been seen with 80% power)."
    ),
    "three-scales": (
        "Compared to sentences, the gain is smaller on all 3 scales for multi-hop (−2.1"
        " points; 95%: −3.6 to −0.6); no difference of the gain was found on any scale for"
        " single-hop (−0.3 points; 95%: −1.6 to 1.0; one of 1.8 points would have been seen"
        " with 80% power)."
    ),
    "disagreeing": (
        "Compared to easy, the scales disagree for hard, so nothing is claimed: the gain is"
        " larger in points (+2.1; 95%: 0.6 to 3.6), not in share of the errors (+1.1%; 95%:"
        " −2.0 to 4.2)."
    ),
    "slopes": (
        "For ten times the intermediate rows, the gain grows for near (1.2 points; 95%: 0.4"
        " to 2.0); no slope of the gain was found for far (0.2 points; 95%: −0.6 to 1.0; one"
        " of 1.1 points would have been seen with 80% power)."
    ),
    "slopes-compared": (
        "Compared to near, the slope of the gain is smaller for far: a difference of −1.0"
        " points (95%: −1.9 to −0.1) for ten times the intermediate rows."
    ),
    "slopes-three": (
        "Compared to near, the slope of the gain is smaller on all 3 scales for far: a"
        " difference of −1.0 points (95%: −1.9 to −0.1), −2.5% of the errors (95%: −4.8 to"
        " −0.3), −0.06 log-odds (95%: −0.11 to −0.01) for ten times the intermediate rows."
    ),
    "ranks": (
        "By rank, the gain falls with language distance: a correlation of −0.62 (95%: −0.83"
        " to −0.21)."
    ),
    "unanswered": (
        "Not answered yet: 4 of 24 cells are missing (m/mnli/seed1/xnli,"
        " m/mnli/seed1/tatoeba, m/mnli/seed2/xnli, ...)."
    ),
    "scores": (
        "The score is 61.3 (95%: 60.1 to 62.4) for mnli and 58.0 (95%: 56.8 to 59.2) for none."
    ),
    "collapsed": (
        "The gain is above zero for mnli (2.4 points; 95%: 1.1 to 3.7); the gain is not told"
        " apart from zero for squad (1.5 points; 95%: −1.2 to 4.2) and mlm (0.2 points; 95%:"
        " −0.8 to 1.2); there 1.4 to 3.8 points would have been seen with 80% power. Without"
        " collapsed trainings, the gain is above zero for squad: 2.6 points (95%: 1.5 to 3.7)."
    ),
}
LINEAR = meta(along="language distance", scale="linear")
LOG = meta(along="intermediate rows", scale="log10")
RANK = meta(along="language distance", scale="rank")
FIRST = meta(contrast="first")


def said(about, *rows):
    return answer_text.sentence(about, answer(about, list(rows)).table)


@pytest.mark.parametrize("kind", SENTENCES)
def test_a_sentence_of_each_kind_in_full(kind):
    found = answers.ALL[kind]()
    assert answer_text.sentence(found.meta, found.table) == SENTENCES[kind]


@pytest.mark.parametrize(
    ("about", "rows", "expected"),
    [
        (meta(), [row("all", -1.8, -2.7, -0.9)],
         "The gain is below zero: −1.8 points (95%: −2.7 to −0.9)."),
        (meta(), [row("all", 0.3, -0.9, 1.5)],
         "The gain is not told apart from zero: 0.3 points (95%: −0.9 to 1.5); one of 1.7 points"
         " would have been seen with 80% power."),
        (meta(), [row("rich", 0.3, -0.9, 1.5, detectable=NAN)],
         "The gain is not told apart from zero for rich: 0.3 points (95%: −0.9 to 1.5)."),
        (FIRST, [row("b", 2.1, 0.6, 3.6, kind="difference", over="a")],
         "Compared to a, the gain is larger for b: a difference of +2.1 points (95%: 0.6 to 3.6)."),
        (FIRST, [row("b", -0.4, -1.9, 1.1, kind="difference", over="a")],
         "Compared to a, no difference of the gain was found for b: −0.4 points (95%: −1.9 to 1.1);"
         " one of 2.1 points would have been seen with 80% power."),
        (FIRST, [row("a", 2.1, 0.6, 3.6, tested=False)],
         "The gain for a is 2.1 points (95%: 0.6 to 3.6)."),
        (meta(contrast="first", value="score"),
         [row("a", 60.0, 59.0, 61.0, tested=False),
          row("b", 2.1, 0.6, 3.6, kind="difference", over="a")],
         "Compared to a, the score is larger for b: a difference of +2.1 points (95%: 0.6 to"
         " 3.6)."),
        (LOG, [row("all", 1.2, 0.4, 2.0, kind="slope")],
         "The gain grows by 1.2 points (95%: 0.4 to 2.0) for ten times the intermediate rows."),
        (LOG, [row("all", -1.2, -2.0, -0.4, kind="slope")],
         "The gain falls: −1.2 points (95%: −2.0 to −0.4) for ten times the intermediate rows."),
        (LOG, [row("all", 0.2, -0.6, 1.0, kind="slope")],
         "No slope of the gain was found: 0.2 points (95%: −0.6 to 1.0) for ten times the"
         " intermediate rows; one of 1.1 points would have been seen with 80% power."),
        (LINEAR, [row("all", -6.0, -9.0, -3.0, kind="slope")],
         "The gain falls: −6.0 points (95%: −9.0 to −3.0) for each unit of language distance."),
        (LINEAR, [row("all", 0.00021, 0.00012, 0.00030, kind="slope")],
         "The gain grows by 0.00021 points (95%: 0.00012 to 0.00030) for each unit of language"
         " distance."),
        (RANK, [row("all", 0.12, -0.3, 0.5, kind="correlation")],
         "By rank, no correlation of the gain with language distance was found: 0.12 (95%: −0.30 to"
         " 0.50); one of 0.56 would have been seen with 80% power."),
        (RANK, [row("a", 0.6, 0.2, 0.8, kind="correlation"),
                row("b", 0.1, -0.3, 0.5, kind="correlation")],
         "By rank, the gain rises with language distance for a (0.60; 95%: 0.20 to 0.80); no"
         " correlation of the gain with language distance was found for b (0.10; 95%: −0.30 to"
         " 0.50; one of 0.56 would have been seen with 80% power)."),
        (meta(along="language distance", scale="rank", contrast="first"),
         [row("b", -0.5, -0.9, -0.1, kind="difference", over="a")],
         "Compared to a, by rank, the correlation of the gain with language distance is smaller for"
         " b: a difference of −0.50 (95%: −0.90 to −0.10)."),
        (meta(), [row("all", 1.2, 0.1, 2.3, **{"p holm": 0.081, "agrees": False})],
         "The gain is not told apart from zero: 1.2 points (95%: 0.1 to 2.3; p 0.081 by Holm); one"
         " of 1.5 points would have been seen with 80% power."),
        (meta(scales=["points", "share"]),
         [row("all", 1.2, 0.1, 2.3, **{"p holm": 0.081, "agrees": False}),
          row("all", 4.0, 1.0, 7.0, scale="share", agrees=False)],
         "The scales disagree, so nothing is claimed: the gain is above zero in share of the errors"
         " (4.0%; 95%: 1.0 to 7.0), not in points (1.2; 95%: 0.1 to 2.3; p 0.081 by Holm)."),
        (meta(), [row("all", 1.2, 0.1, 2.3, noise="examples")],
         "The gain is above zero: 1.2 points (95%: 0.1 to 2.3). With fewer than three seeds the"
         " noise of training is not in this."),
        (meta(), [row("all", 1.8, 0.9, 2.7), row("all", 1.2, -0.4, 2.8, without="collapsed",
                                                 noise="examples")],
         "The gain is above zero: 1.8 points (95%: 0.9 to 2.7). Without collapsed trainings, the"
         " gain is not told apart from zero: 1.2 points (95%: −0.4 to 2.8); one of 2.2 points would"
         " have been seen with 80% power. With fewer than three seeds the noise of training is not"
         " in this."),
        (meta(), [row("a", 1.8, 0.9, 2.7), row("b", 1.8, 0.9, 2.7),
                  row("a", 1.7, 0.9, 2.5, without="collapsed")],
         "The gain is above zero for a (1.8 points; 95%: 0.9 to 2.7) and b (1.8 points; 95%: 0.9 to"
         " 2.7). Without collapsed trainings, there is no estimate for b."),
        (meta(scales=["points", "share"]),
         [row("all", 1.8, 0.9, 2.7), row("all", 4.0, 1.0, 7.0, scale="share")],
         "The gain is above zero on both scales: 1.8 points (95%: 0.9 to 2.7), 4.0% of the errors"
         " (95%: 1.0 to 7.0)."),
        (meta(), [row("all", 1.2, 0.1, 2.3, noise="examples", barred="one seed", agrees=False)],
         "Nothing is claimed of the gain (from one seed alone): 1.2 points (95%: 0.1 to 2.3). With"
         " fewer than three seeds the noise of training is not in this."),
        (FIRST, [row("b", 2.1, 0.6, 3.6, kind="difference", over="a"),
                 row("c", 2.1, 0.6, 3.6, kind="difference", over="a", barred="collapsed")],
         "Compared to a, the gain is larger for b (+2.1 points; 95%: 0.6 to 3.6); nothing is"
         " claimed of the difference of the gain (all trainings of a side ended at guessing) for c"
         " (+2.1 points; 95%: 0.6 to 3.6)."),
        (LOG, [row("all", 1.2, 0.4, 2.0, kind="slope", barred="collapsed")],
         "Nothing is claimed of the slope of the gain (all trainings of a side ended at guessing):"
         " 1.2 points (95%: 0.4 to 2.0) for ten times the intermediate rows."),
        (meta(), [row("a", NAN, NAN, NAN), row("b", 1.8, 0.9, 2.7)],
         "The gain is above zero for b (1.8 points; 95%: 0.9 to 2.7); there is no estimate for a."),
        (meta(missing=["m/a/seed1/xnli"]), [],
         "Not answered yet: 1 cell is missing (m/a/seed1/xnli)."),
        (meta(missing=[["m", "a", "seed1", "xnli"]], cells=1200), [],
         "Not answered yet: 1 of 1,200 cells is missing (m/a/seed1/xnli)."),
        (meta(), [], "Not answered: no row of the grid is behind it."),
    ],
)  # fmt: skip
def test_other_sentences_in_full(about, rows, expected):
    assert said(about, *rows) == expected


def test_many_classes_are_named_without_numbers_and_the_rest_is_counted():
    rows = [row(f"c{at}", 1.0, 0.5, 1.5) for at in range(14)]
    text = said(meta(), *rows)
    assert (
        text == f"The gain is above zero for {', '.join(f'c{at}' for at in range(12))} and 2 more."
    )
    rows = [row(f"c{at}", 1.0, -0.5, 2.5) for at in range(5)]
    assert said(meta(), *rows).endswith(
        " for c0, c1, c2, c3 and c4; there one of 2.1 points would have been seen with 80% power."
    )


def test_a_name_that_is_read_from_the_right_leaves_the_numbers_where_they_are():
    text = said(meta(), row("العربية", 1.8, 0.9, 2.7))
    assert text == "The gain is above zero for \u2068العربية\u2069: 1.8 points (95%: 0.9 to 2.7)."
    assert findings.plain("a\n\tb\u202e\x07c") == "a bc"


CLAIM = re.compile(r"\b(above zero|below zero|larger|smaller|grows|falls|rises)\b")
BOUNDS = st.tuples(*[st.floats(-50, 50) | st.sampled_from([-1e-9, 0.0, 1e-9, 2.0, NAN])] * 2)
P = st.sampled_from([0.0, 0.001, 0.0499, 0.05, 0.3, NAN])


@st.composite
def tables(draw):
    """Any table: intervals, p and flags need not fit each other."""
    about = draw(st.sampled_from([meta(), FIRST, LOG, RANK]))
    scales = draw(st.sampled_from([["points"], ["points", "share", "log-odds"]]))
    kind, rows = ("difference" if about is FIRST else findings.what(about)), []
    for name in [f"c{at}" for at in range(draw(st.integers(1, 6)))]:
        agrees = draw(st.booleans())
        for scale in scales:
            low, high = sorted(draw(BOUNDS), key=lambda x: (math.isnan(x), x))
            more = {
                "kind": kind, "over": "first" if about is FIRST else "", "scale": scale,
                "p holm": draw(P), "agrees": agrees,
                "detectable": draw(st.floats(0, 9) | st.just(NAN)),
            }  # fmt: skip
            rows.append(row(name, (low + high) / 2, low, high, **more))
    return about, answer({**about, "scales": scales}, rows).table


@given(tables())
def test_no_sentence_claims_what_an_interval_does_not(drawn):
    about, table = drawn
    text = answer_text.sentence(about, table)
    openly = re.sub(r"(?i)the scales disagree[^;]*;? ?", "", text.replace("; 95%", ", 95%"))
    for clause in re.split(r"(?<!p)[;.] (?!p )", openly):
        if "not told apart" in clause or not CLAIM.search(clause):
            continue
        for name in set(re.findall(r"\bc\d\b", clause)):
            rows = table[table["class"] == name]
            assert ((rows["low"] > 0) | (rows["high"] < 0)).all(), text
            assert (rows["p holm"] < 0.05).all() and rows["agrees"].all(), text
            signs = set((rows["low"] > 0).tolist())
            up = bool(re.search(r"above|larger|grows|rises", clause))
            assert signs == {up}, text


@given(tables())
def test_the_table_marks_what_the_sentence_claims(drawn):
    about, table = drawn
    text = answer_text.text_table(about, table)
    marked = {names[1] for names, cells in text.rows if cells[0].marked}
    assert marked == {name for name, _, _ in findings.claimed(findings.asked(about, table))}
    for name in marked:
        rows = table[table["class"] == name]
        assert ((rows["low"] > 0) | (rows["high"] < 0)).all()


def test_a_table_as_markdown_in_full():
    found = answers.compared()
    lines = to_markdown(answer_text.text_table(found.meta, found.table)).splitlines()
    assert [[field.strip() for field in line.strip("|").split(" | ")] for line in lines[:7]] == [
        ["what", "class", "estimate", "95%", "p (Holm)", "detectable", "rows", "targets",
         "languages", "examples"],
        [lines[1].strip("|")],
        ["gain, points", "sentences", "5.1", "3.9 to 6.3", "–", "1.7", "2", "3", "14", "12,345"],
        ["gain, points", "single-hop", "4.8", "3.4 to 6.2", "–", "2.0", "2", "3", "14", "12,345"],
        ["gain, points", "multi-hop", "3.0", "1.4 to 4.6", "–", "2.2", "2", "3", "14", "12,345"],
        ["difference to sentences, points", "single-hop", "−0.3", "−1.6 to 1.0", "0.410", "1.8",
         "2", "3", "14", "12,345"],
        ["difference to sentences, points", "multi-hop", r"−2.1\*", "−3.6 to −0.6", "0.004", "2.1",
         "2", "3", "14", "12,345"],
    ]  # fmt: skip
    assert lines[7:] == [
        "",
        "Means over the languages of a row and target, then over targets, then over rows; 95%: over"
        " examples and seeds. p: against zero, corrected for 2 of them (Holm). \\*: the interval"
        " leaves out zero and p is below 0.05. Detectable: what would have been seen with 80%"
        " power.",
    ]


def test_a_table_as_latex_in_full():
    found = answers.slopes(compare=True)
    table = dataclasses.replace(answer_text.text_table(found.meta, found.table), notes=["Note."])
    assert to_latex(table) == (
        r"""\begingroup\footnotesize\setlength{\tabcolsep}{3pt}%
\noindent\sbox0{%
\begin{tabular}{lrrrrrrrr}
\toprule
 &  &  & p &  &  &  &  &  \\
class & estimate & 95\% & (Holm) & detectable & rows & targets & languages & examples \\
\midrule
\multicolumn{9}{l}{\textit{slope of the gain, points}} \\
near & 1.2 & 0.4 to 2.0 & -- & 1.1 & 2 & 3 & 14 & 12,345 \\
far & 0.2 & $-$0.6 to 1.0 & -- & 1.1 & 2 & 3 & 14 & 12,345 \\
\midrule
\multicolumn{9}{l}{\textit{difference of the slope to near, points}} \\
far & $-$1.0$^{*}$ & $-$1.9 to $-$0.1 & 0.004 & 1.3 & 2 & 3 & 14 & 12,345 \\
\bottomrule
\end{tabular}
}%
\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi
\par\smallskip
\noindent\parbox{\linewidth}{\raggedright Note.}\par
\endgroup
"""
    )


@pytest.mark.parametrize(
    ("kind", "headings"),
    [
        ("ranks", {"rank correlation of the gain"}),
        ("scores", {"score, percent"}),
        ("disagreeing", {"gain, points", "difference to easy, points", "gain, % of the errors",
                         "difference to easy, % of the errors"}),
        ("collapsed", {"gain, points", "gain, points, without collapsed trainings"}),
    ],
)  # fmt: skip
def test_the_blocks_of_a_table_say_what_is_in_them(kind, headings):
    found = answers.ALL[kind]()
    table = answer_text.text_table(found.meta, found.table)
    assert {names[0] for names, _ in table.rows} == headings


def test_a_score_is_not_tested_against_zero():
    found = answers.scores()
    table = answer_text.text_table(found.meta, found.table)
    assert [cells[2].text for _, cells in table.rows] == ["–", "–"]
    assert not any("Holm" in note for note in table.notes)


def test_notes_are_said_once_and_those_of_the_answer_come_last():
    found = answers.slopes(scales=("points", "share", "log-odds"))
    notes = answer_text.notes({**found.meta, "notes": ["Headroom by halves."]}, found.table)
    assert notes[1:] == [
        "Slope: change for ten times the intermediate rows.",
        "% of the errors: of those of the row that the gain is over.",
        "Log-odds: differences of natural logarithms.",
        "p: against zero, corrected for 2 of them (Holm). *: the interval leaves out zero and p is"
        " below 0.05 on every scale. Detectable: what would have been seen with 80% power.",
        "Headroom by halves.",
    ]
    assert answer_text.notes({**found.meta, "notes": notes}, found.table) == notes
    assert answer_text.notes(meta(missing=["a"]), answers.unanswered().table) == []


def test_a_spread_is_not_tested_against_zero_and_is_no_mean_over_languages():
    found = answer(meta(value="spread"), [row("mnli", 6.1, 5.0, 7.2), row("none", 7.0, 6.0, 8.0)])
    assert answer_text.notes(found.meta, found.table) == [
        "Standard deviations over the languages of a row and target, then means over targets, then"
        " over rows; 95%: over examples and seeds."
    ]
    assert answer_text.sentence(found.meta, found.table) == (
        "The spread is 6.1 points (95%: 5.0 to 7.2) for mnli and 7.0 points (95%: 6.0 to 8.0) for"
        " none."
    )


def test_names_that_break_tables_do_not():
    found = answers.hostile()
    table = answer_text.text_table(found.meta, found.table)
    text = to_markdown(table)
    assert r"\<img src=x" in text and "<img" not in text.replace(r"\<img", "")
    assert text.count("\n") == 2 + len(found.table) + 2, "no name breaks a line"
    assert set(parsed(to_latex(table))) <= set(range(2, 11))


@pytest.mark.parametrize("options", ["a4paper", "a4paper,twocolumn"])
def test_tables_fit_the_page(tmp_path, options):
    """Those of Latin names: pdflatex has no others."""
    kinds = [kind for kind in answers.ALL if kind != "hostile"]
    for kind in kinds:
        found = answers.ALL[kind]()
        text = to_latex(answer_text.text_table(found.meta, found.table))
        (tmp_path / f"{kind}.tex").write_text(text)
    found = answers.hostile()
    latin = found.table[~found.table["class"].str.contains("[^\x00-\x7f]")]
    (tmp_path / "hostile.tex").write_text(to_latex(answer_text.text_table(found.meta, latin)))
    names = [*kinds, "hostile"]
    assert compiled(tmp_path, names, options) == [f"=={name}" for name in names]


def test_an_answer_read_from_its_file_says_the_same(tmp_path):
    for kind, make in answers.ALL.items():
        found = make()
        answers.write(tmp_path, kind, found)
        read = answer_files.read(tmp_path, kind)
        said_of = answer_text.sentence(found.meta, found.table)
        assert answer_text.sentence(read.meta, read.table) == said_of
        before, after = (answer_text.text_table(a.meta, a.table) for a in (found, read))
        assert before == after, kind

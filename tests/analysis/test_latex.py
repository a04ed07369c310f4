"""A table as LaTeX: in full, text that would break it, and that it fits the page."""

import os
import re
import shutil
import string
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pylatexenc.latex2text import LatexNodes2Text
from pylatexenc.latexwalker import LatexMacroNode, LatexWalker
from tests.analysis.test_text_table import EXAMPLE

from xstilts.analysis import latex
from xstilts.analysis.latex import to_latex
from xstilts.analysis.text_table import TableCell, TextTable


def test_a_table_in_full():
    assert (
        to_latex(EXAMPLE)
        == r"""\begingroup\footnotesize\setlength{\tabcolsep}{3pt}%
\noindent\sbox0{%
\begin{tabular}{lrr}
\toprule
 & x \& &  \\
task & y & 100\% \\
\midrule
\multicolumn{3}{l}{\textit{a\_1}} \\
none & 50.0 & \textbf{40.0} \\
mnli & \textbf{+1.0$^{*}$} & $-$2.0 \\
\midrule
\multicolumn{3}{l}{\textit{b$|$c}} \\
none & -- & 60.0 \\
\bottomrule
\end{tabular}
}%
\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi
\par\smallskip
\noindent\parbox{\linewidth}{\raggedright Note {*}: one. --: missing.}\par
\endgroup
"""
    )


def tabulars(table):
    """The parts of a table, as lists of lines."""
    parts = re.findall(r"\\begin\{tabular\}.*?\n(.*?)\\end\{tabular\}", to_latex(table), re.S)
    return [part.splitlines() for part in parts]


def test_blocks_of_one_row_have_no_rules_between_them():
    """Was: a rule between any two rows of `cost`, whose first name is the kind of work."""
    rows = [(["tune", "cpu"], [TableCell("1")]), (["evaluate", "cpu"], [TableCell("2")])]
    assert tabulars(TextTable(["kind", "device"], ["peak GB"], rows)) == [
        [
            r"\toprule", r" &  & peak \\", r"kind & device & GB \\", r"\midrule",
            r"tune & cpu & 1 \\", r"evaluate & cpu & 2 \\", r"\bottomrule",
        ]
    ]  # fmt: skip


def languages(number, rows=3):
    columns = [f"l{i:02d}" for i in range(number)]
    cells = [TableCell("+10.0", best=True, marked=True)] * number
    names = [(["xlmr-large", f"task{i}"], cells) for i in range(rows)]
    return TextTable(["model", "intermediate"], columns, names, ["A note. " * 30])


def test_columns_are_cut_into_parts_of_like_size():
    parts = tabulars(languages(42))
    heads = [re.findall(r"l\d\d", part[1]) for part in parts]
    assert [name for head in heads for name in head] == [f"l{i:02d}" for i in range(42)]
    assert {len(head) for head in heads} == {10, 11} and len(heads) == 4
    assert all(part[1].startswith("intermediate & ") for part in parts)
    assert len(tabulars(languages(9))) == 1


def test_rows_are_cut_where_a_page_ends():
    rows = [([model, str(i)], [TableCell("1")]) for model in ("a", "b") for i in range(30)]
    assert [len(part) - 5 for part in tabulars(TextTable(["m", "i"], ["x"], rows))] == [30, 30]
    rows = [(["a", str(i)], [TableCell("1")]) for i in range(90)]
    assert [len(part) - 5 for part in tabulars(TextTable(["m", "i"], ["x"], rows))] == [30] * 3


def compiled(folder, paths, options="a4paper"):
    """Compile files with pdflatex, each on pages of its own; return names and overfull boxes."""
    if not shutil.which("pdflatex"):
        pytest.skip("pdflatex is not there (Debian: texlive-latex-base, texlive-latex-recommended)")
    inputs = "\n".join(rf"\typeout{{=={path}}}\input{{{path}}}\clearpage" for path in paths)
    (folder / "all.tex").write_text(
        rf"\documentclass[{options}]{{article}}\usepackage{{booktabs,graphicx}}"
        rf"\begin{{document}}{inputs}\end{{document}}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    lines = os.environ | {"max_print_line": "9999"}
    done = subprocess.run(
        command, cwd=folder, env=lines, capture_output=True, errors="replace", timeout=120
    )
    assert done.returncode == 0, done.stdout[-2000:]
    return [line for line in done.stdout.splitlines() if line.startswith(("Overfull", "=="))]


@pytest.mark.parametrize("options", ["a4paper", "a4paper,twocolumn"])
def test_any_table_fits_the_page(tmp_path, options):
    """Was up to 173 points too wide."""
    name = "NVIDIA H100 80GB HBM3 (a device of a very long name), and one more beside it"
    odd = [(["[x]", "*"], [TableCell("~^\\&")]), (["*", "[1cm]"], [TableCell(latex.MISSING)])]
    tables = {
        "languages": languages(42, 12),
        "seeds": languages(9, 120),
        "cost": TextTable(["kind", "device"], ["x"] * 7, [(["a", name], [TableCell("1")] * 7)]),
        "odd": TextTable(["#", "$"], ["%"], odd, ["_{}"]),
        "empty": TextTable(["model"], ["x"], []),
    }  # fmt: skip
    for key, table in tables.items():
        (tmp_path / f"{key}.tex").write_text(to_latex(table))
    assert compiled(tmp_path, tables, options) == [f"=={key}" for key in tables]


def test_a_table_without_rows_has_headings():
    assert parsed(to_latex(TextTable(["model"], ["x"], []))) == [2]


def parsed(text):
    """The number of fields of the rows of each part; an error where the parser finds one."""
    parts = re.findall(r"(\\begin\{tabular\}.*?\\end\{tabular\})", text, re.S)
    return [_fields(part) for part in parts]


def _fields(part):
    [table] = LatexWalker(part, tolerant_parsing=False).get_latex_nodes()[0]
    rows, fields = [], 1
    for node in table.nodelist:
        if isinstance(node, LatexMacroNode) and node.macroname == "\\":
            rows.append(fields)
            fields = 1
        elif getattr(node, "specials_chars", "") == "&":
            fields += 1
        elif isinstance(node, LatexMacroNode) and node.macroname == "multicolumn":
            fields += int(part[node.pos :].split("{")[1].split("}")[0]) - 1
    [number] = set(rows)
    return number


names = st.text(string.printable.strip() + " äЖ中", min_size=1)


@given(names, st.lists(names, min_size=1, max_size=3), st.lists(names, max_size=2))
def test_any_name_is_a_table_that_latex_parses(name, headings, notes):
    cells = [TableCell(name)] * len(headings)
    table = TextTable(["model"], headings, [([name], cells), (["b"], cells)], notes)
    assert sum(number - 1 for number in parsed(to_latex(table))) == len(headings)


@given(st.text(string.ascii_letters + string.punctuation.replace("`", "").replace("'", "")))
def test_escaped_text_prints_as_it_is(text):
    back = LatexNodes2Text(keep_comments=True).latex_to_text(latex.escape_latex(text))
    # The parser knows the ligatures of dashes and of question marks, and its own quotes and hat.
    assert back.replace("–", "--").replace("—", "---").replace("ˆ", "^") == text

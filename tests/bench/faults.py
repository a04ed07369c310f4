"""Do the tests see a fault? Twenty are planted, one at a time, in a copy of a checkout.

    python tests/bench/faults.py [CHECKOUT]

Each is a line as it could be written by mistake, and one of the test modules beside it must fail.
Prints for each its room, what is broken, `red` or `GREEN`, the first test that failed and seconds;
fails unless all are red. Where the right text is not once in the package, the fault is named.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

LEFT_OUT = (".git", ".venv*", ".snakemake", ".hypothesis", ".*_cache", "__pycache__", "results")
LIMIT = 120  # seconds of a test: a fault may make it wait for ever


class Fault(NamedTuple):
    """A text and what it is replaced by, `@a` being any name; tests: those that a checkout has."""

    room: str
    broken: str
    right: str
    wrong: str
    tests: str


FAULTS = [
    Fault("data", "a sample loses the translations of its gold pairs",
          ".append((number, rows + units[@a[i]][1]))", ".append((number, rows))", "test_pools"),
    Fault("encoding", "the order of an epoch does not depend on the seed",
          "np.random.default_rng([seed, @a])", "np.random.default_rng(@a)", "test_batches"),
    Fault("formats", "windows of a context overlap by one token too many",
          "max_length - @a - 4 - 1)", "max_length - @a - 4)", "test_span"),
    Fault("formats", "BUCC: the threshold is tuned on the rows that are scored",
          "        if threshold is None:", "        if True:", "test_retrieval"),
    Fault("metrics", "MLQA: English articles are cut out in every language",
          "mlqa_words(text, language), golds", 'mlqa_words(text, "en"), golds',
          "test_metrics_qa"),
    Fault("models", "of examples that do not fit at once, one is left out",
          "@a(work, examples[middle:])", "@a(work, examples[middle + 1 :])", "test_memory"),
    Fault("training", "a loss is divided by the weight of its micro-batch",
          "/ (weight or 1)", '/ (batch["weight"] or 1)', "test_train test_loop"),
    Fault("training", "the best checkpoint is the one of the lowest score",
          'score > @a.best["score"]', 'score < @a.best["score"]', "test_train test_loop"),
    Fault("training", "a resumed training skips a batch",
          ".drawn.update(drawn)", '.drawn.update(drawn, batches=drawn["batches"] + 1)',
          "test_resume"),
    Fault("training", "a damaged saved state is taken for a whole one",
          ' or record["sha256"] != sha256(tensors)', "", "test_state test_storage"),
    Fault("scoring", "English is left out of the mean over languages",
          '    @a = grid.groupby(CELL, sort=False)["language"]',
          '    grid, scores = (x[x["language"] != "en"] for x in (grid, scores))\n'
          '    @a = grid.groupby(CELL, sort=False)["language"]', "test_scores test_tables"),
    Fault("analysis", "p-values are not corrected for their number (Holm)",
          "p_values[i] * (len(p_values) - rank)", "p_values[i]", "test_estimates"),
    Fault("analysis", "deltas are to the row `none` of the first model",
          "baseline.reindex(models).to_numpy()", "baseline.reindex(models[:1]).iloc[0]",
          "test_tables"),
    Fault("report", "gold and predicted tags are swapped",
          'zip(row["tokens"], @a, row["tags"]', 'zip(row["tokens"], row["tags"], @a',
          "test_report_examples"),
    Fault("benchmarks", "XTREME's overall mean is over groups, not tasks",
          "_mean(scores, tuple(TASKS))}", "_mean(means, tuple(GROUPS))}", "test_xtreme"),
    Fault("experiment", "the spec of a training lacks the seed",
          '"seed": int(seed.removeprefix("seed")),\n            **encoded', "**encoded",
          "test_grid"),
    Fault("running", "the lock of a node is not taken",
          "        _acquire(file, path, wait)\n", "", "test_lock"),
    Fault("running", "a file is copied to its place, not renamed",
          "        os.replace(temporary, path)\n    finally",
          "        path.write_bytes(temporary.read_bytes())\n    finally",
          "test_files test_finished test_publish"),
    Fault("monitoring", "a cell is done with the first of its languages",
          "    if have == asked:", "    if have:", "test_standing test_cell_states"),
    Fault("toy", "under a negated premise two labels are swapped",
          '"entailment" if hypothesis.negated else "contradiction"',
          '"contradiction" if hypothesis.negated else "entailment"', "test_toy_inference"),
]  # fmt: skip


def planted(text: str, fault: Fault) -> tuple[str, int]:
    """Return a text with the fault in it, and how often the right text was there."""
    first, *more = re.escape(fault.right).split("@a")
    pattern = r"(?P<a>\w+)".join([first, "(?P=a)".join(more)] if more else [first])
    return re.subn(pattern, lambda at: fault.wrong.replace("@a", at.groupdict().get("a", "")), text)


def place(root: Path, fault: Fault) -> Path:
    """Return the module that a fault belongs in; exit if there is not just one place for it."""
    paths = sorted(root.glob("workflow/xstilts/**/*.py"))
    found = [p for p in paths for _ in range(planted(p.read_text(encoding="utf-8"), fault)[1])]
    if len(found) != 1:
        sys.exit(f"error: {fault.room}, {fault.broken}: the text is there {len(found)} times")
    return found[0]


def modules(root: Path, fault: Fault) -> list[str]:
    """Return the paths of a fault's test modules; exit if there is none."""
    paths = [path.relative_to(root) for path in sorted(root.glob("tests/**/test_*.py"))]
    named = [p for p in paths if p.stem in fault.tests.split() and p.parts[1] != "workflow"]
    return [str(path) for path in named] or sys.exit(f"error: {fault.broken}: no {fault.tests}")


def run(root: Path, tests: list[str]) -> tuple[int, str, float]:
    """Run test modules; return pytest's exit status, the first test that failed, seconds."""
    options = ["-x", "-q", "-p", "no:cacheprovider", f"--timeout={LIMIT}", *tests]
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTEST_ADDOPTS")}
    # In CI hypothesis draws the same examples every time, and no test skips.
    env = {**kept, "CI": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    start = time.monotonic()
    command = [sys.executable, "-m", "pytest", *options]
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    failed = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
    return done.returncode, failed[1] if failed else "-", time.monotonic() - start


def main(root: Path) -> bool:
    """Plant all faults in a copy of a checkout; return whether all were seen."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(root, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
        plan = [(fault, place(copy, fault), modules(copy, fault)) for fault in FAULTS]
        code, first, seconds = run(copy, sorted({test for *_, tests in plan for test in tests}))
        print(f"without a fault: {first if code else 'all pass'}, {seconds:.0f} s", flush=True)
        if code:
            sys.exit(f"error: the tests fail without a fault (pytest ended with {code})")
        red = 0
        for number, (fault, path, tests) in enumerate(plan, start=1):
            text = path.read_text(encoding="utf-8")
            path.write_text(planted(text, fault)[0], encoding="utf-8")
            code, first, seconds = run(copy, tests)
            path.write_text(text, encoding="utf-8")
            red += code == 1
            seen = {0: "GREEN", 1: "red"}.get(code, f"pytest ended with {code}")
            line = f"{number:2} {fault.room:10} {fault.broken:57} {seen:5} {first} {seconds:.0f} s"
            print(line, flush=True)
        print(f"{len(plan)} faults, {red} turned a test red")
    return red == len(plan)


if __name__ == "__main__":
    sys.exit(not main(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))

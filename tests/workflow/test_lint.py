"""The workflow's own style."""

import sys

from tests.workflow.running import ROOT, SNAKEFILE, run


def test_snakemake_finds_nothing_to_complain_about(tmp_path):
    args = ["--snakefile", SNAKEFILE, "--directory", tmp_path, "--lint"]
    said = run([sys.executable, "-m", "snakemake", *args], ROOT)
    assert said.code == 0, said.out

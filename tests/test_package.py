"""What the package says of itself is said alike everywhere."""

import re
import tomllib

import yaml
from tests.workflow.running import ROOT

import xstilts

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_version():
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == xstilts.__version__
    assert "version" in PROJECT["dynamic"], "it is that of the package"


def test_the_extra_for_slurm_is_what_make_installs():
    asked = (ROOT / "envs/requirements-slurm.in").read_text()
    assert PROJECT["optional-dependencies"]["slurm"] == re.findall(r"^[a-z-]+==.*$", asked, re.M)


def test_the_default_profile_is_beside_the_snakefile():
    assert (ROOT / "profiles").resolve() == ROOT / "workflow/profiles"
    assert (ROOT / "profiles/default/config.yaml").is_file()

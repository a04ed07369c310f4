"""The steps of the containers, in a bare Debian: no image can be built where the tests run."""

import os
import re
import shutil
import subprocess
import sysconfig

import pytest
from tests.workflow.running import ROOT, handed_over

# Its Python has to be that of the libraries here, which stand in for what pip would install: that
# takes minutes, and is pip's work.
SUITE, PYTHON = "bookworm", "3.11"
LEAN = [
    "--variant=apt", '--aptopt=Acquire::Languages "none"', "--dpkgopt=force-unsafe-io",
    "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
]  # fmt: skip
# Mounts end with the process that made them.
INSIDE = """
mount --bind "$2" "$1/libraries"
mount -t proc proc "$1/proc"
cp /etc/resolv.conf "$1/etc/resolv.conf"
exec chroot "$1" sh -euc '
    LIBRARIES=/libraries /src/envs/install.sh /src
    rm -rf /src
    cd /work
    xstilts new my.yaml
    xstilts check my.yaml
    python3 -c "import xstilts" 2>/dev/null || echo in an environment of its own
'
"""


@pytest.fixture
def tree(tmp_path):
    """The folder of a bare Debian with apt, and this repository in its /src."""
    if os.geteuid() or not shutil.which("mmdebstrap"):
        pytest.skip("needs root, and Debian's mmdebstrap")
    folder = tmp_path / "tree"
    subprocess.run(["mmdebstrap", "--quiet", *LEAN, SUITE, folder], check=True)
    handed_over(folder / "src")
    for name in ("libraries", "work"):
        (folder / name).mkdir()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
def test_a_bare_debian_has_the_command_after_the_script(tree):
    if sysconfig.get_python_version() != PYTHON:
        pytest.skip(f"the libraries here are not of Python {PYTHON}")
    libraries = sysconfig.get_path("purelib")
    unshared = ["unshare", "--mount", "--propagation", "private", "bash", "-euc", INSIDE, "bash"]
    said = subprocess.run(
        [*unshared, tree, libraries], text=True, check=False, timeout=900,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert said.returncode == 0, said.stdout
    *_, written, counted, own = said.stdout.splitlines()
    assert written.startswith("my.yaml: written") and own == "in an environment of its own"
    assert re.fullmatch(r"\d+ cells, \d+ jobs to run, nothing wrong", counted)
    assert (tree / "work/my.yaml").is_file() and not (tree / "src").exists()


@pytest.mark.parametrize("name", ["Dockerfile", "xstilts.def"])
def test_both_definitions_run_that_script_on_that_debian(name):
    text = (ROOT / "envs" / name).read_text()
    assert f"debian:{SUITE}-slim" in text
    assert len(re.findall(r"^\s*(?:RUN )?/src/envs/install.sh /src\b", text, re.M)) == 1
    assert "pip " not in text and "apt-get" not in text
    copied = re.findall(r"^    (\S+) /src/", text, re.M)
    assert all((ROOT / path).exists() for path in copied)

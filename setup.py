"""What is in the wheel besides the package: the workflow around it, laid out as in a clone.

All else is in pyproject.toml.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
WORKFLOW = ["rules", "profiles", "schemas", "reference", "captions"]
BESIDE = ["Snakefile", "profiles", "config.yaml", "experiments", "envs"]
SHIPPED = [*BESIDE, *(f"workflow/{name}" for name in WORKFLOW)]


class BuildWithWorkflow(build_py):
    """Copy it into the folder of the package."""

    def run(self) -> None:
        """Build the package, then what is around it; an editable install finds that where it is."""
        super().run()
        for name in [] if self.editable_mode else SHIPPED:
            source, target = ROOT / name, Path(self.build_lib, "xstilts", name)
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.rmtree(target, ignore_errors=True)  # of an earlier build
                shutil.copytree(source, target)
            else:
                shutil.copy2(source, target)


setup(cmdclass={"build_py": BuildWithWorkflow})

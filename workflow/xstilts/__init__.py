"""xstilts: intermediate-task training as a workflow; `xstilts.steps` has the programs."""

from pathlib import Path

__version__ = "0.2.0"
_HERE = Path(__file__).resolve().parent
# The folder of rules, profiles, schemas, reference figures: in a wheel inside the package, else
# around it. Beside it, always: Snakefile, config.yaml, experiments/, envs/.
WORKFLOW = _HERE / "workflow" if (_HERE / "workflow").is_dir() else _HERE.parent

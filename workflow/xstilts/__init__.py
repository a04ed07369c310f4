"""xstilts: intermediate-task training as a workflow; `xstilts.steps` has the programs."""

from pathlib import Path

__version__ = "0.2.0.dev0"
WORKFLOW = Path(__file__).resolve().parents[1]  # the folder of rules, schemas, reference figures

"""xstilts: the steps of the workflow, one module a step, run as `python -m xstilts.<step>`."""

__version__ = "0.1.0"

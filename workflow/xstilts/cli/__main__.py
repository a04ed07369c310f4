"""The command where it is not installed: `PYTHONPATH=workflow python -m xstilts.cli`."""

from xstilts.cli.command import main

main()

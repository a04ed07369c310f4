"""Snakemake, but asking for the state of SLURM jobs every second.

The plugin waits ten seconds longer after every question to which no job had succeeded, up to 180,
which no option turns off.
"""

import sys

from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

waited = RemoteExecutor.next_seconds_between_status_checks
RemoteExecutor.next_seconds_between_status_checks = property(
    lambda self: min(waited.fget(self), 1), waited.fset
)

from snakemake.cli import main  # noqa: E402

sys.exit(main())

"""The command `xstilts`: what a user types, `xstilts --help`.

`command.py` has the subcommands. Most are steps; `run` and `rehearse` call Snakemake, and do
nothing that its own command line cannot. Nothing heavy is imported before a subcommand is known.
May import every room.
"""

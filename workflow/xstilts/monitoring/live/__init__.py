"""What is said while a run goes on: a line a finished cell, a line a failure, the time left.

Snakemake logs events; `reporter` listens to them, `screen` hides what it says in place of these
lines. Snakemake's own log file has all of it.
"""

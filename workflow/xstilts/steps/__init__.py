"""The file-to-file programs: arguments, reading, writing. A rule runs the step of its name.

    python -m xstilts.steps.prepare --help

Rules that differ in a name alone share a step: `pin_data` and `pin_model` run `pin`, `intermediate`
and `tune` run `train`, `evaluate_{target}` and `test_{target}` run `evaluate`, `test_tables` runs
`tables`. Asked for by hand: `status`, `estimate`, `unused`, `orphans`.
`process.py` is how each starts and ends. May import every room.
"""

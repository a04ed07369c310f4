"""From a checkpoint and encoded rows to predictions and score files.

May import models, formats and what is below them.
"""

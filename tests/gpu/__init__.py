"""What only a GPU can show: `check.py` is the entry, a module a part.

A regular package, so that no other `tests` on a foreign machine hides it.
"""

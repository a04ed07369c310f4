"""A grid from outside: which cells are done, what failed, what is left, what it takes.

Nothing here changes a result. May import analysis and what is below it.
"""

"""XTREME: averages of its scores, export and check of a submission.

May import data and what is below it.
"""

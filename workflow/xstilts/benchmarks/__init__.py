"""XTREME and XTREME-R: averages of their scores, export and check of a submission.

May import data and what is below it.
"""

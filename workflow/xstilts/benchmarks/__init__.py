"""XTREME: its averages, its submission and the check of one.

May import data and what is below it.
"""

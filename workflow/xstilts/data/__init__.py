"""Data sets: where they come from, their pins, the unified rows.

May import metrics, toy and running.
"""

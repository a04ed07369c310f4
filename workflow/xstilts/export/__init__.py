"""Models that leave the house: as task models of transformers, or as predictions for a file.

May import monitoring and what is below it.
"""

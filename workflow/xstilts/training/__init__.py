"""Training: the loop, mixtures of tasks, gradients, the optimizer, saved states, checkpoints.

May import scoring (dev sets are evaluated along the way) and what is below it.
"""

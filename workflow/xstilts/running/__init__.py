"""What a step needs to run anywhere: files, lock, ledger, failures, GPUs, energy, logs, ranks.

May import nothing of xstilts.
"""

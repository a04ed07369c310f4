"""Token ids: the tokenizer, encoded rows, batches.

May import experiment, data and what is below them.
"""

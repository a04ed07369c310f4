"""Everything that knows an architecture: load, check, save, shard.

May import encoding and what is below it.
"""

"""From scores to tables: bootstrap, significance, language traits, cost; `plots/` draws figures.

May import benchmarks, scoring, experiment and what is below them.
"""

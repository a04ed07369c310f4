"""From scores to answers: tables, bootstrap, significance, traits, cost; `plots/` draws.

May import benchmarks, scoring, experiment and what is below them.
"""

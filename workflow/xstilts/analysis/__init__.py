"""From scores to tables: estimates, answers, language traits, cost; `plots/` draws figures.

May import benchmarks, scoring, experiment and what is below them.
"""

"""Answers to questions: from cells to numbers, to a sentence and a table.

`means` has the means of the points of one question, `calculation` the numbers that are made of
them, `relation` those of a question that relates alignment to gains (`aligned` has what is measured
of encoders), `answering` the answers of an experiment. `findings` says what may be claimed,
`sentence`, `text` and `relation_text` make what is read, `files` reads what is stored. Estimates
and their intervals are `analysis.estimates` and `analysis.relations`, figures
`analysis.plots.answer`.
"""

"""Answers to questions: from cells to numbers, to a sentence and a table.

`calculation` makes the numbers of one question, `answering` the answers of an experiment,
`findings` says what may be claimed, `sentence` and `text` make what is read, `files` reads what is
stored. Estimates and their intervals are `analysis.estimates`, figures `analysis.plots.answer`.
"""

"""The formats: one page each for everything that differs between kinds of task.

A page has the same few names, found by `page(name)`:

- `encode(rows, tokenizer, labels, max_length) -> (arrays, cut)`: unified rows to the arrays of an
  `Encoded`, and how many rows lost text;
- `collate(data, examples, seed=()) -> batch`: some examples as numpy arrays, `ids` and `mask`
  first, and `weight`, by which the loss of a batch is divided. Arrays go to the device, where
  reading one makes the host wait: what a loss needs as numbers is a list. What a format draws at
  random (mlm its masks) follows for each example from the ints of `seed` and its index alone, so
  that it does not depend on how a batch is cut;
- `head(encoder, labels, train=()) -> module`: what sits on the encoder (a torch module); `train`
  are the encoded rows that it will be trained on, if it is new (regression has its scale from
  them);
- `loss(outputs, batch) -> tensor`: the sum of the losses of a micro-batch;
- `reduce(outputs, batch) -> tensor`: what decoding needs, a row an example, on the device still,
  which is not waited for;
- `decode(reduced, data, rows) -> predictions`: one a row, as text, from such rows as numpy;
- `confidence(reduced) -> list`: the probability of each prediction (classification, choice);
- `gold(outputs, batch) -> tensor` and `by_row(recorded, data) -> array [rows, 4]`: what training
  dynamics record of the gold answer of each example, and of each row (`metrics/dynamics.py`);
  `empty(row) -> row`: the row without what its answer is to follow from (classification, choice);
- `score(rows, predictions, metric, lang) -> (metrics, values)`: the metrics of a file, and the
  value of each row (0 to 1), of which the main metric is or resembles the mean.

Retrieval has no `loss`, since nothing is trained for it; mlm has `encode`, `collate`, `head` and
`loss` alone, since it is not scored. Regression has no answers to rank, so no `gold`.

Only `head`, `loss` and `reduce` touch torch, so encoding and scoring start in a third of a second.
"""

import importlib
from types import ModuleType


def page(name: str) -> ModuleType:
    """Return the page of a format."""
    return importlib.import_module(f"xstilts.formats.{name}")

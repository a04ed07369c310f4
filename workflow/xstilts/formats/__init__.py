"""The formats: one page each for everything that differs between kinds of task.

A page has the same few names, found by `page(name)`:

- `encode(rows, pieces, labels, max_length) -> (arrays, cut)`: unified rows to the arrays of an
  `Encoded`, and how many rows lost text;
- `collate(data, examples) -> batch`: some examples as numpy arrays, `ids` and `mask` first, and
  `weight`, by which the loss of a batch is divided;
- `head(config, labels) -> module`: what sits on the encoder (a torch module);
- `loss(outputs, batch) -> tensor`: the sum of the losses of a micro-batch;
- `reduce(outputs, batch) -> list`: what decoding needs of each example, as numpy;
- `decode(reduced, data, rows) -> predictions`: one a row, as text;
- `score(rows, predictions, metric, lang) -> (metrics, values)`: the metrics of a file, and the
  value
  of each row (0 to 1), of which the main metric is or resembles the mean.

Only `head`, `loss` and `reduce` touch torch, so encoding and scoring start in a third of a second.
"""

import importlib
from types import ModuleType


def page(name: str) -> ModuleType:
    """Return the page of a format."""
    return importlib.import_module(f"xstilts.formats.{name}")

"""The figures, one a module: `draw` makes it from rows of the tables and knows no file."""

"""The figures, a module each: `draw` returns one from rows of the tables and reads no file."""

"""The estimate: what a grid takes before it is run, and afterwards how far off that was."""

"""What is asked: config, tasks, recipes, the grid of cells, the graph of nodes, specs. Pure.

May import data (names of row functions), metrics, toy (its sizes) and running.
"""

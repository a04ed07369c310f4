"""The report: one page that opens without a network, made of the results and nothing else."""

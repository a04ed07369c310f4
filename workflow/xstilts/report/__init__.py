"""The report: one page that opens offline. May import analysis and what is below it."""

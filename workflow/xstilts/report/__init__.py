"""The report: one HTML page that opens offline. May import analysis and what is below it."""

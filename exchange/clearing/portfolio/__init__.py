"""Portfolio margin (clauses 5.6 to 5.11): what a whole account could lose, netted where risks offset.

`margin` is the compiled pass over all accounts, `reference` says the same slowly, one account at a time; a
test and the benchmark compare them to the fen. `terms` derives what both read from contracts and rules.
"""

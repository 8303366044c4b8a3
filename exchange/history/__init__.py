"""Read models: orders, fills, trades, ledger and candles in SQLite, folded from the journal by a process of
their own.
"""

"""The matching engine: price-time matching and pre-trade risk, command records in, event records out."""

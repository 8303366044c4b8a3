"""Words of the exchange: contracts, money, clock, messages, reject codes. Plain data and pure functions."""

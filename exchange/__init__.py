"""The exchange: contracts, accounts, clearing, delivery, journal, gateways and clients."""

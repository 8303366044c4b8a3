"""The audit trail: what a journal says about one trade, order or account, and whether it is sound."""

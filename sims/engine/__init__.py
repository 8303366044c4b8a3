"""Simulated market days on the exchange's own core, in this process and without a disk."""

"""Scenarios: what market a simulation runs, as data a person can read."""

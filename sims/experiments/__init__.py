"""Experiments: many runs of scenarios, on many workers, kept, resumed, compared and reported."""

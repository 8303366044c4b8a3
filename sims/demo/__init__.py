"""The demonstration day: a market with real clients, from posted capacity to paid delivery."""

"""What the terminal knows: folded from messages of the exchange; no screen, no clock, no connection."""

"""Sub-commands that the exchange contributes to `dongxi`."""

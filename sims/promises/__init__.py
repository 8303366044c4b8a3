"""What was promised for a market of compute, held against simulated ones."""

"""The running exchange: the deterministic core, the sequencer, the views and the day driver."""

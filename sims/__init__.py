"""Market simulations on the exchange core, and the demonstration day."""

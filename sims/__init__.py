"""Market simulations on the exchange core, and the demonstration day; both take demand from one trace."""

"""The market health index: what is measured of a state, and how it becomes 0 to 100 (docs/health.md)."""

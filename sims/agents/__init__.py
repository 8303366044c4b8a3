"""Who trades in a simulation: populations that act on arrays, and a class for agents of one's own."""

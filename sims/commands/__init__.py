"""Sub-commands of ``dongxi`` that simulations add."""

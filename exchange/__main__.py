"""`python -m exchange` is `dongxi`."""

from exchange.cli import main

main()

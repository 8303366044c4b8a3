"""``python -m nodes``: the hub table without the rest of Dongxi."""

import typer

from nodes.cli import hubs

if __name__ == "__main__":
    typer.run(hubs)

"""``python -m bench --list`` prints the names of the benchmarks."""

from __future__ import annotations

import argparse
from pathlib import Path

SHARED = {
    "horizon_instances",
    "peers",
    "report",
    "scheduler_cases",
    "sims_peers",
    "streams",
    "wire_echo",
    "wire_feed",
    "wire_http",
    "wire_load",
    "wire_readers",
    "wire_server",
}


def names() -> list[str]:
    """Return the benchmarks: the modules that aren't shared by others."""
    modules = {path.stem for path in Path(__file__).parent.glob("[a-z]*.py")}
    return sorted(modules - SHARED)


def main() -> None:
    """List the benchmarks."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--list", action="store_true", required=True, help="print the names")
    parser.parse_args()
    print("\n".join(names()))


if __name__ == "__main__":
    main()

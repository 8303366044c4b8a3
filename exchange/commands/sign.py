"""`dongxi sign`: the headers that sign one request, for curl and for other languages to compare with."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from exchange.api.signing import signed_headers
from exchange.client.profiles import load_profile

METHODS = ("GET", "POST", "PATCH", "DELETE")
EXIT_USAGE = 2
DEFAULT_KEYS = Path("var/demo-keys")


def sign(
    method: Annotated[str, typer.Argument(help="GET, POST, PATCH or DELETE.")],
    target: Annotated[str, typer.Argument(help="Path and query, such as /v1/orders.")],
    body: Annotated[str, typer.Argument(help="The body exactly as it will be sent; - reads stdin.")] = "",
    member: Annotated[str, typer.Option("--as", help="Whose key signs.")] = "operator",
    keys: Annotated[
        Path, typer.Option(help="Directory of the profiles.", envvar="DONGXI_KEYS")
    ] = DEFAULT_KEYS,
) -> None:
    """Print the headers that sign one request, one a line, for `curl -H @-`.

    They hold for 30 seconds and once:

        BODY='{"symbol":"H100.GUIAN.2701","side":"buy","price":"11.90","quantity":2}'

        dongxi sign --as MEMBER POST /v1/orders "$BODY" | curl -H @- --data "$BODY" http://127.0.0.1:8230/v1/orders
    """
    if method.upper() not in METHODS:
        raise _usage(f"{method!r} is not one of {', '.join(METHODS)}")
    if not target.startswith("/"):
        raise _usage(f"{target!r} is not a path; give it from the first slash, without the host: /v1/orders")
    try:
        profile = load_profile(keys, member)
    except FileNotFoundError as error:
        raise _usage(f"{error}; name another directory with --keys") from None
    except (OSError, ValueError) as error:
        raise _usage(str(error)) from None
    raw = sys.stdin.buffer.read() if body == "-" else os.fsencode(body)
    headers = signed_headers(profile.key_id, profile.secret_bytes, method, target, raw)
    if raw:
        headers["Content-Type"] = "application/json"
    typer.echo("\n".join(f"{name}: {value}" for name, value in headers.items()))


def _usage(sentence: str) -> typer.Exit:
    typer.echo(f"dongxi sign: {sentence}", err=True)
    return typer.Exit(EXIT_USAGE)

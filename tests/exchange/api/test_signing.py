"""The worked example of docs/protocol.md (clause 9.2), recomputed from the page."""

from __future__ import annotations

import re
from pathlib import Path

from exchange.api.signing import SIGNATURE_HEADER, Signer, signed_headers, signed_text

SECRET = bytes(range(32))


def test_the_documented_example_has_the_documented_signature(root: Path) -> None:
    page = (root / "docs/protocol.md").read_text(encoding="utf-8")
    (body,) = re.findall(r"and the body\n\n```json\n(.*?)\n```", page)
    (text,) = re.findall(r"the text\n\n```text\n(.*?)\n```", page, re.DOTALL)
    (wanted,) = re.findall(r"has the signature\n\n```text\n(.*?)\n```", page)
    method, path, query, stamp, nonce, _ = text.split("\n")
    made = signed_text(method, path, query, stamp, nonce, body.encode())
    assert made.decode() == text
    assert Signer(SECRET).signature(made) == wanted
    headers = signed_headers("key", SECRET, method, path, body.encode(), timestamp_ms=int(stamp), nonce=nonce)
    assert headers[SIGNATURE_HEADER] == wanted

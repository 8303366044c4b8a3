"""Readings signed by a site's agent (clause 7.4)."""

from collections.abc import Sequence

from exchange.api import requests
from exchange.api.attest import AgentKey, readings_bytes
from exchange.api.formats import parse_time_ns


def sign_readings(
    readings: Sequence[requests.Reading], site_id: str, sequence: int, key: AgentKey
) -> requests.SignedBy:
    """Return the agent's signature over a batch; `sequence` is its message's number."""
    rows = [
        (int(r.reservation_id), parse_time_ns(r.hour_start, "hour_start"), r.cards_delivered)
        for r in readings
    ]
    signature = key.sign(readings_bytes(int(site_id), sequence, rows))
    return requests.SignedBy(site_id=site_id, sequence=sequence, signature=signature.hex())

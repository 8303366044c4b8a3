"""How much of what providers posted they sold (clause 7.2)."""

from __future__ import annotations

from exchange.service.state import State


def conversion(state: State) -> dict[tuple[int, str, str], tuple[int, int]]:
    """Return (card-hours sold first, at most those posted; card-hours posted) by provider, grade and hub."""
    posted: dict[tuple[int, str, str], int] = {}
    for item in state.primary.capacity:
        if not item.withdrawn:
            post = item.post
            key = (post.account, post.grade, post.hub)
            hours = 24 * ((post.last_day - post.first_day).days + 1)
            posted[key] = posted.get(key, 0) + post.cards * hours
    sold = dict(state.sold_card_hours)
    rows = state.positions.rows
    for row in rows[rows["sold_lots"] > 0]:
        contract = state.contracts[int(row["contract"])]
        key = (int(row["account"]), contract.grade, contract.hub)
        sold[key] = sold.get(key, 0) + int(row["sold_lots"]) * contract.hours * contract.cards_per_lot
    return {key: (min(hours, sold.get(key, 0)), hours) for key, hours in posted.items()}

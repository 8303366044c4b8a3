"""Views of the primary market and of delivery: capacity, certificates, reservations."""

from __future__ import annotations

from datetime import date

import numpy as np

from exchange.domain.calendar import epoch_day
from exchange.service.conversion import conversion
from exchange.service.coreviews import CoreViews
from exchange.service.deliverystate import Delivering
from exchange.service.primarystate import Primary
from exchange.service.viewtypes import CapacityView, ConversionView, ReservationView


class DeliveryViews(CoreViews):
    """What backs contracts, and what they became."""

    @property
    def delivering(self) -> Delivering:
        """Insurance, claims, nominations and disputes; don't write."""
        return self._state.delivering

    @property
    def primary(self) -> Primary:
        """Sites, capacity, certificates and what they back; don't write."""
        return self._state.primary

    def reservations(self, account: int | None = None, day: date | None = None) -> list[ReservationView]:
        """Return reservations in order of id: an account's (as buyer or provider), a delivery day's, or
        all.
        """
        rows = self._state.reservations.rows
        wanted = np.ones(len(rows), np.bool_)
        if account is not None:
            wanted &= (rows["buyer"] == account) | (rows["provider"] == account)
        if day is not None:
            wanted &= rows["day"] == epoch_day(day)
        return [self._reservation_view(int(at)) for at in np.flatnonzero(wanted)]

    def reservation(self, reservation_id: int) -> ReservationView:
        """Return a reservation that exists."""
        return self._reservation_view(reservation_id - 1)

    def capacity(self, account: int | None = None) -> list[CapacityView]:
        """Return posted capacity in order of id, withdrawn posts included: an account's, or all."""
        return [
            CapacityView(
                capacity_id=item.capacity_id,
                account=item.post.account,
                grade=item.post.grade,
                hub=item.post.hub,
                cards=item.post.cards,
                first_day=item.post.first_day,
                last_day=item.post.last_day,
                reserve_price=item.post.reserve_price_ticks,
                withdrawn=item.withdrawn,
                site_id=item.post.site_id,
                attested=item.attestation is not None,
            )
            for item in self._state.primary.capacity
            if account is None or item.post.account == account
        ]

    def conversion(self) -> list[ConversionView]:
        """Return posted capacity and first sales by provider, grade and hub (clause 7.2)."""
        found = conversion(self._state).items()
        return [ConversionView(*key, posted, sold) for key, (sold, posted) in found]

    def _reservation_view(self, at: int) -> ReservationView:
        row = self._state.reservations.rows[at]
        contract = self._state.contracts[int(row["contract"])]
        cards = int(row["lots"]) * contract.cards_per_lot
        hours = row["metered"]
        delivered = int(np.maximum(hours, 0).sum())
        finished = bool(row["finished"])
        return ReservationView(
            reservation_id=at + 1,
            buyer=int(row["buyer"]),
            provider=int(row["provider"]),
            symbol=contract.symbol,
            grade=contract.grade,
            hub=contract.hub,
            day=contract.period.first,
            cards=cards,
            lots=int(row["lots"]),
            start_ns=contract.delivery.start_ns,
            end_ns=contract.delivery.end_ns,
            hours=contract.delivery.of_day(int(row["day"])),
            price=int(row["price"]),
            delivered_card_hours=delivered,
            metered_hours=sum(1 << hour for hour in np.flatnonzero(hours >= 0).tolist()),
            finished=finished,
            invoiced_fen=int(row["invoiced"]),
            shortfall_card_hours=cards * contract.hours - delivered if finished else 0,
        )

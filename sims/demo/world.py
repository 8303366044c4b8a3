"""Who takes part in the demonstration, derived from the catalogue: providers, enterprises, their means."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from nodes.catalogue import Catalogue
from nodes.types import Hub
from sims.demand import cards_needed, demand_of, hubs_for, load_rules
from sims.demo.enterprise import Want, wants_of
from sims.demo.provider import Holding
from sims.trace import load_tasks


@dataclass(frozen=True, slots=True)
class Cast:
    """The members by name: providers with the hubs they run, enterprises with their city."""

    providers: Mapping[str, tuple[str, ...]]
    enterprises: Mapping[str, str]

    @property
    def members(self) -> list[str]:
        """All names, providers first."""
        return [*self.providers, *self.enterprises]


def cast_of(catalogue: Catalogue) -> Cast:
    """One provider a national node, one for each hub outside the eight, and one enterprise an edge city."""
    providers: dict[str, list[str]] = {}
    for hub in catalogue.hubs.values():
        providers.setdefault(_provider_name(hub), []).append(hub.code)
    return Cast(
        providers={name: tuple(hubs) for name, hubs in providers.items()},
        enterprises={f"{_name(city)}-enterprise": city for city in catalogue.edge_cities},
    )


def _provider_name(hub: Hub) -> str:
    return f"{_name(hub.national_node or hub.city)}-provider"


def _name(code: str) -> str:
    return code.lower().replace("_", "-")


def holdings_of(catalogue: Catalogue, hubs: tuple[str, ...]) -> list[Holding]:
    """What a provider runs at its hubs, by the catalogue's rule for the demonstration's capacity."""
    return [
        Holding(
            hub=hub,
            grade=grade.code,
            cards=cards,
            cards_per_lot=grade.cards_per_lot,
            power_cny_per_card_hour=catalogue.mean_power_cny_per_card_hour(hub, grade.code),
        )
        for hub in hubs
        for grade in catalogue.grades.values()
        if (cards := catalogue.default_capacity_cards(hub, grade.code))
    ]


def wants_of_city(catalogue: Catalogue, city: str) -> list[Want]:
    """What the tasks of one city need for one delivery day, in lots."""
    needed: Counter[tuple[str, str]] = Counter()
    demands = demand_of(load_tasks(), catalogue.edge_cities, load_rules())
    for (origin, latency_class, grade), milli in cards_needed(demands).items():
        if origin == city:
            needed[latency_class, grade] += milli
    hubs = {name: hubs_for(catalogue, city, catalogue.workload_class(name)) for name, _ in needed}
    lots = {code: grade.cards_per_lot for code, grade in catalogue.grades.items()}
    return wants_of(needed, hubs, lots)

"""Who takes part, and what they have: everything follows from the catalogue."""

from itertools import pairwise

import pytest

from nodes.catalogue import Catalogue, load_catalogue
from sims.demo.enterprise import Want
from sims.demo.world import cast_of, holdings_of, wants_of_city


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def test_every_hub_has_one_provider_and_every_edge_city_one_enterprise(catalogue: Catalogue) -> None:
    cast = cast_of(catalogue)
    assert sorted(hub for hubs in cast.providers.values() for hub in hubs) == sorted(catalogue.hubs)
    assert list(cast.enterprises.values()) == list(catalogue.edge_cities)
    assert len(cast.members) == len(set(cast.members)) == 10 + 13
    assert cast.providers["gz-provider"] == ("GUIAN",)
    assert cast.enterprises["shanghai-enterprise"] == "SHANGHAI"


def test_holdings_are_the_catalogues_capacity_in_whole_lots(catalogue: Catalogue) -> None:
    holdings = [h for hubs in cast_of(catalogue).providers.values() for h in holdings_of(catalogue, hubs)]
    assert all(h.cards == catalogue.default_capacity_cards(h.hub, h.grade) for h in holdings)
    assert all(h.cards % h.cards_per_lot == 0 and h.power_cny_per_card_hour > 0 for h in holdings)
    assert {h.grade for h in holdings} == set(catalogue.grades)


def test_hub_sets_of_one_city_are_nested(catalogue: Catalogue) -> None:
    """What `still_wanted` relies on: the hubs of a want contain those of every less movable one."""
    for city in catalogue.edge_cities:
        wants = wants_of_city(catalogue, city)
        for grade in catalogue.grades:
            sets = sorted((set(w.hubs) for w in wants if w.grade == grade), key=len)
            assert all(small <= large for small, large in pairwise(sets)), (city, grade)


def test_all_cities_together_want_what_the_trace_needs(catalogue: Catalogue) -> None:
    lots: dict[str, int] = dict.fromkeys(catalogue.grades, 0)
    for city in catalogue.edge_cities:
        for want in wants_of_city(catalogue, city):
            assert isinstance(want, Want)
            lots[want.grade] += want.lots
    cards = {code: lots[code] * grade.cards_per_lot for code, grade in catalogue.grades.items()}
    assert cards["H100"] == 158  # whole cards only: exactly the trace's
    assert cards["A100"] == 316
    assert 2_646 <= cards["L20"] <= 2_646 * 1.1  # rounded up to eights, city by city
    posted = {code: sum(catalogue.default_capacity_cards(h, code) for h in catalogue.hubs) for code in cards}
    assert all(posted[code] > 2 * cards[code] for code in cards)

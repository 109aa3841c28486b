"""Chargers are shared fairly: who has one, who is next, and who gives way."""

import math
from dataclasses import replace

import pytest

from dispatcher.traffic.chargers import Chargers, Need, gives_way, goes_before
from fleet.vehicle import VehicleId, VehicleSpec
from routing.errors import Unreachable
from routing.site import NodeId, Place, PlaceId
from routing.sites.site_yaml import loads
from tests.dispatcher.ward import WITH_BAY, cart

MORE = """\
      fast: {name: {en: Fast, zh: 快充}, at: [5, -5], joins: [c1], roles: [charger]}
      slow: {name: {en: Slow, zh: 慢充}, at: [9, -9], joins: [c2], roles: [charger]}
      pad: {name: {en: Pad, zh: 停机坪}, at: [40, -20], roles: [charger, pad]}
    lanes:
"""
SITE = loads(WITH_BAY.replace("    lanes:\n", MORE), "ward")
SECONDS = {"fast": 5.0, "slow": 50.0, "park-1": 1.0, "pad": 0.0}


def seconds_to(place: Place) -> float:
    return SECONDS[place.id]


def at_home(home: str, number: int = 1) -> VehicleSpec:
    return replace(cart(number).spec, home=PlaceId(home))


def taken(chargers: Chargers, spec: VehicleSpec) -> str | None:
    place = chargers.take(spec, seconds_to)
    return None if place is None else place.id


def test_who_can_charge_at_home_goes_there() -> None:
    assert taken(Chargers(SITE, [PlaceId("park-1")]), at_home("park-1")) == "park-1"


def test_others_take_the_nearest_that_is_free_and_nobodys_home() -> None:
    chargers = Chargers(SITE, [PlaceId("park-1"), PlaceId("ward-1")])
    one, two, three = (at_home("ward-1", number) for number in (1, 2, 3))
    assert [taken(chargers, spec) for spec in (one, two, three)] == ["fast", "slow", None]
    assert taken(chargers, one) == "fast", "asking again takes nothing more"
    told: list[str] = []
    chargers.on_free(lambda: told.append("free"))
    chargers.give_back(VehicleId("nobody"))
    assert told == []
    chargers.give_back(one.id)
    assert told == ["free"]
    assert taken(chargers, three) == "fast"


def test_what_no_road_leads_to_is_not_taken() -> None:
    def only_slow(place: Place) -> float:
        if place.id == "fast":
            raise Unreachable(NodeId("c1"), NodeId("fast"))
        return 1.0

    found = Chargers(SITE, [PlaceId("park-1")]).take(at_home("ward-1"), only_slow)
    assert found is not None
    assert found.id == "slow"


def test_the_one_that_is_wanted_comes_before_the_nearest() -> None:
    chargers = Chargers(SITE, [PlaceId("park-1"), PlaceId("ward-1")])
    one, two = (at_home("ward-1", number) for number in (1, 2))
    assert taken(chargers, one) == "fast"
    place = chargers.take(one, seconds_to, PlaceId("slow"))
    assert place is not None
    assert place.id == "slow"
    assert taken(chargers, two) == "fast", "nobody has two"
    assert [(p.id, holder) for p, holder in chargers.usable(one)] == [
        ("fast", two.id),
        ("slow", None),
    ]


def idle(hours: float, wanted_s: float = math.inf) -> Need:
    return Need(pressed=False, wanted_s=wanted_s, lasts_s=hours * 3600)


def pressed(hours: float, wanted_s: float = math.inf) -> Need:
    return Need(pressed=True, wanted_s=wanted_s, lasts_s=hours * 3600)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(pressed(3), idle(1), id="who can't work before"),
        pytest.param(idle(3, wanted_s=60), idle(1, wanted_s=900), id="who is wanted sooner"),
        pytest.param(idle(3, wanted_s=60), idle(1), id="who is wanted at all"),
        pytest.param(idle(1), idle(3), id="whose charge is over sooner"),
        pytest.param(pressed(1, wanted_s=60), pressed(1, wanted_s=61), id="pressed, and sooner"),
    ],
)
def test_who_goes_first(one: Need, other: Need) -> None:
    assert goes_before(one, other)
    assert not goes_before(other, one)


@pytest.mark.parametrize(
    ("holder", "other", "gives"),
    [
        (idle(1), pressed(3), True),
        (pressed(3), pressed(1), True),
        (pressed(1.5), pressed(1), False),
        (pressed(0.4), pressed(0.1), False),
        (pressed(3), idle(1), False),
        (idle(3), idle(1), True),
        (idle(1.5), idle(1), False),
        (idle(3, wanted_s=60), idle(1), False),
        (idle(3), idle(1, wanted_s=60), True),
    ],
)
def test_who_gives_way(holder: Need, other: Need, gives: bool) -> None:
    assert gives_way(holder, other) is gives
    assert not (gives and gives_way(other, holder)), "they would change places for ever"


class Wishes:
    """Two chargers, and what each cart wants of them."""

    def __init__(self) -> None:
        self.needs: dict[VehicleId, Need] = {}
        self.carts = [at_home("ward-1", number) for number in range(1, 5)]
        homes = [PlaceId("park-1"), PlaceId("ward-1")]
        self.chargers = Chargers(SITE, homes, lambda vehicle: self.needs.get(vehicle))

    def want(self, number: int, need: Need | None) -> str | None:
        spec = self.carts[number]
        if need is None:
            self.needs.pop(spec.id, None)
            return None
        self.needs[spec.id] = need
        return taken(self.chargers, spec)


def test_an_idle_one_leaves_its_charger_to_one_that_can_not_work() -> None:
    here = Wishes()
    assert [here.want(0, idle(2)), here.want(1, pressed(2))] == ["fast", "slow"]
    assert here.want(0, idle(2)) == "fast", "nobody waits"
    assert here.want(2, pressed(1)) is None
    assert here.want(1, pressed(2)) == "slow"
    assert here.want(0, idle(2)) is None
    here.chargers.give_back(here.carts[0].id)
    assert here.want(0, idle(2)) is None, "the other one is next"
    assert here.want(2, pressed(1)) == "fast"


def test_who_has_waited_in_vain_and_wants_no_more_keeps_nobody_away() -> None:
    here = Wishes()
    assert [here.want(0, idle(2)), here.want(1, idle(2))] == ["fast", "slow"]
    assert here.want(2, pressed(1)) is None
    here.want(2, None)
    assert here.want(0, idle(2)) == "fast"
    here.chargers.give_back(here.carts[0].id)
    assert here.want(3, idle(4)) == "fast"


def test_the_charger_that_it_has_stays_its_own_while_it_drives_there() -> None:
    """Another one may be nearer on the way."""
    here = Wishes()
    spec = here.carts[0]
    here.needs[spec.id] = pressed(1)
    place = here.chargers.take(spec, seconds_to, PlaceId("slow"))
    assert place is not None
    assert (place.id, taken(here.chargers, spec)) == ("slow", "slow")
    here.chargers.leave(spec.id, place.node)
    assert here.want(1, idle(1)) == "fast", "it still has the other one"
    here.chargers.leave(spec.id, NodeId("c1"))
    assert here.want(2, idle(1)) == "slow"


def test_who_stands_on_a_charger_at_the_start_has_it() -> None:
    here = Wishes()
    here.chargers.stands_at(here.carts[0], SITE.places[PlaceId("fast")].node)
    here.chargers.stands_at(here.carts[1], NodeId("c1"))
    here.chargers.stands_at(here.carts[2], SITE.places[PlaceId("fast")].node)
    assert here.want(1, idle(1)) == "slow"
    assert here.want(2, idle(1)) is None

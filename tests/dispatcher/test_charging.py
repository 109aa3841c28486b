"""Chargers are shared fairly, and the reserve is never planned with."""

from dataclasses import replace
from datetime import datetime

import pytest

from dispatcher.charging import ChargePolicy, Chargers, CheapHours, enough
from fleet.vehicle import VehicleId, VehicleSpec
from routing.errors import Unreachable
from routing.site import NodeId, Place, PlaceId
from routing.site_yaml import loads
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


@pytest.mark.parametrize(("ratio", "is_enough"), [(0.32, False), (0.33, True)])
def test_a_trip_leaves_the_reserve_and_a_quarter_more(ratio: float, is_enough: bool) -> None:
    """500 Wh, 20 % reserve; 120 W for 25 min = 50 Wh, with a quarter more 62.5 Wh = 12.5 %."""
    assert enough(cart().spec, ratio, move_s=1500, idle_s=0) is is_enough


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


@pytest.mark.parametrize(
    ("at", "cheap"),
    [("21:59", False), ("22:00", True), ("03:00", True), ("06:00", False), ("13:00", True)],
)
def test_cheap_hours_may_lie_over_midnight(at: str, cheap: bool) -> None:
    hours = CheapHours.of(["22:00-06:00", "12:30-13:30"])
    moment = datetime.fromisoformat(f"2026-02-03T{at}:00+00:00")
    assert hours.now(moment) is cheap
    assert CheapHours().now(moment)
    goal = ChargePolicy(cheap=hours).idle_goal(moment)
    assert goal == ((0.85, 0.95) if cheap else (0.6, pytest.approx(0.775)))

"""Who could do a task, and all reasons why the others can't."""

from dataclasses import replace

from dispatcher.domain.eligibility import nearest_miss, why_not
from dispatcher.domain.task import Delivery, Disinfection, Goods, Medicine, Method, Patrol
from fleet.vehicle import Medium
from routing.refusal import Refusal
from routing.site import AirspaceId, PlaceId
from tests.dispatcher.ward import cart

CART = cart().spec
BOX = Delivery(
    item="box",
    goods=Goods.GENERAL,
    origin=PlaceId("pharmacy"),
    drop_offs=(PlaceId("icu"),),
    mass_g=50_000,
    volume_ml=100_000,
)


def codes(reasons: list[Refusal]) -> list[str]:
    return [reason.code for reason in reasons]


def test_what_it_can_just_carry_it_may_carry() -> None:
    assert why_not(BOX, CART) == []
    assert codes(why_not(replace(BOX, mass_g=50_001), CART)) == ["over_payload"]


def test_every_reason_is_told_at_once_with_its_facts() -> None:
    pills = replace(BOX, goods=Goods.WASTE, mass_g=80_000, volume_ml=200_000, by=Medium.AIR)
    reasons = why_not(pills, CART)
    assert codes(reasons) == ["goods_not_allowed", "over_payload", "over_volume", "wrong_medium"]
    assert dict(reasons[1].facts) == {"mass_kg": 80.0, "limit_kg": 50.0}


def test_medicine_needs_a_lock() -> None:
    pills = Medicine(
        item="pills",
        origin=PlaceId("pharmacy"),
        destination=PlaceId("icu"),
        recipient_role="nurse",
        mass_g=100,
    )
    assert codes(why_not(pills, CART)) == ["lacks_skill", "goods_not_allowed"]
    cabinet = replace(CART, skills=frozenset({"carry", "lock"}), load_types=frozenset({"medicine"}))
    assert why_not(pills, cabinet) == []


def test_areas_are_looked_at_from_the_air_and_places_on_the_ground() -> None:
    drone = replace(CART, medium=Medium.AIR)
    area, points = Patrol(area=AirspaceId("park")), Patrol(points=(PlaceId("icu"),))
    assert codes(why_not(area, CART)) == ["wrong_medium"]
    assert why_not(area, drone) == []
    assert codes(why_not(points, drone)) == ["wrong_medium"]
    assert why_not(points, CART) == []


def test_disinfection_needs_its_method() -> None:
    room = Disinfection(room=PlaceId("icu"), method=Method.SPRAY)
    assert [dict(reason.facts) for reason in why_not(room, CART)] == [{"skill": "spray"}]


def test_the_nearest_miss_is_what_a_person_is_told() -> None:
    one, two = [Refusal("over_payload")], [Refusal("lacks_skill"), Refusal("wrong_medium")]
    assert nearest_miss([two, one]) == one
    assert codes(nearest_miss([])) == ["no_vehicles"]

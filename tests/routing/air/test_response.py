"""Which drone goes: the first to arrive of those that get home, by a count that knows no tricks."""

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.air.response import Responder, Scene, Trip, choose
from routing.errors import Unreachable
from routing.geometry import Point
from routing.refusal import Refusal

SCENE = Scene(at=Point(1000, 0), on_scene_s=600, least_s=300)
NEAR = Responder(
    id="near",
    at=Point(0, 0),
    home=Point(0, 0),
    speed_m_s=20,
    launch_s=20,
    energy_j=3600 * 100,
    full_j=3600 * 100,
    move_w=400,
    hover_w=300,
    land_j=4000,
)


def test_the_drone_in_the_air_is_there_first() -> None:
    flying = replace(NEAR, id="flying", at=Point(1000, 1000), launch_s=0.0)
    choice = choose(SCENE, [NEAR, flying])
    assert [answer.id for answer in choice.able] == ["flying", "near"]
    assert choice.able[0].arrives_s == pytest.approx(50)
    assert choice.able[1].arrives_s == pytest.approx(70)


def test_who_could_not_come_home_is_not_sent_and_told_why() -> None:
    flat = replace(NEAR, id="flat", at=Point(900, 0), energy_j=10_000)
    choice = choose(SCENE, [flat, NEAR])
    assert choice.best is not None
    assert choice.best.id == "near"
    assert [(id_, reason.code) for id_, reason in choice.refused] == [("flat", "not_enough_energy")]


def test_a_charging_drone_is_promised_for_when_it_has_enough() -> None:
    need_j = 2 * 50 * 400 + 4000 + 300 * 300
    charging = replace(NEAR, energy_j=need_j - 10_000, charge_w=100.0)
    best = choose(SCENE, [charging]).best
    assert best is not None
    assert best.leaves_s == pytest.approx(100)
    assert best.on_scene_s == pytest.approx(300)
    assert choose(SCENE, [replace(charging, charge_w=0.0)]).best is None
    assert choose(SCENE, [replace(charging, full_j=need_j - 1)]).best is None


def test_a_reason_from_outside_is_passed_on() -> None:
    carrying = replace(NEAR, why_not=Refusal("carries_goods", {"task": "T-1"}))
    choice = choose(SCENE, [carrying])
    assert choice.best is None
    assert choice.refused == (("near", Refusal("carries_goods", {"task": "T-1"})),)


def test_the_way_round_a_hospital_makes_the_farther_one_the_first() -> None:
    behind = replace(NEAR, id="behind", at=Point(900, 0), launch_s=0.0)
    beside = replace(NEAR, id="beside", at=Point(1000, 300), launch_s=0.0)

    def trip(drone: str) -> Trip:
        return Trip(there_s=45 if drone == "behind" else 15, paid_s=100)

    choice = choose(SCENE, [behind, beside], trip)
    assert [answer.id for answer in choice.able] == ["beside", "behind"]


def test_who_has_no_way_is_refused() -> None:
    def trip(_: str) -> Trip:
        raise Unreachable("here", "there")

    choice = choose(SCENE, [NEAR], trip)
    assert choice.best is None
    assert choice.refused[0][1].code == "no_way_through_the_air"


def test_ways_are_only_asked_for_while_they_matter() -> None:
    fleet = [replace(NEAR, id=f"D{n}", at=Point(-500.0 * n, 0)) for n in range(50)]
    asked: list[str] = []

    def trip(drone: str) -> Trip:
        asked.append(drone)
        there_s = 1.1 * (1000 + 500 * int(drone[1:])) / NEAR.speed_m_s
        return Trip(there_s=there_s, paid_s=2 * there_s)

    assert choose(SCENE, fleet, trip).able[0].id == "D0"
    assert len(asked) < 5


@given(st.integers(0, 2**32 - 1))
def test_no_other_drone_is_earlier_and_gets_home(seed: int) -> None:
    luck = random.Random(seed)
    fleet = [
        Responder(
            id=f"D{number}",
            at=Point(luck.uniform(-5000, 5000), luck.uniform(-5000, 5000)),
            home=Point(luck.uniform(-5000, 5000), luck.uniform(-5000, 5000)),
            speed_m_s=luck.uniform(5, 20),
            launch_s=luck.choice([0.0, 20.0]),
            ready_s=luck.choice([0.0, 0.0, 300.0]),
            energy_j=luck.uniform(0, 600_000),
            full_j=600_000,
            charge_w=luck.choice([0.0, 500.0]),
            move_w=400,
            hover_w=300,
            land_j=5000,
        )
        for number in range(luck.randrange(1, 12))
    ]
    detour = {drone.at: luck.uniform(1, 2) for drone in fleet}
    scene = Scene(at=Point(0, 0), on_scene_s=600, least_s=luck.uniform(0, 600))

    def out_of(drone: Responder) -> float:
        return drone.at.distance_m(scene.at) * detour[drone.at] / drone.speed_m_s

    def trip(id_: str) -> Trip:
        drone = next(drone for drone in fleet if drone.id == id_)
        back_s = scene.at.distance_m(drone.home) / drone.speed_m_s
        return Trip(there_s=out_of(drone), paid_s=out_of(drone) + back_s)

    choice = choose(scene, fleet, trip)
    arrivals: dict[str, float] = {}
    for drone in fleet:
        out_s = out_of(drone)
        home_s = scene.at.distance_m(drone.home) / drone.speed_m_s
        spent_j = 400 * (out_s + home_s) + 300 * scene.least_s + 5000
        lacks_j = max(0.0, spent_j - drone.energy_j)
        if lacks_j and (not drone.charge_w or spent_j > 600_000):
            continue
        charge_s = lacks_j / drone.charge_w if lacks_j else 0.0
        arrivals[drone.id] = drone.ready_s + charge_s + drone.launch_s + out_s
    assert {id_ for id_, _ in choice.refused} == {d.id for d in fleet} - set(
        arrivals
    ) or choice.able
    if not arrivals:
        assert choice.best is None
        return
    assert choice.best is not None
    assert math.isclose(choice.best.arrives_s, min(arrivals.values()))
    assert choice.best.on_scene_s >= scene.least_s - 1e-6

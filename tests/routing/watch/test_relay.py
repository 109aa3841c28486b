"""Timetables of reliefs, checked by following every station and every drone."""

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from routing.watch.relay import (
    CannotRelay,
    FlownRing,
    Sortie,
    fleet_for_station,
    fleet_for_stations,
    fleet_of,
    relay_times,
    ring_relay_times,
)

USABLE_S = 1260.0
SWAP_S, RECHARGE_S = 120.0, 2400.0


def check(
    turns: Sequence[Sortie], overlap_s: float, turnaround_s: float, until_s: float, usable_s: float
) -> None:
    """No station is left before the next one is there; no drone is at two places at once."""
    by_station, by_drone = (
        defaultdict[int, list[Sortie]](list),
        defaultdict[int, list[Sortie]](list),
    )
    for turn in turns:
        by_station[turn.station].append(turn)
        by_drone[turn.drone].append(turn)
        assert turn.launch_s <= turn.on_station_s < turn.leave_s <= turn.land_s
        assert turn.land_s - turn.launch_s <= usable_s + 1e-6
    for held in by_station.values():
        held.sort(key=lambda turn: turn.on_station_s)
        assert held[0].on_station_s <= 1e-6
        assert held[-1].leave_s >= until_s
        for leaving, relief in pairwise(held):
            assert leaving.leave_s - relief.on_station_s == pytest.approx(overlap_s, abs=1e-6)
    for flown in by_drone.values():
        flown.sort(key=lambda turn: turn.launch_s)
        for one, two in pairwise(flown):
            assert two.launch_s >= one.land_s + turnaround_s - 1e-5


@pytest.mark.parametrize(
    ("way_m", "turnaround_s", "drones"),
    [
        (300, SWAP_S, 2),
        (1000, SWAP_S, 2),
        (2000, SWAP_S, 2),
        (3000, SWAP_S, 3),
        (300, RECHARGE_S, 4),
        (1000, RECHARGE_S, 4),
        (2000, RECHARGE_S, 5),
        (3000, RECHARGE_S, 7),
    ],
)
def test_one_station_from_near_and_far(way_m: float, turnaround_s: float, drones: int) -> None:
    flight_s = way_m / 10 + 5
    out_s, back_s = 20 + flight_s, 40 + flight_s
    assert fleet_for_station(USABLE_S, out_s, back_s, 10, turnaround_s) == drones
    turns = relay_times(USABLE_S, out_s, back_s, 10, turnaround_s, until_s=60_000)
    check(turns, 10, turnaround_s, 60_000, USABLE_S)
    assert fleet_of(turns) == drones


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 6),
    st.floats(100, 3000),
    st.floats(0, 900),
    st.floats(0, 900),
    st.floats(0, 60),
    st.floats(0, 4000),
)
def test_stations_share_as_many_drones_as_the_formula_says(
    stations: int,
    usable_s: float,
    out_s: float,
    back_s: float,
    overlap_s: float,
    turnaround_s: float,
) -> None:
    assume(usable_s - out_s - back_s - overlap_s > 60)
    until_s = 8 * (usable_s + turnaround_s)
    turns = relay_times(
        usable_s, out_s, back_s, overlap_s, turnaround_s, until_s=until_s, stations=stations
    )
    check(turns, overlap_s, turnaround_s, until_s, usable_s)
    most = fleet_for_stations(stations, usable_s, out_s, back_s, overlap_s, turnaround_s)
    assert most - 1 <= fleet_of(turns) <= most
    assert {turn.station for turn in turns} == set(range(stations))


def test_hand_overs_of_stations_never_meet() -> None:
    turns = relay_times(USABLE_S, 100, 120, 10, SWAP_S, until_s=20_000, stations=4)
    moments = sorted(turn.leave_s for turn in turns)
    assert min(b - a for a, b in pairwise(moments)) > 200


def test_too_far_for_any_number_of_drones() -> None:
    with pytest.raises(CannotRelay, match="650 s go to the way out"):
        fleet_for_station(USABLE_S, 650, 670, 10, SWAP_S)
    with pytest.raises(ValueError, match="0 s or more"):
        fleet_for_station(USABLE_S, -1, 100, 10, SWAP_S)
    with pytest.raises(ValueError, match="0 s or more"):
        fleet_for_station(math.nan, 1, 100, 10, SWAP_S)


def ring(
    vehicles: int, points: int = 20, radius_m: float = 900.0, away_m: float = 0.0
) -> FlownRing:
    """Points on a circle, flown at 10 m/s, with the dock somewhere on its middle line."""
    spots = [
        (radius_m * math.cos(a), radius_m * math.sin(a))
        for a in (2 * math.pi * k / points for k in range(points))
    ]
    step_s = math.dist(spots[0], spots[1]) / 10 + 15
    ways_s = [math.dist(spot, (away_m, 0.0)) / 10 for spot in spots]
    return FlownRing(
        at_s=[k * step_s for k in range(points)],
        round_s=points * step_s,
        vehicles=vehicles,
        out_s=[20 + way_s for way_s in ways_s],
        back_s=[40 + way_s for way_s in ways_s],
    )


@pytest.mark.parametrize("turnaround_s", [SWAP_S, RECHARGE_S])
@pytest.mark.parametrize(("vehicles", "away_m"), [(1, 0), (2, 900), (4, 0), (4, 900), (8, 1500)])
def test_places_on_a_ring_are_held_all_the_time(
    vehicles: int, away_m: float, turnaround_s: float
) -> None:
    flown = ring(vehicles, away_m=away_m)
    turns = ring_relay_times(flown, USABLE_S, 10, turnaround_s, until_s=15_000)
    check(turns, 10, turnaround_s, 15_000, USABLE_S)
    for turn in turns:  # reliefs come and go where the place on the ring is
        offset_s = flown.round_s * turn.station / vehicles
        for moment_s, way_s, ways_s in (
            (turn.on_station_s + 10, turn.on_station_s - turn.launch_s, flown.out_s),
            (turn.leave_s, turn.land_s - turn.leave_s, flown.back_s),
        ):
            at_s = (moment_s + offset_s) % flown.round_s
            point = round(at_s / (flown.round_s / 20)) % 20
            assert math.isclose(at_s % (flown.round_s / 20), 0, abs_tol=1e-6) or math.isclose(
                at_s % (flown.round_s / 20), flown.round_s / 20, abs_tol=1e-6
            )
            assert way_s == pytest.approx(ways_s[point])
    far = fleet_for_stations(
        vehicles, USABLE_S, max(flown.out_s), max(flown.back_s), 10, turnaround_s
    )
    near = fleet_for_stations(
        vehicles, USABLE_S, min(flown.out_s), min(flown.back_s), 10, turnaround_s
    )
    assert near <= fleet_of(turns) <= far + 1


def test_a_ring_out_of_reach_is_refused() -> None:
    with pytest.raises(CannotRelay):
        ring_relay_times(ring(2, away_m=9000), USABLE_S, 10, SWAP_S, until_s=10_000)
    with pytest.raises(CannotRelay, match="from point 0 of the ring on"):
        ring_relay_times(
            FlownRing(at_s=[0, 50], round_s=100, vehicles=1, out_s=[600, 0], back_s=[620, 0]),
            630,
            10,
            SWAP_S,
            until_s=10_000,
        )


def test_a_single_point_is_a_ring_too() -> None:
    flown = FlownRing(at_s=[0], round_s=0, vehicles=1, out_s=[60], back_s=[80])
    turns = ring_relay_times(flown, USABLE_S, 10, SWAP_S, until_s=5_000)
    check(turns, 10, SWAP_S, 5_000, USABLE_S)

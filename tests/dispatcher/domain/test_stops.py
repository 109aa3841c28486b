"""From tasks to stops: nothing is left on board, whatever the shares."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from dispatcher.domain.stops import OWN_S, Handling, bring_back, on_board, stops_of
from dispatcher.domain.task import (
    Delivery,
    Disinfection,
    Goods,
    Method,
    Patrol,
    Priority,
    Spec,
    Task,
    TaskId,
    TaskState,
)
from fleet.mission import ActionKind, MissionId
from fleet.workcell import Way
from routing.site import AirspaceId, LevelId, Name, PlaceId, Workcell, WorkcellId

HANDLING = Handling(load_s=40, unload_s=30)


def task(spec: Spec, stops_done: int = 0) -> Task:
    return Task(
        id=TaskId("T-000007"),
        spec=spec,
        priority=Priority.ROUTINE,
        state=TaskState.UNDERWAY,
        created_s=0,
        earliest_s=0,
        due_s=3600,
        stops_done=stops_done,
    )


def delivery(drops: int, mass_g: int = 1000, volume_ml: int = 0) -> Delivery:
    return Delivery(
        item="meals",
        goods=Goods.FOOD,
        origin=PlaceId("kitchen"),
        drop_offs=tuple(PlaceId(f"ward-{number}") for number in range(drops)),
        mass_g=mass_g,
        volume_ml=volume_ml,
    )


@given(drops=st.integers(1, 20), mass_g=st.integers(1, 10**6), volume_ml=st.integers(0, 10**6))
def test_what_is_loaded_is_unloaded_whatever_the_shares(
    drops: int, mass_g: int, volume_ml: int
) -> None:
    load, *rest = stops_of(task(delivery(drops, mass_g, volume_ml)), HANDLING)
    assert (load.load_g, load.load_ml) == (mass_g, volume_ml)
    assert sum(stop.load_g for stop in rest) == -mass_g
    assert sum(stop.load_ml for stop in rest) == -volume_ml
    assert all(stop.load_g <= 0 for stop in rest)
    loads = [work.facts["load_id"] for work in load.work]
    assert len(set(loads)) == drops
    assert [work.facts["load_id"] for stop in rest for work in stop.work] == loads
    assert abs(load.service_s - HANDLING.load_s) < 1e-6


@given(drops=st.integers(1, 9), data=st.data())
def test_what_is_brought_back_is_what_is_still_on_board(drops: int, data: st.DataObject) -> None:
    done = data.draw(st.integers(1, drops))
    ours = task(delivery(drops), stops_done=done)
    back = bring_back(ours, HANDLING)
    assert back.place == "kitchen"
    assert len(back.work) == drops + 1 - done
    aboard = sum(stop.load_g for stop in stops_of(ours, HANDLING)[:done])
    assert aboard + back.load_g == 0


def test_actions_are_named_after_their_mission() -> None:
    load = stops_of(task(delivery(2)), HANDLING)[0]
    actions = load.actions(MissionId("M-1"))
    assert [action.id for action in actions] == ["M-1.1", "M-1.2"]
    assert {action.kind for action in actions} == {ActionKind.LOAD}


def test_patrols_go_round_and_areas_are_swept() -> None:
    points = Patrol(points=(PlaceId("a"), PlaceId("b")), rounds=2, dwell_s=15)
    stops = stops_of(task(points), HANDLING)
    assert [stop.place for stop in stops] == ["a", "b", "a", "b"]
    assert {stop.service_s for stop in stops} == {15}
    sweep = stops_of(task(Patrol(area=AirspaceId("park"), rounds=3)), HANDLING)
    assert [stop.area for stop in sweep] == ["park"] * 3


def test_only_goods_are_on_board() -> None:
    room = Disinfection(room=PlaceId("icu"), method=Method.UV_C, duration_s=600)
    (stop,) = stops_of(task(room), HANDLING)
    assert stop.service_s == 600
    assert not on_board(task(Patrol(points=(PlaceId("a"),)), stops_done=1))
    assert not on_board(task(delivery(1)))
    assert on_board(task(delivery(1), stops_done=1))


def test_a_workcell_takes_its_time_instead_of_people() -> None:
    cell = Workcell(
        id=WorkcellId("picker"),
        name=Name(en="Picker", zh="发药机"),
        level=LevelId("L1"),
        dispenses=True,
        ingests=False,
        handover_s=25.0,
    )
    places = {PlaceId("kitchen"): cell, PlaceId("ward-0"): cell}
    handling = Handling(load_s=40, unload_s=30, workcells=places)
    load, drop, last = stops_of(task(delivery(2)), handling)
    assert (load.workcell, load.way) == ("picker", Way.GIVE)
    assert load.service_s == 25.0 + OWN_S
    assert (drop.workcell, drop.service_s) == (None, 30), "it does not ingest"
    assert bring_back(task(delivery(2)), handling).workcell is None
    both = replace(cell, ingests=True)
    handling = replace(handling, workcells=dict.fromkeys(places, both))
    load, drop, last = stops_of(task(delivery(2)), handling)
    assert (drop.workcell, drop.way, drop.service_s) == ("picker", Way.TAKE, 25.0 + OWN_S)
    assert (last.workcell, last.service_s) == (None, 30)
    assert bring_back(task(delivery(2)), handling).workcell == "picker"

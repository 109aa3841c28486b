"""Missions become orders, clearances become updates: pure functions."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.mission import Mission, MissionId
from fleet.vda5050.orders import Draft, first, held, instant, update
from fleet.vda5050.state_messages import ActionState, NodeState, State
from routing.geometry import Point
from tests.fleet.vda5050.scene import config_for, load, mission, waypoints

CONFIG = config_for()
TOLD = mission("M1", "n1 n2 n3 n4", load())


def names(draft: Draft | None) -> list[str]:
    assert draft is not None
    return [node.node_id for node in draft.nodes]


def sound(draft: Draft) -> bool:
    """The standard's rules that no schema checks."""
    nodes, edges = draft.nodes, draft.edges
    numbers = [n.sequence_id for n in nodes]
    return (
        len(nodes) == len(edges) + 1
        and numbers == list(range(numbers[0], numbers[0] + 2 * len(nodes), 2))
        and [e.sequence_id for e in edges] == [number + 1 for number in numbers[:-1]]
        and nodes[0].released
        and [n.released for n in nodes] == sorted((n.released for n in nodes), reverse=True)
        and all(e.released == n.released for e, n in zip(edges, nodes[1:], strict=True))
        and all(
            (e.start_node_id, e.end_node_id) == (a.node_id, b.node_id)
            for e, a, b in zip(edges, nodes[:-1], nodes[1:], strict=True)
        )
    )


def test_the_released_part_is_the_base_and_the_rest_the_horizon() -> None:
    draft = first(TOLD, TOLD.route, 2, CONFIG)
    assert [(n.node_id, n.sequence_id, n.released) for n in draft.nodes] == [
        ("n1", 0, True),
        ("n2", 2, True),
        ("n3", 4, False),
        ("n4", 6, False),
    ]
    assert [action.action_type for action in draft.nodes[-1].actions] == ["pick"]
    assert not draft.complete
    assert sound(draft)


def test_the_work_at_the_end_is_put_into_words_once_for_all_updates() -> None:
    before = first(TOLD, TOLD.route, 2, CONFIG)
    after = update(before, TOLD, TOLD.route, 3, CONFIG)
    assert after is not None
    assert after.nodes[-1].actions[0] is before.nodes[-1].actions[0]
    taken_up = replace(before, nodes=(), edges=(), work=None)
    again = update(taken_up, TOLD, TOLD.route, 3, CONFIG)
    assert again == after


def test_an_update_begins_at_the_last_released_node_with_the_same_content() -> None:
    before = first(TOLD, TOLD.route, 2, CONFIG)
    after = update(before, TOLD, TOLD.route, 3, CONFIG)
    assert after is not None
    assert after.update_id == 1
    assert after.nodes[0] == before.nodes[1]
    assert names(after) == ["n2", "n3", "n4"]
    last = update(after, TOLD, TOLD.route, 4, CONFIG)
    assert last is not None
    assert last.complete
    assert update(last, TOLD, TOLD.route, 4, CONFIG) is None


def test_nothing_new_is_nothing_to_say() -> None:
    before = first(TOLD, TOLD.route, 2, CONFIG)
    assert update(before, TOLD, TOLD.route, 2, CONFIG) is None


def test_a_new_horizon_is_said_though_nothing_was_released() -> None:
    before = first(TOLD, TOLD.route, 2, CONFIG)
    after = update(before, TOLD, waypoints("n1", "n2", "m3", "n4"), 2, CONFIG)
    assert names(after) == ["n2", "m3", "n4"]


def test_a_capped_horizon_is_shown_bit_by_bit_and_the_work_only_at_the_end() -> None:
    config = config_for(horizon_nodes=1)
    before = first(TOLD, TOLD.route, 1, config)
    assert names(before) == ["n1", "n2"]
    after = update(before, TOLD, TOLD.route, 2, config)
    assert names(after) == ["n1", "n2", "n3"]
    assert after is not None
    assert after.nodes[-1].actions == ()
    # a change beyond what the robot is shown is no news to it
    longer = waypoints("n1", "n2", "n3", "n4", "n5")
    assert update(after, TOLD, longer, 2, config) is None


def test_a_long_base_is_told_in_parts_where_the_robot_can_take_no_more() -> None:
    config = config_for(max_order_nodes=2)
    draft: Draft | None = first(TOLD, TOLD.route, 4, config)
    told: list[list[str]] = []
    while draft is not None:
        assert sound(draft)
        told.append(names(draft))
        draft = update(draft, TOLD, TOLD.route, 4, config)
    assert told == [["n1", "n2"], ["n2", "n3"], ["n3", "n4"]]


def test_a_complete_order_cannot_get_longer() -> None:
    draft = first(TOLD, TOLD.route, 4, CONFIG)
    with pytest.raises(ValueError, match="complete"):
        update(draft, TOLD, waypoints("n1", "n2", "n3", "n4", "n5"), 4, CONFIG)


def test_work_where_the_robot_already_may_stand_gets_a_node_of_its_own() -> None:
    before = first(TOLD, TOLD.route, 2, CONFIG)
    after = update(before, TOLD, TOLD.route[:2], 2, CONFIG)
    assert after is not None
    assert [(n.node_id, n.sequence_id) for n in after.nodes] == [("n2", 2), ("n2", 4)]
    assert after.nodes[0] == before.nodes[1]
    assert [a.action_id for a in after.nodes[1].actions] == ["load-1"]
    assert after.complete


def test_facts_become_parameters() -> None:
    (action,) = first(TOLD, TOLD.route, 4, CONFIG).nodes[-1].actions
    assert action.parameter("loadId") == "T-000001"
    assert action.parameter("duration") == 20.0
    quiet = config_for(send_durations=False)
    (action,) = first(TOLD, TOLD.route, 4, quiet).nodes[-1].actions
    assert action.parameter("duration") is None


def test_deviations_and_maps_are_the_robots() -> None:
    config = config_for(deviation_m=0.1, start_deviation_m=1.0, maps={"L1": "floor-1"})
    draft = first(TOLD, TOLD.route, 4, config)
    positions = [node.node_position for node in draft.nodes]
    assert [p and p.allowed_deviation_xy for p in positions] == [1.0, 0.1, 0.1, 0.1]
    assert {p and p.map_id for p in positions} == {"floor-1"}


def test_a_speed_limit_is_told_with_its_edge() -> None:
    slow = replace(TOLD.route[1], speed_limit_m_s=0.4)
    draft = first(TOLD, (TOLD.route[0], slow, *TOLD.route[2:]), 4, CONFIG)
    assert [edge.max_speed for edge in draft.edges] == [0.4, None, None]


def test_only_a_cancel_blocks() -> None:
    assert instant("cancelOrder", "c1").blocking_type == "HARD"
    assert instant("stateRequest", "s1").blocking_type == "NONE"


def told_by_state(sequence: int, node: str, *ahead: tuple[str, int, bool]) -> State:
    return State(
        header_id=1,
        timestamp="",
        order_id="M1",
        order_update_id=4,
        last_node_id=node,
        last_node_sequence_id=sequence,
        node_states=tuple(
            NodeState(node_id=name, sequence_id=number, released=released)
            for name, number, released in ahead
        ),
        action_states=(ActionState(action_id="load-1", action_status="WAITING"),),
    )


def test_what_a_robot_holds_is_read_from_its_state() -> None:
    state = told_by_state(0, "n1", ("n2", 2, True), ("n3", 4, False), ("n4", 6, False))
    draft = held(TOLD, TOLD.route, state)
    assert draft is not None
    assert (draft.update_id, draft.released, draft.complete) == (4, 2, False)
    assert update(draft, TOLD, TOLD.route, 2, CONFIG) is None
    after = update(draft, TOLD, TOLD.route, 4, CONFIG)
    assert after is not None
    assert after.update_id == 5
    assert names(after) == ["n2", "n3", "n4"]


def test_a_finished_order_is_held_complete() -> None:
    draft = held(TOLD, TOLD.route, told_by_state(6, "n4"))
    assert draft is not None
    assert draft.complete


@pytest.mark.parametrize(
    "state",
    [
        told_by_state(0, "n1", ("m3", 2, True)),
        told_by_state(2, "m3"),
        told_by_state(40, "n4"),
        told_by_state(3, "n2"),
    ],
)
def test_another_way_under_the_same_id_cannot_be_followed(state: State) -> None:
    assert held(TOLD, TOLD.route, state) is None


@given(data=st.data())
def test_any_run_of_releases_and_reroutes_keeps_the_rules(data: st.DataObject) -> None:
    ways = {
        "n1": ["n2"],
        "n2": ["n3", "m3"],
        "n3": ["n4"],
        "m3": ["n4"],
        "n4": ["n5"],
        "n5": ["n4"],
    }
    length = data.draw(st.integers(1, 8))
    route = ["n1"]
    while len(route) < length:
        route.append(data.draw(st.sampled_from(ways[route[-1]])))
    config = config_for(
        horizon_nodes=data.draw(st.none() | st.integers(0, 3)),
        max_order_nodes=data.draw(st.none() | st.integers(2, 4)),
    )
    told = Mission(id=MissionId("M"), route=waypoints(*route), actions=(load(),))
    released = data.draw(st.integers(1, length))
    base: list[tuple[str, int]] = []
    draft = first(told, told.route, released, config)
    for _ in range(30):
        assert sound(draft)
        told_now = [(n.node_id, n.sequence_id) for n in draft.nodes if n.released]
        assert not base or told_now[0] == base[-1], "an update begins where the base ended"
        base += told_now[1:] if base else told_now
        assert all(not node.actions for node in draft.nodes[:1] if draft.update_id)
        if not draft.complete and released < len(route) and data.draw(st.booleans()):
            route = route[:released]
            for _ in range(data.draw(st.integers(0, 3))):
                route.append(data.draw(st.sampled_from(ways[route[-1]])))
        if released < len(route):
            released = data.draw(st.integers(released, len(route)))
        following = update(draft, told, waypoints(*route), released, config)
        if following is None and draft.complete:
            break
        if following is None:
            released = len(route)
            following = update(draft, told, waypoints(*route), released, config)
        assert following is not None, "what is released is told in the end"
        draft = following
    assert draft.complete
    assert [n for n, _ in base][: len(route)] == route
    assert [a.action_id for a in draft.nodes[-1].actions] == ["load-1"]


def test_who_keeps_right_is_told_so_by_positions_and_held_to_them() -> None:
    aside = tuple(
        replace(w, point=Point(w.point.x_m, w.point.y_m - 0.5), slack_m=0.1) for w in TOLD.route
    )
    for told_m, sent_m in ((None, None), (0.05, 0.05), (0.5, 0.1)):
        config = config_for().model_copy(update={"deviation_m": told_m})
        plain, right = (first(TOLD, route, 4, config) for route in (TOLD.route, aside))
        for node, on_the_right in zip(plain.nodes, right.nodes, strict=True):
            there, here = node.node_position, on_the_right.node_position
            assert there is not None
            assert here is not None
            assert (here.x, here.y) == (there.x, there.y - 0.5)
            assert (there.allowed_deviation_xy, here.allowed_deviation_xy) == (told_m, sent_m)

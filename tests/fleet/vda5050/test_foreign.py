"""What foreign robots have shown: where orders begin, what actions want, who is there."""

import json

import pytest

from fleet.vda5050.inbox import Inbox
from fleet.vda5050.orders import first
from fleet.vda5050.start import widened
from fleet.vda5050.state_messages import AgvPosition
from tests.fleet.vda5050.scene import config_for, load, mission, waypoints

(START, *_) = waypoints("n2")


@pytest.mark.parametrize("off_m", [0.2, 3.0, 40.0])
def test_the_first_node_reaches_to_where_the_robot_stands(off_m: float) -> None:
    pose = AgvPosition(x=START.point.x_m + off_m, y=START.point.y_m, map_id="L1")
    told = widened(config_for(), START, pose)
    draft = first(mission("M1", "n2 n3"), mission("M1", "n2 n3").route, 2, told)
    positions = [node.node_position for node in draft.nodes]
    assert positions[0] is not None
    assert off_m < (positions[0].allowed_deviation_xy or 0) < 1.5 * off_m
    assert positions[1] is not None
    assert positions[1].allowed_deviation_xy is None


@pytest.mark.parametrize(
    "pose",
    [
        None,
        AgvPosition(map_id="L1"),
        AgvPosition(x=START.point.x_m, y=START.point.y_m, map_id="L1"),
        AgvPosition(x=START.point.x_m + 9, y=START.point.y_m, map_id="elsewhere"),
        AgvPosition(x=float("inf"), y=0.0, map_id="L1"),
        AgvPosition(x=float("nan"), y=0.0, map_id="L1"),
    ],
)
def test_where_there_is_no_need_nothing_is_changed(pose: AgvPosition | None) -> None:
    assert widened(config_for(), START, pose) == config_for()


def test_a_wider_setting_stands() -> None:
    config = config_for(start_deviation_m=5.0)
    pose = AgvPosition(x=START.point.x_m + 4, y=START.point.y_m, map_id="L1")
    assert widened(config, START, pose) is config


def test_actions_are_told_what_the_robot_wants_besides() -> None:
    wants = {"pick": {"stationType": "floor", "loadType": "EPAL"}}
    told = mission("M1", "n1 n2", load())
    draft = first(told, told.route, 2, config_for(action_parameters=wants))
    (action,) = draft.nodes[-1].actions
    facts = {p.key: p.value for p in action.action_parameters or ()}
    assert facts["stationType"] == "floor"
    assert facts["loadType"] == "EPAL"
    assert facts["duration"] == 20.0


@pytest.mark.parametrize("said", ["", "CONNECTIONBROKEN"])
def test_a_robot_that_goes_on_talking_is_there_whatever_its_last_will_says(said: str) -> None:
    rung: list[object] = []
    inbox = Inbox(
        config_for(), now_s=lambda: 1.0, heard=lambda _: None, connected=lambda: rung.append(1)
    )
    take = {topic.rpartition("/")[2]: hear for topic, hear in inbox.topics().items()}
    if said:
        take["connection"]("t", _message(1, connectionState=said))
    for number in range(2):
        take["state"]("t", _message(number))
        assert not inbox.online
    take["state"]("t", _message(2))
    assert inbox.online
    assert len(rung) == 1 + bool(said)
    take["connection"]("t", _message(9, connectionState="CONNECTIONBROKEN"))
    assert not inbox.online


def test_one_that_has_said_goodbye_is_believed() -> None:
    inbox = Inbox(config_for(), now_s=lambda: 1.0, heard=lambda _: None, connected=lambda: None)
    take = {topic.rpartition("/")[2]: hear for topic, hear in inbox.topics().items()}
    take["connection"]("t", _message(1, connectionState="OFFLINE"))
    for number in range(9):
        take["state"]("t", _message(number))
    assert not inbox.online


def _message(number: int, **facts: object) -> bytes:
    header = {"headerId": number, "timestamp": f"2026-01-01T00:00:{number:02d}.000Z"}
    return json.dumps({**header, **facts}).encode()

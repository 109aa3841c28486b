"""Messages: strict on the way out, patient on the way in, right by the standard's schemas."""

import json
import math
from datetime import UTC, datetime, timedelta, timezone

import pytest

from fleet.vda5050.codec import Codec
from fleet.vda5050.dialects import encode_instant_actions, encode_order, read_stamp, stamp
from fleet.vda5050.factsheet import FACTSHEET
from fleet.vda5050.headers import HeaderFields
from fleet.vda5050.inbox import Gate
from fleet.vda5050.order_messages import (
    INSTANT_ACTIONS,
    ORDER,
    Action,
    Edge,
    InstantActions,
    Node,
    NodePosition,
    Order,
)
from fleet.vda5050.state_messages import STATE, PatientHeader, State
from fleet.vda5050.terms import BlockingType
from tests.fleet.vda5050.scene import SCHEMAS, Json, config_for, faults_of

HEADER: HeaderFields = {
    "header_id": 7,
    "timestamp": "2026-03-01T08:00:00.000Z",
    "version": "2.1.0",
    "manufacturer": "acme",
    "serial_number": "C1",
}

ORDER_OF_TWO = Order(
    **HEADER,
    order_id="M1",
    order_update_id=0,
    nodes=(
        Node(node_id="a", sequence_id=0, released=True),
        Node(
            node_id="b",
            sequence_id=2,
            released=False,
            node_position=NodePosition(x=1, y=2, map_id="L1", allowed_deviation_xy=0.3),
        ),
    ),
    edges=(Edge(edge_id="a~b", sequence_id=1, released=False, start_node_id="a", end_node_id="b"),),
)

STATE_JSON: Json = {
    "headerId": 3,
    "timestamp": "2026-03-01T08:00:00.00Z",
    "version": "2.0.0",
    "manufacturer": "acme",
    "serialNumber": "C1",
    "orderId": "M1",
    "orderUpdateId": 1,
    "lastNodeId": "a",
    "lastNodeSequenceId": 0,
    "driving": False,
    "operatingMode": "AUTOMATIC",
    "nodeStates": [{"nodeId": "b", "sequenceId": 2, "released": True}],
    "edgeStates": [],
    "actionStates": [],
    "batteryState": {"batteryCharge": 80.5, "charging": False},
    "errors": [],
    "safetyState": {"eStop": "NONE", "fieldViolation": False},
}


def state(**changes: object) -> State:
    return STATE.decode(json.dumps({**STATE_JSON, **changes}).encode())


@pytest.mark.skipif(not SCHEMAS.exists(), reason="needs ../shared/vda5050 with the schemas")
@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_an_order_is_as_the_schema_wants_it_in_each_spelling(version: str) -> None:
    for key in ("allowedDeviationXY", "allowedDeviationXy"):
        payload = encode_order(ORDER_OF_TWO, config_for(version, deviation_key=key))
        message: Json = json.loads(payload)
        assert message["nodes"][1]["nodePosition"][key] == 0.3
        assert faults_of("order", message, version) == []
        assert ORDER.decode(payload) == ORDER_OF_TWO


def test_instant_actions_go_under_the_key_that_the_robot_wants() -> None:
    action = Action(action_type="stateRequest", action_id="s1", blocking_type=BlockingType.NONE)
    message = InstantActions(**HEADER, actions=(action,))
    for key in ("actions", "instantActions"):
        payload = encode_instant_actions(message, config_for(instant_actions_key=key))
        assert [a["actionId"] for a in json.loads(payload)[key]] == ["s1"]
        assert INSTANT_ACTIONS.decode(payload) == message


def test_what_a_master_sends_may_not_have_unknown_fields_or_values() -> None:
    message: Json = json.loads(ORDER.encode(ORDER_OF_TWO))
    message["nodes"][1]["nodePosition"]["alowedDeviationXY"] = 1
    with pytest.raises(ValueError, match="alowedDeviationXY"):
        ORDER.decode(json.dumps(message).encode())
    message = json.loads(ORDER.encode(ORDER_OF_TWO))
    message["nodes"][0]["actions"] = [{"actionType": "x", "actionId": "y", "blockingType": "MAYBE"}]
    with pytest.raises(ValueError, match="MAYBE"):
        ORDER.decode(json.dumps(message).encode())


def test_what_a_robot_sends_is_read_with_patience() -> None:
    read = state(
        colour="red",
        operatingMode="DREAMING",
        errors=[{"errorType": "x", "errorLevel": "APOCALYPTIC"}],
        actionStates=[{"actionId": "a", "actionStatus": "RETRIABLE"}],
    )
    assert read.operating_mode == "DREAMING"
    assert read.errors[0].error_level == "APOCALYPTIC"
    assert read.action_states[0].action_status == "RETRIABLE"
    assert read.busy


def test_null_means_not_said() -> None:
    read = state(
        lastNodeSequenceId=None,
        loads=None,
        errors=None,
        agvPosition={"x": None, "y": None, "theta": None, "mapId": "L1"},
        batteryState={"batteryCharge": None, "charging": None},
    )
    assert read.last_node_sequence_id == 0
    assert read.errors == ()
    assert read.agv_position is not None
    assert read.agv_position.x is None
    assert read.battery_state is not None
    assert read.battery_state.battery_charge is None


def test_numbers_as_text_and_no_numbers_are_read() -> None:
    read = state(
        headerId="3",
        agvPosition={"x": "1.5", "y": float("nan"), "theta": 0, "mapId": "L1"},
        batteryState={"batteryCharge": float("inf"), "charging": "true"},
    )
    assert read.header_id == 3
    assert read.agv_position is not None
    assert read.agv_position.x == 1.5
    assert math.isnan(read.agv_position.y or 0)
    assert read.battery_state is not None
    assert read.battery_state.battery_charge == math.inf
    assert read.battery_state.charging


def test_the_names_of_version_3_are_read_wherever_they_are_names() -> None:
    here = {"x": 1.0, "y": 2.0, "theta": 0.0, "mapId": "L1", "localized": False}
    message = {k: v for k, v in STATE_JSON.items() if k != "batteryState"} | {
        "orderId": "powerSupply",
        "lastNodeId": '"powerSupply": {}, "localized":',
        "powerSupply": {"stateOfCharge": 80.5, "charging": False},
        "mobileRobotPosition": here,
        "safetyState": {"activeEmergencyStop": "MANUAL", "fieldViolation": False},
    }
    for separators in ((",", ":"), (" , ", " : "), (",\n", "\n:")):
        read = STATE.decode(json.dumps(message, separators=separators).encode())
        assert read.agv_position is not None
        assert not read.agv_position.position_initialized
        assert read.battery_state is not None
        assert read.battery_state.battery_charge == 80.5
        assert read.safety_state is not None
        assert read.safety_state.e_stop == "MANUAL"
        assert read.order_id == "powerSupply"
        assert read.last_node_id == message["lastNodeId"]


def test_a_path_that_makes_no_sense_is_left_out_and_the_rest_is_read() -> None:
    way = {"polyline": [{"x": 1, "y": 2, "eta": "2026-03-01T08:00:10Z"}]}
    read = state(plannedPath={"trajectory": "soon"}, intermediatePath=way)
    assert read.planned_path is None
    assert read.intermediate_path is not None
    assert read.intermediate_path.polyline[0].x == 1


def test_all_is_said_but_what_is_none() -> None:
    said: Json = json.loads(STATE.encode(State(header_id=0, timestamp="")))
    assert said["errors"] == []
    assert said["driving"] is False
    assert said["lastNodeSequenceId"] == 0
    assert None not in said.values()
    action: Json = json.loads(
        INSTANT_ACTIONS.encode(
            InstantActions(**HEADER, actions=(Action(action_type="pick", action_id="a"),))
        )
    )["actions"][0]
    assert action == {"actionType": "pick", "actionId": "a", "blockingType": "HARD"}


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"42",
        b'{"headerId": 1}',
        b'{"headerId": null}',
        b'{"headerId": 1, "timestamp": "\\ud800"}',
        b'{"headerId": 1, "timestamp": "", "colour": ' + b"[" * 100_000,
    ],
    ids=range(9),
)
@pytest.mark.parametrize("codec", [STATE, ORDER], ids=["state", "order"])
def test_junk_is_a_value_error(codec: Codec[State] | Codec[Order], junk: bytes) -> None:
    with pytest.raises(ValueError):
        codec.decode(junk)


def test_an_order_id_that_is_a_number_is_junk() -> None:
    with pytest.raises(ValueError):
        state(orderId=17)


def test_instant_actions_are_no_part_of_an_order() -> None:
    aside = {"actionId": "x", "actionType": "stateRequest", "actionStatus": "RUNNING"}
    untyped = {"actionId": "cancelOrder-1-1", "actionStatus": "WAITING"}
    assert not state(nodeStates=[], actionStates=[aside, untyped]).busy
    assert state(nodeStates=[], actionStates=[{**aside, "actionType": "pick"}]).busy


def test_a_factsheet_tells_what_can_be_done_at_nodes() -> None:
    sheet = FACTSHEET.decode(
        json.dumps(
            {
                "protocolFeatures": {
                    "agvActions": [
                        {"actionType": "pick", "actionScopes": ["NODE"]},
                        {"actionType": "stateRequest", "actionScopes": ["INSTANT"]},
                    ]
                }
            }
        ).encode()
    )
    assert sheet.node_actions() == {"pick"}


def test_moments_are_utc_with_milliseconds() -> None:
    east = timezone(timedelta(hours=8))
    assert stamp(datetime(2026, 3, 1, 16, 0, 0, 5_999, east)) == "2026-03-01T08:00:00.005Z"
    assert stamp(datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC)) == "1969-12-31T23:59:59.999Z"
    assert read_stamp("2026-03-01T08:00:00.00Z") == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert read_stamp("2026-03-01T08:00:00") == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert read_stamp("yesterday") is None


class TestGate:
    def header(self, number: int, second: int) -> PatientHeader:
        return PatientHeader(header_id=number, timestamp=f"2026-03-01T08:00:{second:02d}.00Z")

    def admitted(self, *headers: tuple[int, int]) -> list[bool]:
        gate, messages = Gate(), [self.header(*header) for header in headers]
        return [gate.admits(message, read_stamp(message.timestamp)) for message in messages]

    def test_repeated_and_late_states_stay_out(self) -> None:
        assert self.admitted((5, 10), (5, 10), (4, 9), (6, 11)) == [True, False, False, True]

    def test_a_robot_that_restarted_counts_anew(self) -> None:
        assert self.admitted((500, 10), (0, 20), (1, 21)) == [True, True, True]

    def test_a_robot_that_does_not_count_is_known_by_its_time(self) -> None:
        assert self.admitted((0, 10), (0, 11), (0, 11)) == [True, True, False]

    def test_a_restart_with_the_clock_set_back_is_believed_after_some_states(self) -> None:
        assert self.admitted((500, 50), (0, 1), (1, 2), (2, 3), (3, 4)) == [
            True,
            False,
            False,
            True,
            True,
        ]

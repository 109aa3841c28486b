"""What people and goods have done to the site, read back from the journal after a restart.

Closed lanes, rules of the road, emergencies, vehicles out of service, what each has carried and
goods that lie at pads are not tables of their own: the journal is the record, and its last words on
each are what holds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from dispatcher.domain.emergencies import Emergency, EmergencyId, emergency_of
from dispatcher.domain.road_rules import RoadRule, RuleId, rule_of
from dispatcher.domain.task import Goods, TaskId
from dispatcher.planning.transfers import GOODS_AT_PAD
from dispatcher.records.journal import Event
from fleet.clock import Clock
from fleet.vehicle import VehicleId
from routing.site import LaneId

KINDS = (
    "lane_closed",
    "lane_opened",
    "service_changed",
    "set_aside",
    "safety_stop",
    "exposed",
    "decontaminated",
    "road_rule_set",
    "road_rule_ended",
    "emergency_raised",
    "emergency_ended",
    "control_taken",
    "control_released",
    "vehicle_commanded",
    "emergency_stop",
    "emergency_stop_ended",
    "air_hold",
    "air_hold_ended",
    "goods_left_at_pad",
    "alert_acknowledged",
)
"""The events that `remember` reads."""


@dataclass(slots=True)
class Memory:
    """How things stood when the last process ended."""

    closed: dict[LaneId, float | None] = field(default_factory=dict[LaneId, "float | None"])
    """Closed lanes, each with the loop second at which it opens; None = until told."""
    out_of_service: dict[VehicleId, None] = field(default_factory=dict[VehicleId, None])
    set_aside: dict[VehicleId, str] = field(default_factory=dict[VehicleId, str])
    """Vehicles that can't be led, and why, until somebody lets them go on."""
    stood_down: dict[VehicleId, None] = field(default_factory=dict[VehicleId, None])
    """Vehicles that a safety stop has ended, and nobody let go on."""
    carried: dict[VehicleId, list[Goods]] = field(default_factory=dict[VehicleId, list[Goods]])
    """Goods since the last decontamination."""
    rules: dict[RuleId, RoadRule] = field(default_factory=dict[RuleId, RoadRule])
    rules_set: int = 0
    """How many rules of the road there ever were."""
    emergencies: dict[EmergencyId, Emergency] = field(default_factory=dict[EmergencyId, Emergency])
    emergencies_raised: int = 0
    """How many emergencies there ever were."""
    holders: dict[VehicleId, str] = field(default_factory=dict[VehicleId, str])
    """Who has the control token of which vehicle."""
    commanded: dict[VehicleId, tuple[str, str]] = field(
        default_factory=dict[VehicleId, tuple[str, str]]
    )
    """What vehicles were last told directly, and by whom, if that was not to go on."""
    stopped: dict[VehicleId, str] = field(default_factory=dict[VehicleId, str])
    """Whom the emergency stop holds, and who pressed it."""
    waits_in_air: dict[VehicleId, VehicleId] = field(default_factory=dict[VehicleId, VehicleId])
    """Who waits in the air, and for whom."""
    at_pads: dict[TaskId, str] = field(default_factory=dict[TaskId, str])
    """Second legs that have ended with their goods at a pad, and where, until a person knows."""


def remember(events: Iterable[Event], clock: Clock) -> Memory:
    """How things stand after these events, in their order."""
    memory = Memory()
    for event in events:
        facts, vehicle = event.facts, event.vehicle or VehicleId("")
        match event.kind:
            case "lane_closed":
                until = facts.get("until")
                opens_s = None if until is None else clock.to_loop(datetime.fromisoformat(until))
                memory.closed[LaneId(facts["lane"])] = opens_s
            case "lane_opened":
                memory.closed.pop(LaneId(facts["lane"]), None)
            case "service_changed" if facts["in_service"]:
                memory.out_of_service.pop(vehicle, None)
                memory.set_aside.pop(vehicle, None)
                memory.stood_down.pop(vehicle, None)
            case "service_changed":
                memory.out_of_service[vehicle] = None
            case "set_aside":
                memory.set_aside[vehicle] = facts["reason"]["code"]
            case "safety_stop":
                memory.stood_down[vehicle] = None
            case "exposed":
                memory.carried.setdefault(vehicle, []).append(Goods(facts["goods"]))
            case "decontaminated":
                memory.carried.pop(vehicle, None)
            case "road_rule_set":
                rule = rule_of(facts, clock)
                memory.rules[rule.id] = rule
                memory.rules_set += 1
            case "road_rule_ended":
                memory.rules.pop(RuleId(facts["rule"]), None)
            case "emergency_raised":
                emergency = emergency_of(facts, event.at_s)
                memory.emergencies[emergency.id] = emergency
                memory.emergencies_raised += 1
            case "emergency_ended":
                memory.emergencies.pop(EmergencyId(facts["emergency"]), None)
            case "control_taken":
                memory.holders[vehicle] = str(facts["by"])
            case "control_released":
                memory.holders.pop(vehicle, None)
            case "vehicle_commanded" if facts["reply"] != "acknowledged":
                pass
            case "vehicle_commanded" if facts["order"] == "go_on":
                memory.commanded.pop(vehicle, None)
            case "vehicle_commanded":
                memory.commanded[vehicle] = str(facts["order"]), str(facts["by"])
            case "emergency_stop":
                memory.stopped[vehicle] = str(facts["by"])
            case "emergency_stop_ended":
                memory.stopped.pop(vehicle, None)
                memory.commanded.pop(vehicle, None)
            case "air_hold":
                memory.waits_in_air[vehicle] = VehicleId(facts["other"])
            case "air_hold_ended":
                memory.waits_in_air.pop(vehicle, None)
            case "goods_left_at_pad" if event.task is not None:
                memory.at_pads[event.task] = str(facts["place"])
            case "alert_acknowledged" if facts["code"] == GOODS_AT_PAD and event.task is not None:
                memory.at_pads.pop(event.task, None)
            case _:
                pass
    return memory

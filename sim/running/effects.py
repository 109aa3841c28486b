"""What each kind of fault does to bodies, software, links and machines.

Several faults of one kind may be in force on one thing: an effect is told of all of them whenever
one begins or ends, so none of them ends another's.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from fleet.vehicle import VehicleId
from routing.site import DoorId, LaneId, LiftId, WorkcellId
from sim.mavlink.autopilot import MavlinkAutopilot
from sim.scenario.fault_plan import PlannedFault
from sim.vda5050.robot import Vda5050Robot
from sim.world.bodies import GroundBody
from sim.world.machines import DoorMachine, LiftMachine
from sim.world.multirotor import Multirotor, Wind
from sim.world.radio import Radio
from sim.world.workcell import WorkcellMachine
from sim.world.world import World

CRAWL = 0.2
"""Share of its speed that a robot with a stuck wheel still makes."""
BOOT_S = 60.0
"""How long the software of a ground robot takes to restart, unless told otherwise."""

InForce = Sequence[PlannedFault]
"""The faults of one kind on one thing, the oldest first; empty = all is well again."""
Effect = Callable[[InForce], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What faults can be brought upon, by id."""

    world: World
    robots: Mapping[VehicleId, Vda5050Robot] = field(default_factory=dict[VehicleId, Vda5050Robot])
    autopilots: Mapping[VehicleId, MavlinkAutopilot] = field(
        default_factory=dict[VehicleId, MavlinkAutopilot]
    )
    radios: Mapping[VehicleId, Radio] = field(default_factory=dict[VehicleId, Radio])
    doors: Mapping[DoorId, DoorMachine] = field(default_factory=dict[DoorId, DoorMachine])
    lifts: Mapping[LiftId, LiftMachine] = field(default_factory=dict[LiftId, LiftMachine])
    workcells: Mapping[WorkcellId, WorkcellMachine] = field(
        default_factory=dict[WorkcellId, WorkcellMachine]
    )


_CHANNELS = {
    "jam": "stop",
    "lost_pose": "stop",
    "stuck_wheel": "slow",
    "delay": "radio",
    "loss": "radio",
    "reorder": "radio",
}


def channel(fault: PlannedFault) -> tuple[str, str, str]:
    """What a fault acts upon: all faults on one channel are told to one effect."""
    return fault.target, fault.id, _CHANNELS.get(fault.fault, fault.fault)


def effect(fault: PlannedFault, targets: Targets) -> Effect:
    """What is to be done when faults on the channel of ``fault`` begin and end.

    Raises:
        KeyError: there is no such thing, or it can't have this.
    """
    match fault.target:
        case "door":
            return partial(_door, targets.doors[DoorId(fault.id)])
        case "lift":
            return partial(_lift, targets.lifts[LiftId(fault.id)])
        case "workcell":
            return _of_workcell(fault, targets.workcells[WorkcellId(fault.id)])
        case "lane":
            lane = targets.world.site.lanes[LaneId(fault.id)].id
            return partial(_lane, targets.world, lane)
        case "link":
            return partial(_radio, targets.radios[VehicleId(fault.id)])
        case "vehicle":
            vehicle = VehicleId(fault.id)
            if vehicle in targets.autopilots:
                return _of_drone(fault, targets.autopilots[vehicle])
            return _of_robot(fault, targets.robots[vehicle])


def _of_robot(fault: PlannedFault, robot: Vda5050Robot) -> Effect:
    effects: dict[str, Effect] = {
        "stop": partial(_stop, robot),
        "slow": partial(_slow, robot),
        "battery": partial(_battery, robot.body),
        "silent": partial(_silent, robot),
        "reboot": partial(_restart, robot),
        "wrong_pose": partial(_wrong_pose, robot),
    }
    return effects[channel(fault)[2]]


def _of_drone(fault: PlannedFault, autopilot: MavlinkAutopilot) -> Effect:
    effects: dict[str, Effect] = {
        "battery": partial(_battery, autopilot.body),
        "silent": partial(_silent, autopilot),
        "reboot": partial(_reboot, autopilot),
        "wind": partial(_wind, autopilot),
        "gps_loss": partial(_gps, autopilot),
    }
    return effects[fault.fault]


def _of_workcell(fault: PlannedFault, cell: WorkcellMachine) -> Effect:
    effects: dict[str, Effect] = {
        "stop": partial(_workcell, cell),
        "fail": lambda in_force: cell.jam(on=bool(in_force)),
        "silent": lambda in_force: cell.cut(on=bool(in_force)),
    }
    return effects[fault.fault]


def _workcell(cell: WorkcellMachine, in_force: InForce) -> None:
    if in_force:
        cell.stop()
    else:
        cell.repair()


def _door(door: DoorMachine, in_force: InForce) -> None:
    if in_force:
        door.jam()
    else:
        door.repair()


def _lift(lift: LiftMachine, in_force: InForce) -> None:
    if in_force:
        lift.fail()
    else:
        lift.repair()


def _lane(world: World, lane: LaneId, in_force: InForce) -> None:
    if in_force:
        world.block(lane)
    else:
        world.unblock(lane)


def _radio(radio: Radio, in_force: InForce) -> None:
    def share(kind: str) -> float:
        return 1 - math.prod(1 - (one.share or 0.0) for one in in_force if one.fault == kind)

    radio.loss, radio.reorder = share("loss"), share("reorder")
    radio.delay_s = sum(one.delay_s for one in in_force if one.fault == "delay")


def _stop(robot: Vda5050Robot, in_force: InForce) -> None:
    lost = any(one.fault == "lost_pose" for one in in_force)
    robot.senses.localized = not lost
    code = "localizationLost" if lost else "stopped"
    if robot.body.failure is not None and (not in_force or robot.body.failure != code):
        robot.body.repair()
    if in_force:
        robot.body.fail(code)


def _slow(robot: Vda5050Robot, in_force: InForce) -> None:
    stuck = any(one.fault == "stuck_wheel" for one in in_force)
    robot.senses.complain("wheelBlocked", "a wheel is stuck, drives at a crawl" if stuck else "")
    shares = [one.share or CRAWL for one in in_force]
    robot.body.slow = min(shares, default=1.0)
    robot.body.changed.fire()


def _battery(body: GroundBody | Multirotor, in_force: InForce) -> None:
    if in_force:
        body.set_charge(in_force[-1].share or 1.0)


def _silent(software: Vda5050Robot | MavlinkAutopilot, in_force: InForce) -> None:
    software.link_down = bool(in_force)


def _restart(robot: Vda5050Robot, in_force: InForce) -> None:
    if in_force:
        robot.go_down()
    else:
        robot.come_up()


def _wrong_pose(robot: Vda5050Robot, in_force: InForce) -> None:
    off = in_force[-1] if in_force else None
    robot.senses.off_m = off.off_m if off else 0.0
    robot.senses.off_rad = math.radians(off.bearing_deg) if off else 0.0
    robot.body.changed.fire()


def _reboot(autopilot: MavlinkAutopilot, in_force: InForce) -> None:
    """On the ground it takes as long as told; in the air only a watchdog restarts it, at once."""
    lasts_s = in_force[-1].lasts_s if in_force else None
    if in_force and lasts_s is not None and not autopilot.body.airborne:
        autopilot.reboot(lasts_s)
    elif in_force:
        autopilot.reboot()


def _wind(autopilot: MavlinkAutopilot, in_force: InForce) -> None:
    x = y = 0.0
    for one in in_force:
        to_rad = math.radians(one.bearing_deg + 180.0) - autopilot.datum.bearing_rad
        x += one.wind_m_s * math.sin(to_rad)
        y += one.wind_m_s * math.cos(to_rad)
    autopilot.body.set_wind(Wind(x, y))


def _gps(autopilot: MavlinkAutopilot, in_force: InForce) -> None:
    if in_force:
        autopilot.lose_gps()
    else:
        autopilot.regain_gps()

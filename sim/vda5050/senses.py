"""What a simulated robot believes and complains of: its place, its wheels, what it sees ahead."""

import math
from functools import cache

from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.state_messages import AgvPosition, BatteryState, RobotError, SafetyState
from fleet.vda5050.terms import ErrorLevel, EStop
from sim.vda5050.rules import error
from sim.world.bodies import GroundBody

_MOST_RAD = 3.1415
"""Pi, rounded so that it is not more than pi."""


class Senses:
    """A robot's word on its own body, which a fault may falsify."""

    def __init__(self, body: GroundBody, config: Vda5050Config) -> None:
        self._body, self._config = body, config
        self.localized = True
        """Whether it knows where it is."""
        self.off_m = 0.0
        """How far from where it is it takes itself to be."""
        self.off_rad = 0.0
        """In which direction of the site's frame."""
        self._complaints: dict[str, str] = {}
        self._place = AgvPosition()
        self._stood: object = None
        """Where it stood, and what it believed, when it last said where it is."""
        self._charge = BatteryState()

    def complain(self, kind: str, text: str) -> None:
        """Report a warning of this error type from now on; an empty text takes it back."""
        if text:
            self._complaints[kind] = text
        else:
            self._complaints.pop(kind, None)

    def position(self) -> AgvPosition:
        """Where it takes itself to be."""
        body, said = self._body, self._place
        place = body.node, body.moved_at_s, self.off_m, self.off_rad, self.localized
        if body.edge is None and place == self._stood:
            return said
        self._stood = place if body.edge is None else None
        position = body.position()
        x_m, y_m = position.point.x_m, position.point.y_m
        if self.off_m:
            x_m += self.off_m * math.cos(self.off_rad)
            y_m += self.off_m * math.sin(self.off_rad)
        x, y = round(x_m, 3), round(y_m, 3)
        theta = max(-_MOST_RAD, min(_MOST_RAD, round(position.yaw_rad, 4)))
        map_id = self._config.maps.get(position.level, position.level)
        now = x, y, theta, map_id, self.localized
        if now != (said.x, said.y, said.theta, said.map_id, said.position_initialized):
            self._place = AgvPosition(
                x=x, y=y, theta=theta, map_id=map_id, position_initialized=self.localized
            )
        return self._place

    def battery(self) -> BatteryState:
        """How full its battery is."""
        body, said = self._body, self._charge
        percent = round(100 * body.charge_ratio(), 2)
        if (percent, body.charging) != (said.battery_charge, said.charging):
            self._charge = BatteryState(battery_charge=percent, charging=body.charging)
        return self._charge

    def safety(self, e_stop: EStop) -> SafetyState:
        """Its emergency stop and its protective field."""
        return _safety(e_stop, self._body.halted_for is not None)

    def errors(self, e_stop: EStop) -> tuple[RobotError, ...]:
        """What is wrong with it."""
        failures = self._failures(e_stop)
        if not self._complaints and self._body.halted_for is None:
            return failures
        return (*failures, *self._warnings())

    def _failures(self, e_stop: EStop) -> tuple[RobotError, ...]:
        failure = self._body.failure
        if self._body.energy_wh <= 0:
            failure = "batteryEmpty"
        if failure is None or e_stop is not EStop.NONE:
            return ()
        return (error(failure, "stands until repaired", ErrorLevel.FATAL),)

    def _warnings(self) -> list[RobotError]:
        found = [error(kind, text) for kind, text in self._complaints.items()]
        halt, edge = self._body.halted_for, self._body.edge
        if halt is not None and halt.lasts_s is None and edge is not None:
            text = "something stands in the way"
            found.append(error("pathBlocked", text, edgeId=edge.lane.id))
        return found


@cache
def _safety(e_stop: EStop, violated: bool) -> SafetyState:
    return SafetyState(e_stop=e_stop, field_violation=violated)

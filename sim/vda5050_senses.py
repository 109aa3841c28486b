"""What a simulated robot believes and complains of: its place, its wheels, what it sees ahead."""

import math

from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.messages import AgvPosition, ErrorLevel, EStop, RobotError, SafetyState
from sim.bodies import GroundBody
from sim.vda5050_rules import error

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

    def complain(self, kind: str, text: str) -> None:
        """Report a warning of this error type from now on; an empty text takes it back."""
        if text:
            self._complaints[kind] = text
        else:
            self._complaints.pop(kind, None)

    def position(self) -> AgvPosition:
        """Where it takes itself to be."""
        position = self._body.position()
        return AgvPosition(
            x=round(position.point.x_m + self.off_m * math.cos(self.off_rad), 3),
            y=round(position.point.y_m + self.off_m * math.sin(self.off_rad), 3),
            theta=max(-_MOST_RAD, min(_MOST_RAD, round(position.yaw_rad, 4))),
            map_id=self._config.maps.get(position.level, position.level),
            position_initialized=self.localized,
        )

    def safety(self, e_stop: EStop) -> SafetyState:
        """Its emergency stop and its protective field."""
        return SafetyState(e_stop=e_stop, field_violation=self._body.halted_for is not None)

    def errors(self, e_stop: EStop) -> tuple[RobotError, ...]:
        """What is wrong with it."""
        return (*self._failures(e_stop), *self._warnings())

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

"""What the software of a simulated robot keeps in mind: its order, its mode, what it complains of.

All who work for one robot share it: they write what they did, and say `Memory.changed`.
"""

from dataclasses import dataclass

from fleet.vda5050.bell import Bell
from fleet.vda5050.error_types import ErrorType3
from fleet.vda5050.order_messages import Action
from fleet.vda5050.state_messages import RobotError
from fleet.vda5050.terms import EStop, OperatingMode
from routing.site import NodeId
from sim.vda5050.job import INSTANT_KEPT, Job
from sim.vda5050.roads import Roads, is_driven
from sim.vda5050.rules import error
from sim.vda5050.zones import ZoneBook
from sim.world.bodies import GroundBody

_INSTANT_KEPT_3 = 200
"""In version 3.0 a master clears them."""


@dataclass(slots=True)
class Errors:
    """What is wrong with what the robot was told, by what it was."""

    order: tuple[RobotError, ...] = ()
    cancel: tuple[RobotError, ...] = ()
    instant_action: tuple[RobotError, ...] = ()
    zone_set: tuple[RobotError, ...] = ()
    zones: tuple[RobotError, ...] = ()

    def all(self) -> tuple[RobotError, ...]:
        """All of them, in the order of a state."""
        return (*self.order, *self.cancel, *self.instant_action, *self.zone_set, *self.zones)


class Memory:
    """One robot's order and condition, and the bells that tell of news.

    Args:
        v3: whether it speaks version 3 of the standard.
    """

    def __init__(self, body: GroundBody, zones: ZoneBook, roads: Roads, *, v3: bool) -> None:
        self._body, self._zones, self._roads, self._v3 = body, zones, roads, v3
        self.job = self._new_job()
        self.errors = Errors()
        self.mode = OperatingMode.AUTOMATIC
        self.e_stop = EStop.NONE
        self.paused = False
        self.asleep = False
        """Whether it hibernates."""
        self.gives_up = False
        """Whether it drops its order as soon as it stands."""
        self.cancels: list[Action] = []
        """Instant actions that end once it stands and its order is dropped."""
        self.work_bell, self.report_bell = Bell(), Bell()

    @property
    def held_up(self) -> bool:
        """Whether it neither drives nor acts by itself."""
        return self.paused or self.asleep or self.mode is not OperatingMode.AUTOMATIC

    def forget(self) -> None:
        """Lose the order and all that was said of it, as after a switch off and on."""
        self.job = self._new_job()
        self.errors = Errors()
        self.cancels.clear()
        self.gives_up = self.asleep = self.paused = False

    def changed(self) -> None:
        """Something is new: look at the way ahead again, and wake all who wait for news."""
        job, body = self.job, self._body
        if body.edge is None and not job.active:
            job.last_node_id = body.node  # a lift may have taken it along
        edge = job.edges[0] if job.edges else None
        waits = edge is not None and not edge.released and not body.driving
        body.next_node = NodeId(edge.end_node_id) if edge and waits else None
        if self._v3:
            self._look_at_zones()
        self.work_bell.ring()
        self.report_bell.ring()

    def _new_job(self) -> Job:
        return Job(self._body.node, _INSTANT_KEPT_3 if self._v3 else INSTANT_KEPT)

    def _look_at_zones(self) -> None:
        here = self._body.node if self._body.edge is None else None
        held = self.mode is not OperatingMode.AUTOMATIC
        ahead = () if held else tuple(self.job.edges)
        self._zones.look(here, [self._roads.edge(edge) for edge in ahead if is_driven(edge)])
        barred = self._barred()
        self.errors.zones = (
            (error(ErrorType3.NODE_UNREACHABLE, barred, nodeId=self.job.nodes[0].node_id),)
            if barred is not None
            else ()
        )

    def _barred(self) -> str | None:
        """Why the next edge, though released, may not be driven by its zones."""
        edge = self.job.next_edge
        return None if edge is None or self._body.edge is not None else self._roads.barred(edge)

"""How a simulated robot takes an order, or an update of the one it holds: accepted or refused.

Source: VDA 5050 2.1.0, chapters 6.6.1 to 6.6.4; 3.0.0, chapters 6.1.2 and 6.1.4.
"""

from collections.abc import Collection

from fleet.vda5050.error_types import ErrorType3
from fleet.vda5050.order_messages import Order
from fleet.vda5050.state_messages import RobotError
from fleet.vda5050.terms import OperatingMode
from routing.site import Site
from sim.vda5050.memory import Memory
from sim.vda5050.roads import Roads
from sim.vda5050.rules import about, refuse_foreign, refuse_new, refuse_update
from sim.vda5050.zones import ZoneBook
from sim.world.bodies import GroundBody

_AT_WORK = frozenset(
    {OperatingMode.AUTOMATIC, OperatingMode.SEMIAUTOMATIC, OperatingMode.INTERVENED}
)
"""In these modes a robot of version 3.0 takes orders."""


class OrderAcceptance:
    """Puts orders into a robot's memory, or the error that says why not.

    Args:
        maps: each ``mapId`` that the robot knows.
        v3: whether it speaks version 3 of the standard.
    """

    def __init__(
        self,
        body: GroundBody,
        memory: Memory,
        site: Site,
        roads: Roads,
        zones: ZoneBook,
        *,
        maps: Collection[str],
        v3: bool,
    ) -> None:
        self._body, self._memory = body, memory
        self._site, self._roads, self._zones = site, roads, zones
        self._maps, self._v3 = maps, v3

    def consider(self, order: Order) -> None:
        """Accept an order or refuse it; one that is held already changes nothing."""
        job, errors = self._memory.job, self._memory.errors
        same = order.order_id == job.order_id
        if same and order.order_update_id == job.update_id:
            if self._v3 and not job.repeats(order):
                text = f"update {job.update_id} was another one"
                errors.order = (about(ErrorType3.SAME_ORDER_UPDATE_ID, text, order),)
            return
        refused = self._refuse(order, same) or (self._refuse_3(order, same) if self._v3 else None)
        if refused is not None:
            errors.order = (refused,)
            return
        errors.order = errors.cancel = ()
        self._zones.new_order()
        if same:
            job.extend(order)
            return
        if not self._v3:
            job.clear_instant()  # only version 3.0 keeps them until it is told otherwise
        job.take(order)

    def _refuse(self, order: Order, same: bool) -> RobotError | None:
        job, cancels = self._memory.job, self._memory.cancels
        end = None if cancels else job.base_end
        if same:
            return refuse_update(
                order, self._site, self._maps, update_id=job.update_id, last_released=end
            )
        if job.active or cancels:
            return refuse_foreign(order, job.order_id)
        stands_at = self._body.node if self._body.edge is None else None
        return refuse_new(order, self._site, self._maps, stands_at=stands_at)

    def _refuse_3(self, order: Order, same: bool) -> RobotError | None:
        mode = self._memory.mode
        if mode not in _AT_WORK:
            return about(ErrorType3.MOBILE_ROBOT_NOT_AVAILABLE, f"is in mode {mode}", order)
        if not same and order.order_update_id != 0:
            text = f"a new order begins with update 0, not {order.order_update_id}"
            return about(ErrorType3.VALIDATION_FAILURE, text, order)
        for edge in order.edges:
            barred = self._roads.barred(edge) if edge.released else None
            if barred is not None:
                return about(ErrorType3.NO_ROUTE_TO_TARGET, barred, order)
        return None

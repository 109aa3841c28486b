"""Where people take vehicles out of service or have them stand still, and see to alerts."""

from collections.abc import Callable, Mapping

from dispatcher.errors import FieldFault, NotFound, Refused
from dispatcher.records.alerts import Alert, Alerts, Severity
from dispatcher.records.book import TaskBook
from dispatcher.work.memory import Memory
from dispatcher.work.worker import Worker
from fleet.roster import Roster
from fleet.vehicle import PausableVehicle, VehicleId
from routing.refusal import Refusal


class FleetDesk:
    """Orders about vehicles; each is in the journal.

    Args:
        poke: has it planned anew.
        show: tells screens of a vehicle.
    """

    def __init__(
        self,
        roster: Roster,
        workers: Mapping[VehicleId, Worker],
        book: TaskBook,
        alerts: Alerts,
        poke: Callable[[], None],
        show: Callable[[VehicleId], None],
    ) -> None:
        self._roster, self._workers = roster, workers
        self._book, self._alerts = book, alerts
        self._poke, self._show = poke, show

    async def set_in_service(self, vehicle: VehicleId, on: bool) -> None:
        """Take a vehicle out of service, or back. What it has on board it brings on.

        Raises:
            NotFound: there is no such vehicle.
            Refused: it is only looked at.
        """
        if vehicle in self._roster and vehicle not in self._workers:
            remedy = "set its integration to used in the fleet file, and start again"
            reason = Refusal("only_watched", {"vehicle": vehicle})
            raise Refused([FieldFault("in_service", reason, remedy)])
        if vehicle not in self._workers:
            raise NotFound("vehicle", vehicle)
        worker = self._workers[vehicle]
        worker.in_service = on
        if on:
            worker.let_go()
            self._alerts.clear("safety_stop", vehicle=vehicle)
        await self._book.note("service_changed", vehicle=vehicle, in_service=on)
        worker.wake()
        self._poke()
        self._show(vehicle)

    async def set_paused(self, vehicle: VehicleId, paused: bool) -> None:
        """Have a vehicle stand still in the middle of its work, or go on.

        Raises:
            NotFound: there is no such vehicle.
            Refused: it can't pause, or it is to go on while somebody commands it, as by an
                emergency stop.
        """
        if vehicle not in self._workers:
            raise NotFound("vehicle", vehicle)
        found = self._roster[vehicle]
        if not isinstance(found, PausableVehicle):
            reason = Refusal("cannot_pause", {"vehicle": vehicle})
            raise Refused([FieldFault("paused", reason, "take it out of service instead")])
        by = self._workers[vehicle].commanded_by
        if not paused and by is not None:
            reason = Refusal("commanded", {"by": by})
            raise Refused([FieldFault("paused", reason, "have whoever commands it let it go on")])
        await self._book.note("pause_asked", vehicle=vehicle, paused=paused)
        found.set_paused(paused)

    async def acknowledge(self, alert: str, by: str) -> Alert:
        """A person has seen an alert; NotFound."""
        seen = self._alerts.acknowledge(alert, by)
        event = self._book.journal.event(
            "alert_acknowledged", task=seen.task, alert=alert, code=seen.code, by=by
        )
        await self._book.commit(events=[event])
        return seen

    def restore(self, memory: Memory) -> None:
        """Take up which vehicles were out of service before a restart, and why."""
        for vehicle in memory.out_of_service:
            if vehicle in self._workers:
                self._workers[vehicle].in_service = False
        for vehicle in memory.stood_down:
            if vehicle in self._workers:
                self._workers[vehicle].stand_down()
                self._alerts.open("safety_stop", Severity.CRITICAL, vehicle=vehicle)
        for vehicle, why in memory.set_aside.items():
            if vehicle in self._workers:
                self._workers[vehicle].in_service = False
                self._alerts.open("set_aside", Severity.HIGH, vehicle=vehicle, why=why)

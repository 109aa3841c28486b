"""What the news of one part means for the others: who thinks again, and that it is planned anew."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from dispatcher.domain.road_rules import RoadRule, together
from dispatcher.records.feed import Change, Hub
from dispatcher.work.worker import Worker
from fleet.roster import Roster
from fleet.vehicle import VehicleId


class Reactions:
    """Passes news on.

    Args:
        workers: may be filled later.
        poke: has it planned anew.
        roads_changed: the same, and what can't wait may be done sooner by another.
    """

    def __init__(
        self,
        roster: Roster,
        workers: Mapping[VehicleId, Worker],
        hub: Hub,
        poke: Callable[[], None],
        roads_changed: Callable[[], None],
    ) -> None:
        self._roster, self._workers = roster, workers
        self._hub = hub
        self._poke, self._roads_changed = poke, roads_changed

    def hours_changed(self, shut_in: Sequence[VehicleId]) -> None:
        """Lanes have opened or shut for the hour: whoever can't go on turns back."""
        for vehicle in shut_in:
            self._workers[vehicle].think_again()
        for worker in self._workers.values():
            worker.wake()
        self._poke()

    def rules_changed(self, rules: Iterable[RoadRule], left: Sequence[VehicleId]) -> None:
        """Other rules hold; ``left`` have no way on under them, and turn back."""
        self._roster.set_rules(together(rules))
        for vehicle in left:
            self._workers[vehicle].think_again()
        self._roads_changed()
        self._hub.tell(Change(roads=True))

    def emergencies_changed(self) -> None:
        """Others are in force: each vehicle looks whether it concerns it."""
        for worker in self._workers.values():
            worker.alarm()
        self._poke()
        self._hub.tell(Change(roads=True))

    def incidents_changed(self) -> None:
        """An incident, or who commands a vehicle, is another now."""
        self._hub.tell(Change(incidents=True))

    def fitness_changed(self, vehicle: VehicleId) -> None:
        """A vehicle can be given work now, or no more."""
        if vehicle in self._workers:
            self._workers[vehicle].wake()
        self._poke()

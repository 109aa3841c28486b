"""What follows from each word of a vehicle: the watch looks, the flights' log and screens hear."""

import asyncio
from collections.abc import Callable

from dispatcher.flight_log.recorder import FlightRecorder
from dispatcher.news.looks import Looks
from dispatcher.news.watch import FleetWatch
from dispatcher.records.feed import Change, Hub
from fleet.roster import Roster
from fleet.vehicle import Medium, VehicleId, VehicleState


class Screens:
    """Tells those who listen how a vehicle looks."""

    def __init__(self, roster: Roster, looks: Looks, hub: Hub) -> None:
        self._roster, self._looks, self._hub = roster, looks, hub
        self._shown: dict[VehicleId, object] = {}

    @property
    def listened(self) -> bool:
        """Whether anybody listens."""
        return self._hub.listened

    def show(self, vehicle: VehicleId) -> None:
        """Tell of a vehicle."""
        self._hub.tell(Change(vehicle=self._looks.view(self._roster[vehicle])))

    def show_news(self, vehicle: VehicleId, state: VehicleState) -> None:
        """Tell of a vehicle if it is another now, in more than its position."""
        if not self._hub.listened:
            return
        percent = None if state.charge_ratio is None else round(state.charge_ratio * 100)
        glance = self._looks.glance(self._roster[vehicle], state)
        shown = (glance, state.errors, state.online, state.loads, percent)
        if self._shown.get(vehicle) != shown:
            self._shown[vehicle] = shown
            self.show(vehicle)


class Hearing:
    """Hears every word of every vehicle.

    Args:
        ready: before this is set, words are only kept by the vehicles themselves.
    """

    def __init__(
        self,
        ready: asyncio.Event,
        roster: Roster,
        watch: FleetWatch,
        flights: FlightRecorder,
        screens: Screens,
    ) -> None:
        self._ready, self._roster = ready, roster
        self._watch, self._flights, self._screens = watch, flights, screens
        self._listeners: list[Callable[[VehicleId, VehicleState], None]] = []
        roster.watch(self._heard)

    def on_word(self, listener: Callable[[VehicleId, VehicleState], None]) -> None:
        """Have ``listener`` called, without delay, with what each word of a vehicle made of it."""
        self._listeners.append(listener)

    def _heard(self, vehicle: VehicleId) -> None:
        if not self._ready.is_set():
            return
        self._watch.look(vehicle)
        link = self._roster[vehicle]
        if link.spec.medium is Medium.AIR:
            self._flights.hear(link.spec, link.state())
        if self._screens.listened or self._listeners:
            state = link.state()
            self._screens.show_news(vehicle, state)
            for listener in self._listeners:
                listener(vehicle, state)

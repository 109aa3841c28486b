"""Whether one vehicle may work, and what takes that from it: people, faults, and failing often."""

from collections.abc import Callable

from dispatcher.errors import reason_of
from dispatcher.planning.planner import Planner
from dispatcher.records.alerts import Alerts, Severity
from dispatcher.records.book import TaskBook
from fleet.errors import MissionCancelled, MissionFailed
from fleet.vehicle import VehicleId
from routing.errors import Unreachable
from routing.refusal import Refusal

FAILS_IN_A_ROW = 4
"""Who hands back so many tasks one after the other is set aside: another may fare better."""


class Standing:
    """How one vehicle stands with those who may let it work.

    Args:
        wake: has the vehicle look again at what there is to do.
    """

    def __init__(
        self,
        vehicle: VehicleId,
        book: TaskBook,
        planner: Planner,
        alerts: Alerts,
        wake: Callable[[], None],
    ) -> None:
        self._vehicle, self._book = vehicle, book
        self._planner, self._alerts, self._wake = planner, alerts, wake
        self.in_service = True
        self.stood_down = False
        """A safety stop has ended what it did: it moves no more until a person lets it go on."""
        self.commanded_by: str | None = None
        """Who has it do something directly: it does nothing of its own until let go."""
        self.unsure = True
        """It may hold an order that nobody follows: of a former process, or stopped for safety."""
        self._aside: str | None = None
        """Why it has just been set aside, until that is written down."""
        self._handed_back = 0
        """Tasks in a row."""
        self._failed = 0
        """Things that it is to do by itself, in a row."""

    @property
    def may_work(self) -> bool:
        """Whether people let it work by itself."""
        return self.in_service and self.commanded_by is None

    def let_go(self) -> None:
        """A person has seen to it: it may work again."""
        self.in_service, self.stood_down = True, False
        self._handed_back = 0
        self._alerts.clear("set_aside", vehicle=self._vehicle)

    # --- a safety stop ---

    def stand_down(self) -> None:
        """Don't move, whatever is on board, before `let_go`."""
        self.in_service, self.stood_down = False, True

    async def stop_for_safety(self, reason: Refusal) -> None:
        """A person must look before it moves again."""
        self.stand_down()
        self.unsure = True
        self._alerts.open("safety_stop", Severity.CRITICAL, vehicle=self._vehicle, why=reason.code)
        await self._book.note("safety_stop", vehicle=self._vehicle, reason=reason)
        self._planner.poke()

    # --- set aside ---

    def set_aside(self, why: str) -> None:
        """Give it no new work before a person lets it; what it has on board it brings on."""
        self._alerts.open("set_aside", Severity.HIGH, vehicle=self._vehicle, why=why)
        if self.in_service:
            self.in_service = False
            self._aside = why
            self._planner.poke()
        self._wake()

    async def note_set_aside(self) -> None:
        """Write down that it has been set aside, if that is news."""
        if self._aside is not None:
            why, self._aside = self._aside, None
            await self._book.note("set_aside", vehicle=self._vehicle, reason=Refusal(why))

    def handed_back(self, error: MissionFailed | Unreachable) -> None:
        """Set it aside if it fails one task after the other, and the roads are not to blame."""
        if isinstance(error, MissionFailed):
            self._handed_back += 1
            if self._handed_back >= FAILS_IN_A_ROW:
                self._handed_back = 0
                self.set_aside("keeps_failing")

    # --- what it does by itself ---

    def failed(self, error: MissionFailed | Unreachable) -> None:
        """It tries again in a moment; a person is told when that has not helped."""
        if isinstance(error, MissionCancelled):
            return
        self._failed += 1
        if self._failed == FAILS_IN_A_ROW:
            why = reason_of(error).code
            self._alerts.open("keeps_failing", Severity.HIGH, vehicle=self._vehicle, why=why)

    def succeeded(self) -> None:
        """What it has tried is done."""
        if self._failed >= FAILS_IN_A_ROW:
            self._alerts.clear("keeps_failing", vehicle=self._vehicle)
        self._failed = 0

    # --- tasks ---

    def made_stop(self) -> None:
        """It does not fail one task after the other."""
        self._handed_back = 0

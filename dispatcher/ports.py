"""What the doors for people (API, live link) need of the dispatcher, and no more."""

from collections.abc import Sequence
from typing import Protocol

from dispatcher.alerts import Alert
from dispatcher.errors import Refused
from dispatcher.feed import Feed
from dispatcher.intake import FieldFaults
from dispatcher.store import Store
from dispatcher.task import Priority, Task, TaskId
from dispatcher.task_in import TaskIn
from dispatcher.views import VehicleView
from fleet.clock import Clock
from fleet.vehicle import VehicleId
from routing.site import LaneId, Site


class Service(Protocol):
    """The dispatcher as its doors see it; `dispatcher.service` is the one there is.

    Everything that changes something returns when the change is on disk.
    """

    @property
    def site(self) -> Site:
        """Where all of it happens."""
        ...

    @property
    def clock(self) -> Clock:
        """Loop seconds and calendar."""
        ...

    @property
    def simulation(self) -> bool:
        """Whether the vehicles are simulated; screens say so."""
        ...

    @property
    def speed(self) -> float | None:
        """How many times as fast as the wall's its clock runs; None = nobody set a pace."""
        ...

    @property
    def store(self) -> Store:
        """For pages and timelines."""
        ...

    async def submit(self, request: TaskIn, *, key: str | None = None) -> Task:
        """Accept a task; the same key again gives the same task. Raises Refused."""
        ...

    async def submit_batch(
        self, requests: Sequence[TaskIn | FieldFaults], *, key: str | None = None
    ) -> list[Task | Refused]:
        """Accept many, with one answer for each row."""
        ...

    async def cancel(self, task: TaskId) -> Task:
        """Stop a task. Raises NotFound, IllegalMove."""
        ...

    async def prioritise(self, task: TaskId, priority: Priority) -> Task:
        """Change how urgent a task is. Raises NotFound, IllegalMove."""
        ...

    async def set_in_service(self, vehicle: VehicleId, on: bool) -> None:
        """Take a vehicle out of service after what it does now, or back in. Raises NotFound."""
        ...

    async def close_lane(self, lane: LaneId, *, until_s: float | None) -> None:
        """Let no vehicle into a lane, until a moment or for good. Raises NotFound."""
        ...

    async def open_lane(self, lane: LaneId) -> None:
        """Let vehicles in again. Raises NotFound."""
        ...

    def task(self, task: TaskId) -> Task:
        """A task that is open or has ended lately. Raises NotFound."""
        ...

    def open_tasks(self) -> list[Task]:
        """All tasks that have not ended."""
        ...

    def vehicles(self) -> list[VehicleView]:
        """All vehicles, as they are now."""
        ...

    def alerts(self) -> list[Alert]:
        """All alerts that are remembered, the oldest first."""
        ...

    async def acknowledge(self, alert: str, by: str) -> Alert:
        """Note who has seen an alert. Raises NotFound."""
        ...

    def subscribe(self) -> Feed:
        """All changes from now on."""
        ...

"""What the dispatcher keeps on disk of each mission it sends."""

from dataclasses import dataclass
from typing import Literal

from dispatcher.domain.task import TaskId
from fleet.mission import Mission, MissionId
from fleet.vehicle import VehicleId


@dataclass(frozen=True, slots=True, kw_only=True)
class MissionRecord:
    """One mission, written down before it is on the wire and again when it has ended.

    Args:
        purpose: what it is for: ``stop``, ``charge``, ``decontaminate``, ``park`` ...
        stop_index: which of the task's stops it goes to, from 0; -1 where it has none.
        state: ``sent`` until its vehicle has finished it or given it up.
    """

    id: MissionId
    vehicle: VehicleId
    task: TaskId | None
    purpose: str
    stop_index: int
    mission: Mission
    state: Literal["sent", "done", "failed"]
    at_s: float

"""Energy: what a vehicle stores, and what it uses to drive, fly, work and wait."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergySpec:
    """The energy of one vehicle.

    ``move_w`` is spent while it drives or flies on the level, on top of nothing else; ``idle_w``
    while it stands; ``work_w`` while it disinfects or otherwise works, on top of ``idle_w``.
    """

    capacity_wh: float
    idle_w: float
    move_w: float
    work_w: float = 0.0
    climb_w: float = 0.0
    """While climbing; aircraft only."""
    hover_w: float = 0.0
    """While hovering; aircraft only."""
    charge_w: float = 500.0
    reserve_ratio: float = 0.2
    """Share of the capacity that no plan may touch."""

    def trip_wh(self, *, move_s: float, idle_s: float = 0.0, work_s: float = 0.0) -> float:
        """Energy for a stretch of moving, waiting and working, in watt-hours."""
        joules = self.move_w * move_s + self.idle_w * (idle_s + work_s) + self.work_w * work_s
        return joules / 3600.0

    def charge_s(self, start_ratio: float, end_ratio: float) -> float:
        """Seconds on a charger from one share of the capacity to another."""
        return max(0.0, end_ratio - start_ratio) * self.capacity_wh * 3600.0 / self.charge_w

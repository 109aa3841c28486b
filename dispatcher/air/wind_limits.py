"""Which drones the wind keeps on the ground."""

from collections.abc import Sequence

from dispatcher.air.wind import SiteWind
from dispatcher.records.alerts import Alerts, Severity
from fleet.vehicle import VehicleId, VehicleSpec
from routing.refusal import Fact, Refusal

CALMER_M_S = 1.0
"""So far below a drone's limit the wind must fall before it may fly again."""
EACH_S = 5.0
"""How often limits are looked at."""


class WindLimits:
    """Whom the wind keeps on the ground: whose limit it is above.

    Nobody on the ground can tell that it has died down: once all words are older than
    `dispatcher.air.wind.KEPT_S`,
    the next drone tries.
    """

    def __init__(self, wind: SiteWind, specs: Sequence[VehicleSpec], alerts: Alerts) -> None:
        self._wind, self._alerts = wind, alerts
        self._limits = {s.id: s.wind_limit_m_s for s in specs if s.wind_limit_m_s is not None}
        self._grounded: dict[VehicleId, Refusal] = {}

    @property
    def any(self) -> bool:
        """Whether it keeps anybody on the ground."""
        return bool(self._grounded)

    def grounds(self, vehicle: VehicleId) -> Refusal | None:
        """Why a drone may not take off now; None = the wind lets it."""
        return self._grounded.get(vehicle)

    @property
    def told(self) -> bool:
        """Whether anybody has a limit."""
        return bool(self._limits)

    def look(self) -> bool:
        """Look at the wind; returns whether it keeps others on the ground than before."""
        known = self._wind.known
        speed_m_s = 0.0 if known is None else known.speed_m_s
        rounded_m_s = round(speed_m_s, 1)
        before, now = self._grounded, dict[VehicleId, Refusal]()
        for vehicle, limit_m_s in self._limits.items():
            if vehicle in before and speed_m_s > limit_m_s - CALMER_M_S:
                now[vehicle] = before[vehicle]
            elif speed_m_s > limit_m_s:
                facts: dict[str, Fact] = {"wind_m_s": rounded_m_s, "limit_m_s": limit_m_s}
                now[vehicle] = Refusal("wind_above_limit", facts)
        self._grounded = now
        if now and not before:
            least_m_s = min(self._limits[vehicle] for vehicle in now)
            self._alerts.open(
                "wind_above_limit", Severity.HIGH, wind_m_s=rounded_m_s, limit_m_s=least_m_s
            )
        elif before and not now:
            self._alerts.clear("wind_above_limit")
        return now.keys() != before.keys()

"""What ``wardline bench telemetry`` asks of each protocol, and what it gets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """So many vehicles, each of which says ``hz`` times a second how it is.

    Args:
        broker: host and port; None = no broker, where the protocol knows one.
    """

    vehicles: int
    hz: float
    seconds: float
    broker: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What it took to hear them.

    Args:
        cpu_share: processor time of the hearing process, of one core; 1.0 = all of it.
        lag_p50_ms: from the moment a vehicle speaks to the moment the roster's listeners have it.
        lost: messages that were said and never heard.
        per_s: messages heard, each second; less than asked for if the speakers had too little of
            the machine.
    """

    cpu_share: float
    lag_p50_ms: float
    lag_p99_ms: float
    lost: int
    per_s: float


def figures(lags_s: Sequence[float], *, said: int, cpu_s: float, wall_s: float) -> Figures:
    """The figures from what was measured.

    Args:
        lags_s: of each message that was heard; not empty.
    """
    return Figures(
        cpu_share=round(cpu_s / wall_s, 3),
        lag_p50_ms=_ms(lags_s, 50),
        lag_p99_ms=_ms(lags_s, 99),
        lost=said - len(lags_s),
        per_s=round(len(lags_s) / wall_s, 1),
    )


def _ms(lags_s: Sequence[float], percent: float) -> float:
    return round(float(np.percentile(lags_s, percent)) * 1000, 2)

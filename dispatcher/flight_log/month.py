"""The numbers of a month: what flew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add

from dispatcher.flight_log.log import Flight


@dataclass(frozen=True, slots=True, kw_only=True)
class Flown:
    """What some flights come to; such numbers may be added.

    Args:
        by_vehicle: minutes.
    """

    flights: int = 0
    minutes: float = 0.0
    kilometres: float = 0.0
    breaches: int = 0
    by_vehicle: Mapping[str, float] = field(default_factory=dict[str, float])

    def __add__(self, other: "Flown") -> "Flown":
        names = dict.fromkeys([*self.by_vehicle, *other.by_vehicle])
        return Flown(
            flights=self.flights + other.flights,
            minutes=self.minutes + other.minutes,
            kilometres=self.kilometres + other.kilometres,
            breaches=self.breaches + other.breaches,
            by_vehicle={
                name: self.by_vehicle.get(name, 0.0) + other.by_vehicle.get(name, 0.0)
                for name in names
            },
        )


def flown(flights: Sequence[Flight]) -> Flown:
    """What these flights come to."""
    return reduce(add, map(_alone, flights), Flown())


def _alone(flight: Flight) -> Flown:
    return Flown(
        flights=1,
        minutes=flight.minutes,
        kilometres=flight.metres / 1000,
        breaches=len(flight.breaches),
        by_vehicle={flight.vehicle: flight.minutes},
    )

"""What an instance of tours says: whom to visit when, and with which vehicles."""

from dataclasses import dataclass
from itertools import chain

from routing.instances.stops import Electric, Node


@dataclass(frozen=True, slots=True, kw_only=True)
class TourCase:
    """Customers with loads and time windows, vehicles in one depot.

    Args:
        vehicles: how many there are; None = any number.
        depot: its window is the vehicles' shift.
        jobs: what belongs together: one customer, or a pickup and its delivery.
        electric: what the vehicles' batteries can do; None = energy does not matter.
    """

    name: str
    vehicles: int | None
    capacity: float
    depot: Node
    jobs: tuple[tuple[Node, ...], ...]
    electric: Electric | None = None

    @property
    def customers(self) -> tuple[Node, ...]:
        """Whom to visit once each, pickups and deliveries alike."""
        return tuple(chain.from_iterable(self.jobs))

    @property
    def stations(self) -> tuple[Node, ...]:
        """Where batteries are filled."""
        return self.electric.stations if self.electric else ()

"""What tours are made of: nodes, and the batteries that get a vehicle from one to the next."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A depot, customer or station; its service begins in [ready, due].

    Args:
        demand: what a vehicle has more on board after it.
    """

    name: str
    x: float
    y: float
    demand: float
    ready: float
    due: float
    service: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Electric:
    """What vehicles on batteries can do: all are full at the start and after each station."""

    stations: tuple[Node, ...]
    capacity: float
    energy_per_distance: float
    time_per_energy: float
    speed: float

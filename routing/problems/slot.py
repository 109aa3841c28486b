"""Who can do it: vehicles as the plan sees them, their travel times, shifts and batteries."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.problems.request import Visit

Table = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Travel times and distances between all nodes for one kind of vehicle.

    Args:
        seconds: row = from, column = to; `routing.roads.paths.UNREACHABLE_S` where there is no way.
        metres: in the same shape.
        loaded_s: times with goods on board, where hygiene closes some ways; None = the same.
        washed_s: times over the best decontamination station, its service included; None = there
            is no station.
        washed_m: metres of those ways; together with ``washed_s`` or not at all.
    """

    seconds: Table
    metres: Table
    loaded_s: Table | None = None
    washed_s: Table | None = None
    washed_m: Table | None = None

    @classmethod
    def of(
        cls,
        seconds: NDArray[np.int64],
        metres: NDArray[np.int64] | None = None,
        loaded_s: NDArray[np.int64] | None = None,
        washed_s: NDArray[np.int64] | None = None,
        washed_m: NDArray[np.int64] | None = None,
    ) -> "Profile":
        """A profile from arrays; without metres, every second counts for a metre."""
        washed_m = washed_s if washed_m is None else washed_m
        return cls(
            seconds=_table(seconds),
            metres=_table(seconds if metres is None else metres),
            loaded_s=None if loaded_s is None else _table(loaded_s),
            washed_s=None if washed_s is None else _table(washed_s),
            washed_m=None if washed_m is None else _table(washed_m),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A pause that a vehicle takes where it stands, between two visits.

    It is taken before the first leg at whose beginning ``earliest_s`` has come, or, if the next
    service would end after ``latest_s``, before that leg, waiting until ``earliest_s``. After the
    last visit nothing has to be waited for.

    Args:
        latest_s: it must have begun by then; hard, as long as something can still be refused.
    """

    earliest_s: int
    latest_s: int
    duration_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """What a vehicle stores and uses, in whole joules (or any other unit of energy).

    Args:
        reserve_j: no plan goes below it, the way to a charger included.
        per_m_j: used for each metre driven.
        per_s_j: used for each second of waiting and service.
        charge_j_s: what a charger gives each second.
    """

    capacity_j: int
    now_j: int
    reserve_j: int = 0
    per_m_j: int = 0
    per_s_j: int = 0
    charge_j_s: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Charger:
    """A node where vehicles charge.

    Args:
        places: how many can charge there at a time.
        slots: which may; None = all.
        free_s: for each place, when it becomes free of whoever has it now; missing = free.
        full: who charges here stays until its battery is full.
    """

    node: int
    places: int = 1
    slots: tuple[int, ...] | None = None
    free_s: tuple[int, ...] = ()
    full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A vehicle as the plan sees it.

    Args:
        id: the vehicle's.
        profile: whose travel times are its own; index into ``Problem.profiles``.
        ready_s: when it will be free at its ``start`` node.
        end: node where the route must end; None = anywhere.
        shift_end_s: new work must be over by then, the drive to ``end`` included.
        range_m: metres that it may drive on all of the route.
        committed: visits that open its route, in this order; it has been told already.
        price: of using it at all.
        carried: classes of goods that it has carried since its last wash.
        breaks: in the order of time, apart from each other.
        battery: None = energy does not matter.
    """

    id: str
    profile: int
    start: int
    ready_s: int
    end: int | None = None
    capacity: tuple[int, ...] = ()
    shift_end_s: int | None = None
    range_m: int | None = None
    committed: tuple[Visit, ...] = ()
    price: int = 0
    carried: tuple[int, ...] = ()
    breaks: tuple[Break, ...] = ()
    battery: Battery | None = None


def _table(numbers: NDArray[np.int64]) -> Table:
    return tuple(tuple(row) for row in numbers.tolist())

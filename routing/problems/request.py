"""What is asked for: requests, their stops, and which goods may meet in a vehicle."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Visit:
    """One stop of one request: ``stop`` counts within the request, from 0."""

    request: str
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Somewhere a vehicle must be for a while.

    Args:
        node: row in the travel matrices.
        load: what the stop adds to the vehicle, per dimension of capacity; a drop-off's is
            negative. A request that wants the vehicle for itself takes all of one dimension;
            compartments are a dimension that counts them.
        latest_s: last moment to begin the service; hard.
        closed: spans ``(from, to)``, in order and apart, in which the service may not begin: it
            waits until ``to``. With ``earliest_s`` and ``latest_s`` that makes several windows.
    """

    node: int
    service_s: int = 0
    load: tuple[int, ...] = ()
    earliest_s: int = 0
    latest_s: int | None = None
    closed: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Stops that one vehicle makes: the first is the pickup, the others follow in any order.

    Args:
        fixed_order: the stops are made in their order; other requests may come in between.
        release_s: not begun before.
        due_s: the last stop should have ended by then; soft.
        late_weight: price of each second after ``due_s``.
        drop_penalty: price of leaving it unplanned.
        allowed: slots that may do it, by their numbers; None = all.
        aboard: slot that has its goods on board: all stops are drop-offs, only it can make them,
            and no window lets it off.
        last_slot: slot that had it in the last plan; another one costs ``Weights.change``.
        goods: row in the problem's `GoodsRules`; on board from the first stop to the last (from
            the start, if ``aboard``). None = no goods that the rules know.
    """

    id: str
    stops: tuple[Stop, ...]
    fixed_order: bool = False
    release_s: int = 0
    due_s: int | None = None
    late_weight: int = 10
    drop_penalty: int = 1_000_000
    allowed: tuple[int, ...] | None = None
    aboard: int | None = None
    last_slot: int | None = None
    goods: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsRules:
    """Which classes of goods may follow one another in a vehicle, and which may share it.

    Args:
        follow: row = carried since the last wash, column = taken on board now. False = the
            vehicle is washed on its way to the pickup (`Profile.washed_s`), with nothing on board.
        share: whether two classes may be on board together; symmetric.
    """

    follow: tuple[tuple[bool, ...], ...]
    share: tuple[tuple[bool, ...], ...]

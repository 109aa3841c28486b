"""The banker's rule: could all still finish, one after another, while the others stand still?

A vehicle finishes in its berth or at home; what it held until then is free for those after it. A
state in which all can finish is safe, and a grant that leads from one safe state to another never
makes vehicles wait for each other in a circle.

Source: Habermann, Communications of the ACM 12(7), 1969.
"""

from collections.abc import Collection
from operator import attrgetter

from dispatcher.traffic.claim import Claim
from dispatcher.traffic.resources import NOWHERE

_Left = tuple[int, Claim, int, int, int]
"""Who is not home yet: its bit, its claim, what it needs, what it holds, edges behind it."""

_stuck = attrgetter("stuck")


def count_lost(claims: Collection[Claim], occupied: int, *, halved: bool) -> int:
    """Those who could not get home any more, as a set of bits; 0 = the state is safe.

    Bit n: number n of ``claims``, as long as whoever is stuck stays so. Bits above all of these,
    in the same order: even once all move again. So those whom one that is stuck keeps from home
    don't get into each other's way meanwhile.

    Args:
        occupied: what any of them holds.
        halved: vehicles pass each other somewhere.
    """
    lost = _unable(claims, occupied, halved=halved, all_move=False)
    if any(map(_stuck, claims)):
        lost |= _unable(claims, occupied, halved=halved, all_move=True) << len(claims)
    return lost


def _unable(claims: Collection[Claim], occupied: int, *, halved: bool, all_move: bool) -> int:
    """Those who can't finish even one after another, as a set of bits.

    Where vehicles pass each other, two that have done so would each have to wait for the other
    to be out of its way home: there it is enough if they first get into a room on their way.
    """
    left: list[_Left] = []
    for number, claim in enumerate(claims):
        need = NOWHERE if claim.stuck and not all_move else claim.need_if_moving
        others = occupied & ~claim.held
        if need & others:
            left.append((1 << number, claim, need, claim.held, claim.granted))
        else:
            occupied = others | (claim.berth or claim.home)
    before = len(claims)
    while left:
        if len(left) == before:
            moved = _turn_in(left, occupied) if halved else None
            if moved is None:
                return sum(one[0] for one in left)
            occupied = moved
        before, rest = len(left), list[_Left]()
        for one in left:
            others = occupied & ~one[3]
            if one[2] & others:
                rest.append(one)
            else:
                occupied = others | (one[1].berth or one[1].home)
        left = rest
    return 0


def _turn_in(left: list[_Left], occupied: int) -> int | None:
    """Have one of these drive into the next room on its way, where it is in nobody's way.

    Returns:
        What is occupied then; None = nobody can.
    """
    for number, (bit, claim, need, held, index) in enumerate(left):
        needs = claim.needs
        turn = next((t for t in needs.turns if t[0] >= index and t[1] != held), None)
        if turn is None or need == NOWHERE:
            continue
        end, ground = turn
        others = occupied & ~held
        if any(mask & others for mask in needs.path[index:end]):
            continue
        wanted = (one[2] for one in left if one[1] is not claim and one[2] != NOWHERE)
        if any(ground & need for need in wanted):
            continue
        left[number] = bit, claim, needs.path_on[end], ground, end
        return others | ground
    return None

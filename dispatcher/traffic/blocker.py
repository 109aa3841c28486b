"""Whose standing still it is, in the end, that keeps a vehicle from going on."""

from dispatcher.traffic.claim import Claim
from dispatcher.traffic.claims import Claims
from dispatcher.traffic.resources import NOWHERE


def blocker(claims: Claims, waiting: Claim) -> Claim | None:
    """The nearest one in the chain of those who wait for one another that can't move at all.

    None = all in that chain can move, so it is a matter of time.
    """
    seen, queue = [waiting], [waiting]
    while queue:
        here = queue.pop(0)
        for claim in in_the_way(claims, here):
            if claim.stuck:
                return claim
            if claim not in seen:
                seen.append(claim)
                queue.append(claim)
    return None


def in_the_way(claims: Claims, claim: Claim) -> list[Claim]:
    """Who holds what a vehicle asks for in vain; nobody if it asks for nothing."""
    if claim.wish or not claim.held_up:
        return claims.holding(claim, claim.wish)
    holding = claims.holding(claim, claims.next_need(claim))
    if holding or claim.need == NOWHERE:
        return holding
    return claims.holding(
        claim, claim.need
    )  # free, but not safe: somebody is in the way further on

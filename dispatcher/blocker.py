"""Whose standing still it is, in the end, that keeps a vehicle from going on."""

from dispatcher.claims import Claim, Claims


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
    """Who holds what a vehicle waits for; nobody if it does not wait."""
    if claim.wish:
        wanted = claim.wish
    elif claim.waiting and claim.granted <= claim.passed:
        wanted = claims.next_need(claim)
        if not any(one.held & wanted for one in claims.everyone() if one is not claim):
            wanted = claim.need  # free, but not safe: somebody is in the way further on
    else:
        return []
    return [one for one in claims.everyone() if one is not claim and one.held & wanted]

"""Who can't move and is why others wait, directly or over others."""

from dispatcher.traffic.blocker import blocker
from routing.site import NodeId
from tests.dispatcher.traffic.test_claims import CORRIDOR, Floor, site


def test_it_is_found_behind_those_who_only_wait() -> None:
    floor = Floor(site([("h2", "a"), *CORRIDOR]), ["h0", "h1", "h2"])
    broken, middle, last = floor.fleet
    for claim, stand, goal in ((broken, "c", "c"), (middle, "b", "d"), (last, "a", "c")):
        floor.claims.stop(claim, NodeId(stand), ())
        floor.claims.force(claim, floor.way(stand, goal), ())
    assert floor.claims.holders(last) == ["v1"]
    assert blocker(floor.claims, last) is None, "all can move"
    floor.claims.set_stuck(broken, stuck=True)
    assert blocker(floor.claims, middle) is broken
    assert blocker(floor.claims, last) is broken
    assert blocker(floor.claims, broken) is None


def test_who_asks_in_vain_for_a_way_waits_for_whoever_is_on_it() -> None:
    floor = Floor(site(CORRIDOR), ["h0", "h1"])
    broken, other = floor.fleet
    assert floor.admit(broken, "room")
    while broken.stand != "c":
        assert floor.claims.grant(broken)
        floor.claims.pass_to(broken, broken.granted)
    floor.claims.set_stuck(broken, stuck=True)
    assert blocker(floor.claims, other) is None
    other.wish = floor.resources.way(floor.way("h1", "room"), other.ground)
    assert blocker(floor.claims, other) is broken

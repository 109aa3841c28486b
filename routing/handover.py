"""Where goods change over between drones and robots: a pad, and a place for robots beside it.

A robot never stands where a drone lands: it waits in a place with the role ``handover``, and people
(or a workcell) carry the goods over the few metres between both.
"""

from collections.abc import Mapping

from routing.site import Place, PlaceId, Role, Site

BESIDE_M = 30.0
"""A pad and its hand-over place are no farther apart, on one level: people carry goods across."""


def pad_beside(site: Site, place: Place) -> Place | None:
    """The pad that a hand-over place belongs to: the nearest one on its level; None = none."""
    here = site.nodes[place.node]
    near = [
        (site.nodes[pad.node].point.distance_m(here.point), pad)
        for pad in site.with_role(Role.PAD)
        if site.nodes[pad.node].level == here.level
    ]
    found = min(near, key=lambda one: one[0], default=None)
    return found[1] if found is not None and found[0] <= BESIDE_M else None


def handovers(site: Site) -> Mapping[PlaceId, PlaceId]:
    """The hand-over place of each pad that has one; of several, the first in the site file."""
    found: dict[PlaceId, PlaceId] = {}
    for place in site.with_role(Role.HANDOVER):
        pad = pad_beside(site, place)
        if pad is not None:
            found.setdefault(pad.id, place.id)
    return found

"""The hospital of the online replay: Riverside's clean side in numbers, and a fleet for it.

No robot drives here and no lift moves: the roads only say how long each way takes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files

import numpy as np

from routing.problems.problem import Profile
from routing.roads.paths import Roads, Rules
from routing.site import Node, NodeId, Place, Site, Zone
from routing.sites import site_yaml

SITE = "sites/riverside.yaml"
LEVELS = ("L1", "L2", "L3")
HOME = "bay"
"""Kind of the places where robots begin; nothing is brought there."""
LIFT_WAIT_S = 80
"""Added to each way from one level to another: a lift for all comes when it comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Make:
    """A make of robot.

    Args:
        capacity: grams, millilitres, open compartments, locked drawers.
        lamp: whether it disinfects.
    """

    speed_m_s: float
    width_m: float
    capacity: tuple[int, int, int, int]
    lamp: bool = False


CART = Make(speed_m_s=0.8, width_m=0.65, capacity=(120_000, 400_000, 4, 1))
CABINET = Make(speed_m_s=1.0, width_m=0.55, capacity=(25_000, 60_000, 2, 4))
LAMP = Make(speed_m_s=0.9, width_m=0.6, capacity=(0, 0, 0, 0), lamp=True)
MAKES = (CART, CABINET, LAMP)
FLEET = (CART, LAMP, CABINET, CART, CABINET, CART, CABINET, CART, CABINET, CART)
"""What each ten robots are; the first two can do everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hospital:
    """Where things are, and how long ways take.

    Args:
        profiles: one for each of `MAKES`; rows are places.
        rows: the rows of each kind of place, in the order of the site file.
    """

    profiles: tuple[Profile, ...]
    rows: Mapping[str, tuple[int, ...]]

    def fleet(self, robots: int) -> list[tuple[Make, int]]:
        """So many robots: what each is, and the row where it begins."""
        homes = self.rows[HOME]
        return [(FLEET[n % len(FLEET)], homes[n % len(homes)]) for n in range(robots)]


def load_hospital() -> Hospital:
    """The hospital from the site file that comes with Wardline."""
    with as_file(files("configs") / SITE) as file:
        site = site_yaml.load(file)
    places = [place for place in site.places.values() if _taken(site.nodes[place.node])]
    return Hospital(
        profiles=tuple(_profile(site, places, make) for make in MAKES),
        rows={
            kind: tuple(row for row, place in enumerate(places) if place.kind == kind)
            for kind in dict.fromkeys(place.kind for place in places)
        },
    )


def _taken(node: Node) -> bool:
    return node.level in LEVELS and node.zone is Zone.CLEAN


def _profile(site: Site, places: Sequence[Place], make: Make) -> Profile:
    roads = Roads(site, Rules(speed_m_s=make.speed_m_s, width_m=make.width_m, kind="cart"))
    nodes: list[NodeId] = [place.node for place in places]
    levels = np.array([LEVELS.index(site.nodes[node].level) for node in nodes])
    waits = LIFT_WAIT_S * (levels[:, None] != levels[None, :])
    return Profile.of(roads.matrix(nodes) + waits, roads.distances(nodes))

"""Small nets, drawn by hand and by lot."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from hypothesis import strategies as st

from routing.traffic.spacetime import Hop, Net, Span, gaps_between

LANES = 100
"""Lanes are numbered from here on."""


def both_ways(*lanes: tuple[int, int, int], first_lane: int = LANES) -> list[Hop]:
    """Hops in both directions for lanes ``(a, b, nominal_ms)``; each excludes its opposite."""
    return [
        Hop(start, end, ms, first_lane + number)
        for number, (a, b, ms) in enumerate(lanes)
        for start, end in ((a, b), (b, a))
    ]


def corridor_with_bay() -> Net:
    """Rooms 0 and 4 at the ends of a one-lane corridor 1-2-3; in the middle a bay, 5."""
    lanes = both_ways((0, 1, 1000), (1, 2, 1000), (2, 3, 1000), (3, 4, 1000), (2, 5, 1000))
    return Net(lanes, rooms=[0, 4])


def overlaps(spans: Iterable[Span]) -> bool:
    """Whether two of them share a moment."""
    ordered = sorted(spans)
    return any(first[1] > then[0] for first, then in pairwise(ordered))


def free_from(table: Mapping[int, Sequence[Span]]) -> "_Free":
    """When all is free, from a table of what others hold; what is not in it always is."""
    return _Free(table)


class _Free:
    def __init__(self, table: Mapping[int, Sequence[Span]]) -> None:
        self._table = table

    def __call__(self, resource: int) -> Sequence[Span]:
        return gaps_between(self._table.get(resource, ()))


@st.composite
def nets(draw: st.DrawFn) -> Net:
    """A tree of corridor nodes with a few more lanes, and a room at each; some lanes shared."""
    nodes = draw(st.integers(2, 5))
    ms = st.integers(1, 5).map(lambda s: 1000 * s)
    lanes = [(draw(st.integers(0, node - 1)), node, draw(ms)) for node in range(1, nodes)]
    more = draw(
        st.lists(st.tuples(st.integers(0, nodes - 1), st.integers(0, nodes - 1)), max_size=3)
    )
    lanes += [(a, b, draw(ms)) for a, b in more if a != b]
    hops = both_ways(*lanes)
    if draw(st.booleans()):  # all of the first two lanes are one lift
        hops = [Hop(h.start, h.end, h.nominal_ms, max(h.lane, LANES + 1)) for h in hops]
    rooms = range(nodes, 2 * nodes)
    doors = both_ways(*((room, room - nodes, draw(ms)) for room in rooms), first_lane=2 * LANES)
    return Net([*hops, *doors], rooms)

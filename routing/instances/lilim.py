"""PDPTW as Li and Lim write it: as Solomon, and each load goes from its pickup to its delivery.

Source: https://www.sintef.no/projectweb/top/pdptw/ (the form of all its files).
"""

from collections.abc import Mapping

from routing.instances.lines import Line, enough, lines_of
from routing.instances.solomon import check_names, node_of
from routing.instances.stops import Node
from routing.instances.tours import TourInstance
from routing.instances.whole import LARGEST_LOAD

FLEET = ("number of vehicles", "capacity", "speed")
COLUMNS = (
    *("number", "x", "y", "demand", "ready time", "due date", "service time"),
    *("pickup", "delivery"),
)
PICKUP, DELIVERY = 7, 8
ANY_LOAD = (-LARGEST_LOAD, LARGEST_LOAD)


def read_lilim(text: str, source: str, name: str) -> TourInstance:
    """The instance in a file; the speed is not used (it says 0 in some).

    Raises:
        InstanceError: it can't be used.
    """
    lines = lines_of(text, source)
    enough(lines, 4, "a depot, a pickup and a delivery")
    fleet = lines[0].of(*FLEET)
    rows = [line.of(*COLUMNS) for line in lines[1:]]
    check_names(rows, COLUMNS[0])
    by_name = {line.words[0]: line for line in rows[1:]}
    nodes = {name: node_of(line, demand=ANY_LOAD) for name, line in by_name.items()}
    pairs = [_pair(line, by_name, nodes) for line in by_name.values()]
    return TourInstance(
        name=name,
        vehicles=fleet.whole(0, FLEET[0], 1, 1_000_000),
        capacity=fleet.real(1, FLEET[1], 0, LARGEST_LOAD),
        depot=node_of(rows[0], demand=(0, 0)),
        jobs=tuple(pair for pair in pairs if pair is not None),
    )


def _pair(
    line: Line, by_name: Mapping[str, Line], nodes: Mapping[str, Node]
) -> tuple[Node, Node] | None:
    """The pickup in this line and its delivery; None = this is a delivery, and its pickup knows."""
    name, other = line.words[0], _other(line)
    partner = by_name.get(other)
    if partner is None or other == name:
        raise line.wrong(f"the other end of {name} is {other}, and there is no such node")
    is_pickup = line.words[DELIVERY] != "0"
    if _other(partner) != name or (partner.words[DELIVERY] != "0") == is_pickup:
        raise line.wrong(f"{name} names {other}, but line {partner.number} does not name it back")
    if not is_pickup:
        return None
    if nodes[name].demand < 0 or nodes[other].demand != -nodes[name].demand:
        loads = f"{nodes[name].demand:g} and {nodes[other].demand:g}"
        raise line.wrong(f"pickup {name} and delivery {other} have loads of {loads}")
    return nodes[name], nodes[other]


def _other(line: Line) -> str:
    """The node at the other end of what is picked up or delivered here."""
    named = {line.words[PICKUP], line.words[DELIVERY]} - {"0"}
    if len(named) != 1:
        raise line.wrong(f"node {line.words[0]} is neither a pickup nor a delivery, or both")
    return named.pop()

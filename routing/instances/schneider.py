"""E-VRPTW as Schneider, Stenger and Goeke write it: tours on batteries that stations fill.

Source: Transportation Science 48(4), 2014; the form of their files.
"""

from itertools import takewhile
from math import dist

from routing.instances.lines import FETCH, Line, enough, lines_of
from routing.instances.solomon import check_names, node_of
from routing.instances.stops import Electric, Node
from routing.instances.tours import TourInstance
from routing.instances.whole import LARGEST_LOAD, LARGEST_TIME

COLUMNS = ("name", "kind", "x", "y", "demand", "ready time", "due date", "service time")
DEPOT, STATION, CUSTOMER = "d", "f", "c"
LIMITS = {
    "Q": ("battery capacity Q", 0.0, 1e6),
    "C": ("load capacity C", 0.0, LARGEST_LOAD),
    "r": ("consumption rate r", 0.0, 100.0),
    "g": ("inverse refueling rate g", 0.0, 1e6),
    "v": ("velocity v", 1e-6, 1e6),
}


def read_schneider(text: str, source: str, name: str) -> TourInstance:
    """The instance in a file; vehicles may be as many as there are customers.

    Raises:
        InstanceError: it can't be used.
    """
    lines = lines_of(text, source)
    enough(lines, 3, "a depot and a customer")
    rows = list(takewhile(lambda line: "/" not in "".join(line.words), lines[1:]))
    numbers = _numbers(lines[1 + len(rows) :], lines[-1])
    check_names([line.of(*COLUMNS) for line in rows], COLUMNS[0], first=None)
    nodes = {DEPOT: list[Node](), STATION: list[Node](), CUSTOMER: list[Node]()}
    for line in rows:
        kind = line.words[1]
        if kind not in nodes:
            raise line.wrong(f"kind {kind!r} is none of d (depot), f (station), c (customer)")
        demand = (0, LARGEST_LOAD) if kind == CUSTOMER else (0, 0)
        nodes[kind].append(node_of(line, demand=demand, name=line.words[0], skip=2))
    if len(nodes[DEPOT]) != 1 or not nodes[CUSTOMER]:
        what = f"{len(nodes[DEPOT])} depots and {len(nodes[CUSTOMER])} customers"
        raise rows[-1].wrong(what, "take an instance with one depot and some customers")
    depot = nodes[DEPOT][0]
    _check_hours(rows, nodes[STATION], depot)
    _check_pace(rows[-1], [node for row in nodes.values() for node in row], numbers["v"])
    return TourInstance(
        name=name,
        vehicles=None,
        capacity=numbers["C"],
        depot=depot,
        jobs=tuple((customer,) for customer in nodes[CUSTOMER]),
        electric=Electric(
            stations=tuple(nodes[STATION]),
            capacity=numbers["Q"],
            energy_per_distance=numbers["r"],
            time_per_energy=numbers["g"],
            speed=numbers["v"],
        ),
        numbered=False,
    )


def _numbers(lines: list[Line], last: Line) -> dict[str, float]:
    """What vehicles can do, from lines such as ``r fuel consumption rate /1.0/``."""
    found: dict[str, float] = {}
    for line in lines:
        key, number = line.words[0], line.words[-1].strip("/")
        if key in LIMITS:
            bare = Line(line.source, line.number, (number,))
            found[key] = bare.real(0, *LIMITS[key])
    for key, (what, _, _) in LIMITS.items():
        if key not in found:
            raise last.wrong(f"the file ends here, without a line for its {what}", FETCH)
    return found


def _check_hours(rows: list[Line], stations: list[Node], depot: Node) -> None:
    """Complain of a station that is shut at times when vehicles are out."""
    for station in stations:
        if station.ready > depot.ready or station.due < depot.due:
            line = next(row for row in rows if row.words[0] == station.name)
            raise line.wrong(
                f"station {station.name} has hours of its own, which can't be planned for",
                "give it the depot's hours",
            )


def _check_pace(last: Line, nodes: list[Node], speed: float) -> None:
    """Complain of vehicles so slow that times get too large for whole numbers."""
    xs, ys = [node.x for node in nodes], [node.y for node in nodes]
    longest = dist((min(xs), min(ys)), (max(xs), max(ys))) / speed
    if longest > LARGEST_TIME:
        raise last.wrong(f"at velocity {speed:g} a way may take {longest:.3g}", "correct it below")

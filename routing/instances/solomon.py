"""VRPTW as Solomon and Gehring and Homberger write it: load and time windows.

Source: https://www.sintef.no/projectweb/top/vrptw/ (the form of all its files).
"""

from routing.instances.lines import Line, enough, lines_of
from routing.instances.stops import Node
from routing.instances.tours import TourInstance
from routing.instances.whole import LARGEST_COORDINATE, LARGEST_LOAD, LARGEST_TIME

FLEET = ("number of vehicles", "capacity")
COLUMNS = ("number", "x", "y", "demand", "ready time", "due date", "service time")


def read_solomon(text: str, source: str, name: str) -> TourInstance:
    """The instance in a file.

    Raises:
        InstanceError: it can't be used.
    """
    lines = lines_of(text, source)
    heads = [n for n, line in enumerate(lines) if line.words[0].upper() == "VEHICLE"]
    at = heads[0] if heads else 0
    enough(lines, at + 7, "vehicles, a depot and a customer")
    fleet = lines[at + 2].of(*FLEET)
    vehicles = fleet.whole(0, FLEET[0], 1, 1_000_000)
    capacity = fleet.real(1, FLEET[1], 0, LARGEST_LOAD)
    rows = [line.of(*COLUMNS) for line in lines[at + 5 :]]
    check_names(rows, COLUMNS[0])
    depot = node_of(rows[0], demand=(0, 0))
    customers = [node_of(row) for row in rows[1:]]
    return TourInstance(
        name=name,
        vehicles=vehicles,
        capacity=capacity,
        depot=depot,
        jobs=tuple((customer,) for customer in customers),
    )


def node_of(
    line: Line,
    *,
    demand: tuple[float, float] = (0, LARGEST_LOAD),
    name: str | None = None,
    skip: int = 1,
) -> Node:
    """The node in a line whose columns, ``skip`` of them skipped, go from x to service time.

    Args:
        demand: the least and most that it may have.
        name: None = the number in the first column.
    """
    real = line.real
    x = real(skip, "x", -LARGEST_COORDINATE, LARGEST_COORDINATE)
    y = real(skip + 1, "y", -LARGEST_COORDINATE, LARGEST_COORDINATE)
    ready = real(skip + 3, "ready time", 0, LARGEST_TIME)
    return Node(
        name=str(line.whole(0, "number", 0, 1_000_000)) if name is None else name,
        x=x,
        y=y,
        demand=real(skip + 2, "demand", *demand),
        ready=ready,
        due=real(skip + 4, "due date", ready, LARGEST_TIME),
        service=real(skip + 5, "service time", 0, LARGEST_TIME),
    )


def check_names(lines: list[Line], what: str, first: str | None = "0") -> None:
    """Complain if two nodes have the same name, or the depot isn't called as it should."""
    if first is not None and lines[0].words[0] != first:
        raise lines[0].wrong(f"the first node is {lines[0].words[0]}, not the depot {first}")
    seen: dict[str, int] = {}
    for line in lines:
        before = seen.setdefault(line.words[0], line.number)
        if before != line.number:
            raise line.wrong(f"{what} {line.words[0]} is that of line {before} already")

"""What `wardline check` says of a scenario file."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from dispatcher.commands.checked import Checked
from dispatcher.errors import ConfigFault
from routing.errors import SiteError
from sim.scenario.config import NO_SITE, Scenario, load_scenario
from sim.scenario.demand import Order, demand

SEED = 1
"""Of the run that the summary counts the requests of."""


def check_scenario(file: Path) -> Checked:
    """Read a scenario and its site; one for any site is judged as far as it can be without."""
    what = f"scenario {file.stem}"
    try:
        scenario = load_scenario(file)
    except ConfigFault as error:
        if [fault.what for fault in error.faults] == [NO_SITE]:
            return Checked(what=what, warnings=error.faults)
        return Checked(what=what, faults=error.faults)
    except SiteError as error:
        return Checked(what=f"site of {file.name}", faults=error.faults)
    orders = demand(scenario, scenario.site, seed=SEED)
    return Checked(what=what, summary=_summary(scenario, orders), site=scenario.site)


def _summary(scenario: Scenario, orders: Sequence[Order]) -> list[tuple[str, str]]:
    vehicles = Counter(f"{vehicle.make} ({vehicle.kind})" for vehicle in scenario.vehicles)
    kinds = Counter(str(order.request["kind"]) for order in orders)
    broken = _broken(scenario)
    closed = [f"closed: {', '.join(closure.lanes)}" for closure in scenario.closures]
    alarms = [f"{one.asked.kind.value} at {one.at_s / 3600:g} h" for one in scenario.emergencies]
    calls = [f"{len(scenario.incidents)} incidents"] if scenario.incidents else []
    return [
        ("site", f"{scenario.site.id}, {scenario.site.name.en}"),
        ("start", scenario.start.isoformat()),
        ("duration", f"{scenario.duration_s / 3600:g} h"),
        ("vehicles", f"{len(scenario.vehicles)}: {_counted(vehicles)}"),
        ("requests", f"{len(orders)} with seed {SEED}: {_counted(kinds)}"),
        ("goes wrong", "; ".join([*broken, *closed, *alarms, *calls]) or "nothing"),
        ("expects", "; ".join(f"{e.name} {e.wanted}" for e in scenario.expect) or "nothing"),
    ]


def _broken(scenario: Scenario) -> list[str]:
    """What each line of ``faults:`` and ``crowds:`` comes to."""
    drawn = Counter((one.target, one.fault) for one in scenario.planned_faults(SEED))
    said: list[str] = []
    for row, ids in ((source.row, source.ids) for source in scenario.faults):
        who = ids[0] if len(ids) == 1 else f"{len(ids)} {row.target}s"
        what = f"{row.target} {who}: {row.word}" if len(ids) == 1 else f"{who}: {row.word}"
        if row.per_day is not None:
            many = drawn.pop((row.target, row.word), 0)
            what += f" {row.per_day:g} a day each" + (f" ({many} with seed {SEED})" if many else "")
        said.append(what)
    return said + [f"people on {len(crowd.lanes)} lanes" for crowd in scenario.crowds]


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{many} {what}" for what, many in counts.most_common())

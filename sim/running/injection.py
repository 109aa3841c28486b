"""Breaking things while a scenario runs, in the words of a scenario file."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from dispatcher.errors import ConfigFault
from routing.errors import Fault
from routing.sites.file import shape_faults
from routing.sites.marked_yaml import Marked
from sim.scenario.config import (
    REFERENCE,
    PlannedClosure,
    PlannedEmergency,
    PlannedIncident,
    Scenario,
    planned_closure,
    planned_emergency,
    planned_incident,
)
from sim.scenario.fault_checks import FaultCheck
from sim.scenario.fault_plan import FaultSource, PlannedFault, planned_faults
from sim.scenario.fault_rows import EventRow, FaultRow

NOW = {"at": "0s"}
UNMARKED = Marked(None, (), None)
"""No text, so no lines to name."""


def read_injection(
    words: Mapping[str, Any], scenario: Scenario, seed: int
) -> Sequence[PlannedFault] | PlannedClosure | PlannedEmergency | PlannedIncident:
    """What a row of ``faults:`` or ``events:`` without its ``at`` says; ``any`` means several.

    Args:
        words: the row's keys; ``lasts`` may be said for ``for``.
        seed: of what the row leaves to chance.

    Raises:
        ConfigFault: a scenario file with this row would be refused, for the same reasons.
    """
    row = {"for" if key == "lasts" else key: value for key, value in words.items()}
    model = EventRow if {"close_lane", "emergency", "incident"} & row.keys() else FaultRow
    if timed := [key for key in ("at", "per_day", "between") if key in row]:
        what = f"{timed[0]} is given"
        raise _refusal(Fault(0, what, "leave it out: what is injected happens now"))
    try:
        read = model.model_validate({**NOW, **row})
    except ValidationError as error:
        faults = shape_faults(error, model, UNMARKED, reference=REFERENCE)
        raise _refusal(*faults) from None
    wrong: list[Fault] = []
    models = dict(scenario.models)
    check = FaultCheck(scenario.site, scenario.vehicles, models, UNMARKED, wrong)
    sources: tuple[FaultSource, ...] = ()
    if isinstance(read, FaultRow):
        sources = check.sources([read], 0.0)
    else:
        check.events([read])
    if wrong:
        raise _refusal(*wrong)
    if isinstance(read, FaultRow):
        return planned_faults(sources, midnight_s=0.0, duration_s=0.0, seed=seed)
    if read.incident is not None:
        return planned_incident(read, 0.0)
    return planned_closure(read, 0.0) if read.close_lane else planned_emergency(read, 0.0)


def _refusal(*faults: Fault) -> ConfigFault:
    return ConfigFault(
        "inject", [replace(f, what=f.what.replace("the file", "it")) for f in faults]
    )

"""Breaking things while a scenario runs, in the words of a scenario file."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from dispatcher.errors import ConfigFault
from routing.errors import Fault
from routing.marked_yaml import Marked
from routing.site_file import shape_faults
from sim.config import (
    REFERENCE,
    EventRow,
    FaultRow,
    PlannedClosure,
    PlannedFault,
    Scenario,
    planned_closure,
    planned_fault,
    target_faults,
)

NOW = {"at": "0s"}
UNMARKED = Marked(None, (), None)
"""No text, so no lines to name."""


def read_injection(words: Mapping[str, Any], scenario: Scenario) -> PlannedFault | PlannedClosure:
    """What a row of ``faults:`` or ``events:`` without its ``at`` says.

    Args:
        words: the row's keys; ``lasts`` may be said for ``for``.

    Raises:
        ConfigFault: a scenario file with this row would be refused, for the same reasons.
    """
    row = {"for" if key == "lasts" else key: value for key, value in words.items()}
    model = EventRow if "close_lane" in row else FaultRow
    if "at" in row:
        raise _refusal(Fault(0, "at is given", "leave it out: what is injected happens now"))
    try:
        read = model.model_validate({**NOW, **row})
    except ValidationError as error:
        faults = shape_faults(error, model, UNMARKED, reference=REFERENCE)
        raise _refusal(*faults) from None
    faults, events = ([read], []) if isinstance(read, FaultRow) else ([], [read])
    wrong = target_faults(faults, events, scenario.vehicles, scenario.site, UNMARKED)
    if wrong:
        raise _refusal(*wrong)
    if isinstance(read, FaultRow):
        return planned_fault(read, 0.0)
    return planned_closure(read, 0.0)


def _refusal(*faults: Fault) -> ConfigFault:
    return ConfigFault(
        "inject", [replace(f, what=f.what.replace("the file", "it")) for f in faults]
    )

"""The instant actions that are new in version 3.0, as a simulated robot does them.

Source: VDA 5050 3.0.0, chapter 6.2.3.
"""

from fleet.vda5050.messages import Action, ActionStatus
from sim.vda5050_job import Job
from sim.vda5050_zones import ZoneBook

Ended = tuple[ActionStatus, str | None]

_DONE: Ended = (ActionStatus.FINISHED, None)


def do_at_once(action: Action, job: Job, zones: ZoneBook) -> Ended | None:
    """How an action ended; None where it is none of these."""
    match action.action_type:
        case "clearInstantActions":
            job.clear_instant()
            return _DONE
        case "enableZoneSet":
            return _ended(zones.enable(_text(action, "zoneSetId")))
        case "deleteZoneSet":
            return _ended(zones.delete(_text(action, "zoneSetId")))
        case "retry" | "skipRetry":
            return _ended(_again(job, _text(action, "actionId"), action.action_type == "retry"))
        case _:
            return None


def _again(job: Job, action_id: str, retry: bool) -> str | None:
    stumbled = job.stumbled
    if stumbled is None or stumbled.action_id != action_id:
        return f"{action_id} does not wait for that"
    job.stumbled = None
    if not retry:
        job.todo.popleft()
        job.note(stumbled, ActionStatus.FAILED, "given up")
    return None


def _ended(fault: str | None) -> Ended:
    return _DONE if fault is None else (ActionStatus.FAILED, fault)


def _text(action: Action, key: str) -> str:
    value = action.parameter(key)
    return value if isinstance(value, str) else ""

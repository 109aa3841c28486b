"""The instant actions of a simulated robot: what it does at once, whatever its order is.

Source: VDA 5050 2.1.0, chapter 6.8.1; 3.0.0, chapter 6.2.3.
"""

from collections.abc import Callable

from fleet.vda5050.error_types import ErrorType3
from fleet.vda5050.order_messages import Action
from fleet.vda5050.terms import ActionStatus
from sim.vda5050.job import Job
from sim.vda5050.memory import Memory
from sim.vda5050.rules import error
from sim.vda5050.zones import ZoneBook
from sim.world.bodies import GroundBody

Ended = tuple[ActionStatus, str | None]

_DONE: Ended = (ActionStatus.FINISHED, None)
_RUNNING: Ended = (ActionStatus.RUNNING, None)


class AtOnce:
    """Does instant actions as they come in.

    A cancellation and hibernation only begin here: who drives and acts ends them.

    Args:
        v3: whether the robot speaks version 3 of the standard.
        ask_factsheet: called when a factsheet is to be sent.
    """

    def __init__(
        self,
        body: GroundBody,
        memory: Memory,
        zones: ZoneBook,
        *,
        v3: bool,
        ask_factsheet: Callable[[], None],
    ) -> None:
        self._body, self._memory, self._zones = body, memory, zones
        self._v3, self._ask_factsheet = v3, ask_factsheet

    def do(self, action: Action) -> None:
        """Do one, unless it is known already; who hibernates minds only what wakes it."""
        memory = self._memory
        asleep = memory.asleep and action.action_type != "stopHibernation"
        if action.action_id in memory.job.instant or asleep:
            return
        memory.errors.instant_action = ()
        status, text = self._do(action)
        memory.job.note_instant(action, status, text)

    def _do(self, action: Action) -> Ended:
        memory = self._memory
        match action.action_type:
            case "stateRequest":
                return _DONE
            case "factsheetRequest":
                self._ask_factsheet()
                return _DONE
            case "startPause" | "stopPause":
                memory.paused = action.action_type == "startPause"
                return _DONE
            case "startCharging" | "stopCharging":
                return self._switch_charger(action.action_type == "startCharging")
            case "cancelOrder":
                return self._cancel(action)
            case "startHibernation" if self._v3:
                memory.cancels.append(action)
                return _RUNNING
            case "stopHibernation" if self._v3:
                memory.asleep = False
                return _DONE
            case _:
                known = _new_in_3(action, memory.job, self._zones) if self._v3 else None
                return known or self._unknown(action)

    def _cancel(self, action: Action) -> Ended:
        memory = self._memory
        order = action.parameter("orderId")
        means_ours = not self._v3 or order in (None, memory.job.order_id)
        if memory.job.active and means_ours:
            memory.cancels.append(action)
            return _RUNNING
        text = "no order to cancel"
        memory.errors.cancel = (
            error(ErrorType3.NO_ORDER_TO_CANCEL, text, actionId=action.action_id),
        )
        return ActionStatus.FAILED, text

    def _switch_charger(self, on: bool) -> Ended:
        if not on:
            self._body.disconnect_charger()
        elif not self._body.connect_charger():
            return ActionStatus.FAILED, "no charger here"
        return _DONE

    def _unknown(self, action: Action) -> Ended:
        text = f"cannot {action.action_type}"
        if self._v3:
            kind = ErrorType3.INVALID_INSTANT_ACTION
            self._memory.errors.instant_action = (error(kind, text, actionId=action.action_id),)
        return ActionStatus.FAILED, text


def _new_in_3(action: Action, job: Job, zones: ZoneBook) -> Ended | None:
    """How an action that is new in version 3.0 ended; None where it is none of these."""
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

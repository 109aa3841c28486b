"""Where a robot departs from the standard: each rule that it broke, how often, and what it did."""

import logging
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Final

from fleet.vehicle import Breach, Weight

log = logging.getLogger(__name__)

_LONGEST_DETAIL = 200


class Rule(StrEnum):
    """A rule of VDA 5050 that robots break; its words are in `WORDS`."""

    UNREADABLE = "unreadable"
    OVERSIZED = "oversized"
    REPEATED_HEADER = "repeated_header"
    CLOCK_OFF = "clock_off"
    NOT_A_NUMBER = "not_a_number"
    WRONG_NAME = "wrong_name"
    WRONG_VERSION = "wrong_version"
    UNKNOWN_MAP = "unknown_map"
    TWO_ROBOTS = "two_robots"
    SAYS_OFFLINE = "says_offline"
    WRONG_COUNT = "wrong_count"
    NEVER_EMPTIES = "never_empties"
    KEEPS_CANCELLED = "keeps_cancelled"
    FORGETS_RESULT = "forgets_result"
    REOPENS_ACTION = "reopens_action"
    HIDES_ACTION = "hides_action"
    REFUSES_REPEAT = "refuses_repeat"
    BEYOND_BASE = "beyond_base"
    FOREIGN_ORDER = "foreign_order"
    STRAY_ORDER = "stray_order"
    IGNORES_CANCEL = "ignores_cancel"
    IGNORES_ORDERS = "ignores_orders"
    IGNORES_ZONES = "ignores_zones"


WORDS: Final[dict[Rule, str]] = {
    Rule.UNREADABLE: "sends messages that can't be read",
    Rule.OVERSIZED: "sends messages that are far too long",
    Rule.REPEATED_HEADER: "sends different states with one headerId",
    Rule.CLOCK_OFF: "its timestamps are more than an hour off",
    Rule.NOT_A_NUMBER: "sends numbers that are none, or can't be",
    Rule.WRONG_NAME: "sends messages in another robot's name",
    Rule.WRONG_VERSION: "speaks another version of the protocol",
    Rule.UNKNOWN_MAP: "is on a map that is not known",
    Rule.TWO_ROBOTS: "two robots send under this one name",
    Rule.SAYS_OFFLINE: "goes on although its connection counts as broken",
    Rule.WRONG_COUNT: "lastNodeSequenceId does not fit lastNodeId",
    Rule.NEVER_EMPTIES: "lists nodes or actions that it is done with",
    Rule.KEEPS_CANCELLED: "lists its order after having cancelled it",
    Rule.FORGETS_RESULT: "drops finished actions while it still has the order",
    Rule.REOPENS_ACTION: "lists an action again that it has ended",
    Rule.HIDES_ACTION: "does not list an action of its order",
    Rule.REFUSES_REPEAT: "takes an order that is sent again for an error",
    Rule.BEYOND_BASE: "drives beyond its base",
    Rule.FOREIGN_ORDER: "took another order while it had ours",
    Rule.STRAY_ORDER: "has taken an order that is not ours",
    Rule.IGNORES_CANCEL: "does not take cancelOrder",
    Rule.IGNORES_ORDERS: "does not take the orders that it is sent",
    Rule.IGNORES_ZONES: "does not take zone sets",
}

REFUSED: Final = frozenset({Rule.WRONG_NAME, Rule.WRONG_VERSION, Rule.UNKNOWN_MAP})
"""What it says then is not taken in, or not acted on: nothing follows from it."""
GRAVE: Final = frozenset(
    {
        Rule.TWO_ROBOTS,
        Rule.BEYOND_BASE,
        Rule.FOREIGN_ORDER,
        Rule.STRAY_ORDER,
        Rule.IGNORES_CANCEL,
        Rule.IGNORES_ORDERS,
    }
)
"""Who does this can't be led: it gets no more work until a person lets it."""


class Conduct:
    """One robot's record.

    Args:
        now_s: this moment in loop seconds.
        noted: called when it breaks a rule for the first time, or a grave one once more.
    """

    def __init__(
        self, robot: str, now_s: Callable[[], float], noted: Callable[[], None] = lambda: None
    ) -> None:
        self._robot = robot
        self._now_s = now_s
        self._noted = noted
        self._breaches: dict[Rule, Breach] = {}
        self._told: tuple[Breach, ...] | None = ()
        self.notes = 0
        """How often it has broken any rule."""

    @property
    def breaches(self) -> tuple[Breach, ...]:
        """All rules that it has broken, in the order in which it first did; the same object
        for as long as nothing is added."""
        if self._told is None:
            self._told = tuple(self._breaches.values())
        return self._told

    def has(self, rule: Rule) -> bool:
        """Whether it has ever broken this rule."""
        return rule in self._breaches

    def note(self, rule: Rule, detail: str = "") -> None:
        """It has broken a rule, once more or for the first time."""
        known, now_s = self._breaches.get(rule), self._now_s()
        detail = detail[:_LONGEST_DETAIL]
        self._told = None
        self.notes += 1
        if known is not None:
            self._breaches[rule] = replace(
                known, count=known.count + 1, last_s=now_s, detail=detail or known.detail
            )
        else:
            self._breaches[rule] = Breach(
                rule=rule.value,
                words=WORDS[rule],
                weight=_weight(rule),
                count=1,
                first_s=now_s,
                last_s=now_s,
                detail=detail,
            )
            words = f"{WORDS[rule]}: {detail}" if detail else WORDS[rule]
            log.warning("not conformant: %s", words, extra={"robot": self._robot})
        if known is None or rule in GRAVE:
            self._noted()


def _weight(rule: Rule) -> Weight:
    if rule in GRAVE:
        return Weight.GRAVE
    return Weight.REFUSED if rule in REFUSED else Weight.BORNE

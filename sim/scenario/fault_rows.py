"""The lines of ``faults:``, ``crowds:`` and ``events:``, as people write them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, cast

from pydantic import BeforeValidator, Field, model_validator

from dispatcher.desks.incidents_in import IncidentIn
from fleet.config import Frozen
from fleet.vehicle import Medium
from sim.moments import ClockTime, Duration, Moment, Span
from sim.scenario.demand_rows import Word, Words

Target = Literal["vehicle", "link", "door", "lift", "workcell", "lane"]
TARGETS: tuple[Target, ...] = ("vehicle", "link", "door", "lift", "workcell", "lane")
FaultWord = Literal[
    "stop",
    "slow",
    "stuck_wheel",
    "battery",
    "silent",
    "reboot",
    "wrong_pose",
    "lost_pose",
    "wind",
    "gps_loss",
    "delay",
    "loss",
    "reorder",
    "jam",
    "fail",
    "blocked",
]


@dataclass(frozen=True, slots=True)
class FaultKind:
    """What one kind of fault is for.

    Args:
        needs: a key without which it says nothing, as one writes it.
        may: other keys that it understands.
        medium: whom it can befall; None = both.
        sudden: it is over as soon as it has come, so ``for`` says nothing.
    """

    needs: str = ""
    may: tuple[str, ...] = ()
    medium: Medium | None = None
    sudden: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys of its own."""
        needed = self.needs.partition(":")[0]
        return (needed, *self.may) if needed else self.may


_GROUND, _AIR = Medium.GROUND, Medium.AIR
KINDS: Mapping[Target, Mapping[FaultWord, FaultKind]] = {
    "vehicle": {
        "stop": FaultKind(medium=_GROUND),
        "slow": FaultKind("share: 0.5", medium=_GROUND),
        "stuck_wheel": FaultKind(may=("share",), medium=_GROUND),
        "battery": FaultKind("share: 0.5", sudden=True),
        "silent": FaultKind(),
        "reboot": FaultKind(),
        "wrong_pose": FaultKind("off_m: 3", medium=_GROUND),
        "lost_pose": FaultKind(medium=_GROUND),
        "wind": FaultKind("wind_m_s: 8", ("from_deg",), medium=_AIR),
        "gps_loss": FaultKind(medium=_AIR),
    },
    "link": {
        "delay": FaultKind("delay: 2s"),
        "loss": FaultKind("share: 0.2"),
        "reorder": FaultKind("share: 0.2"),
    },
    "door": {"stop": FaultKind(), "jam": FaultKind()},
    "lift": {"stop": FaultKind(), "jam": FaultKind()},
    "workcell": {"stop": FaultKind(), "fail": FaultKind(), "silent": FaultKind()},
    "lane": {"blocked": FaultKind()},
}
"""What can befall what; the first of each is meant where a line names none."""
_OWN_KEYS = ("share", "delay", "off_m", "wind_m_s", "from_deg")
_LASTS_BY_ITSELF: tuple[FaultWord, ...] = ("reboot",)


def _which(value: object) -> object:
    if value == "any":
        return {"anything": True}
    if isinstance(value, str | int | float):
        return {"ids": [value]}
    return {"ids": value} if isinstance(value, list) else value


class _WhichFile(Frozen):
    """Things to be meant: ``C1``, ``[C1, C2]``, ``{model: cart}``, ``{level: L1}``, ``any``."""

    ids: tuple[Word, ...] = ()
    model: Words | None = None
    level: Words | None = None
    anything: bool = False

    @model_validator(mode="after")
    def _one(self) -> "_WhichFile":
        if sum((bool(self.ids), self.model is not None, self.level is not None, self.anything)) > 1:
            raise ValueError("write an id, [ids], {model: cart}, {level: L1} or any")
        return self


Which = Annotated[_WhichFile, BeforeValidator(_which)]
WhichFile = _WhichFile


class FaultRow(Frozen):
    """Something that breaks: at a moment, or at random ones."""

    name: Word | None = None
    """Names its stream of chance; without it, what the line says does."""
    at: Moment | None = None
    per_day: Annotated[float, Field(ge=0, le=1440)] | None = None
    """At random moments, so often on average for each thing that is meant."""
    between: tuple[ClockTime, ClockTime] | None = None
    """With per_day: times of day outside of which nothing breaks."""
    vehicle: Which | None = None
    link: Which | None = None
    door: Which | None = None
    lift: Which | None = None
    workcell: Which | None = None
    lane: Which | None = None
    fault: FaultWord | None = None
    lasts: Annotated[Span | None, Field(alias="for")] = None
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    """Left of its speed (slow, stuck_wheel) or battery; or of the messages (loss, reorder)."""
    delay: Duration | None = None
    off_m: Annotated[float, Field(gt=0, le=1000)] | None = None
    wind_m_s: Annotated[float, Field(gt=0, le=40)] | None = None
    from_deg: Annotated[float, Field(ge=0, le=360)] | None = None
    """Compass bearing that the wind blows from; absent = drawn."""

    @model_validator(mode="after")
    def _fits(self) -> "FaultRow":
        if sum(getattr(self, word) is not None for word in TARGETS) != 1:
            raise ValueError("name one of vehicle, link, door, lift, workcell and lane")
        if (self.at is None) == (self.per_day is None):
            raise ValueError('say when by either at: "09:30" or per_day: 0.5')
        kinds = KINDS[self.target]
        if self.word not in kinds:
            raise ValueError(f"a {self.target} can have the faults {', '.join(sorted(kinds))}")
        self._check_keys(kinds[self.word])
        self._check_times(kinds[self.word])
        return self

    @property
    def target(self) -> Target:
        """What kind of thing breaks."""
        return next(word for word in TARGETS if getattr(self, word) is not None)

    @property
    def which(self) -> WhichFile:
        """Which of them."""
        return getattr(self, self.target)

    @property
    def word(self) -> FaultWord:
        """What befalls it."""
        if self.fault is None and self.target == "link":
            raise ValueError("say which fault a link has: delay, loss or reorder")
        return self.fault or next(iter(KINDS[self.target]))

    def _check_keys(self, kind: FaultKind) -> None:
        given = [key for key in _OWN_KEYS if getattr(self, key) is not None]
        needed = kind.needs.partition(":")[0]
        if needed and needed not in given:
            raise ValueError(f"{self.word} needs {kind.needs} (or so)")
        surplus = [key for key in given if key not in kind.keys]
        if surplus:
            raise ValueError(f"{self.word} has no {' and no '.join(surplus)}; leave that out")

    def _check_times(self, kind: FaultKind) -> None:
        if self.between is not None and self.per_day is None:
            raise ValueError("between goes with per_day")
        if kind.sudden and self.lasts is not None:
            raise ValueError(f"{self.word} comes at one moment; leave for: out")
        lasts_by_itself = kind.sudden or self.word in _LASTS_BY_ITSELF
        if self.per_day is not None and self.lasts is None and not lasts_by_itself:
            raise ValueError("what breaks at random is repaired after for: 5min to 30min (or so)")


def _chances(value: object) -> tuple[float, ...]:
    """A chance for each hour, from one for all day or from a list of 24."""
    chances = cast("list[object]", value) if isinstance(value, list) else [value] * 24
    found = [one for one in chances if isinstance(one, int | float) and 0 <= one <= 1]
    if len(found) != 24 or len(chances) != 24:
        raise ValueError("a chance is a number from 0 to 1, or a list of 24, by hour from midnight")
    return tuple(float(one) for one in found)


class CrowdRow(Frozen):
    """People in the way: whoever drives there now and then has to wait for somebody."""

    name: Word | None = None
    """Names its streams of chance; without it, what the line says does."""
    lanes: Which
    between: tuple[ClockTime, ClockTime] | None = None
    chance: Annotated[tuple[float, ...], BeforeValidator(_chances)]
    """For each drive along one lane, all day or by hour from midnight on."""
    delay: Duration
    """How long it takes on average."""


def _per_hour(value: object) -> tuple[float, ...]:
    """Rides in each hour of the day, from one number for all or from a list of 24."""
    rides = cast("list[object]", value) if isinstance(value, list) else [value] * 24
    found = [one for one in rides if isinstance(one, int | float) and 0 <= one <= 600]
    if len(found) != 24 or len(rides) != 24:
        raise ValueError("write rides in an hour, 0 to 600, or a list of 24, from midnight on")
    return tuple(float(one) for one in found)


class PassengersRow(Frozen):
    """People who ride in lifts."""

    name: Word | None = None
    """Names its streams of chance, one for each lift."""
    lifts: Which
    per_hour: Annotated[tuple[float, ...], BeforeValidator(_per_hour)]


class EventRow(Frozen):
    """One thing that people do: closing lanes, raising an emergency, or reporting an incident."""

    at: Moment
    close_lane: Words | None = None
    emergency: Literal["fire", "code_blue", "weather"] | None = None
    incident: IncidentIn | None = None
    building: Word | None = None
    """Of a fire; without it, all of the site burns."""
    level: Word | None = None
    zone: Literal["clean", "semi", "contaminated"] | None = None
    lanes: Words | None = None
    reason: Word | None = None
    """Of weather: why nothing flies."""
    lasts: Annotated[Duration | None, Field(alias="for")] = None

    @model_validator(mode="after")
    def _fits(self) -> "EventRow":
        if sum(one is not None for one in (self.close_lane, self.emergency, self.incident)) != 1:
            words = "emergency: fire, code_blue or weather, or incident: {place: gate}"
            raise ValueError(f"write close_lane: a lane or a list, or {words}")
        word = "close_lane" if self.incident is None else "incident"
        if self.emergency is None and self.where:
            raise ValueError(f"{word} has no {next(iter(self.where))}; leave that out")
        if self.incident is not None and self.lasts is not None:
            raise ValueError("incident has no for; write on_scene_s in it")
        return self

    @property
    def where(self) -> dict[str, object]:
        """Where an emergency is, in the words of the API."""
        words = {
            "building": self.building,
            "level": self.level,
            "zone": self.zone,
            "reason": self.reason,
        }
        given: dict[str, object] = {key: word for key, word in words.items() if word is not None}
        return given | ({} if self.lanes is None else {"lanes": self.lanes})

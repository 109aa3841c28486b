"""The contract of workcells: a handover happens once, whatever gets lost, and ends in words."""

import asyncio
import json
import logging
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import pytest

from fleet.bus import MemoryBus
from fleet.errors import HandoverFailed, HandoverUnsure, MissionCancelled
from fleet.facility import TOPICS
from fleet.workcell import Goods, Way, WorkcellState
from fleet.workcells import Workcells
from routing.site import Site, WorkcellId
from routing.sites import site_yaml
from sim.world.workcell import WorkcellMachine
from sim.world.world import World
from tests.fleet.alive import alive
from tests.fleet.mutations import mutated
from tests.folders import SMALL_SITES

CELL = WorkcellId("picker")
TOPIC = f"{TOPICS}/workcell/picker"
SITE = SMALL_SITES / "two_levels.yaml"
WORKCELL = """\
    workcells:
      picker: {name: Picker, does: [dispenses], handover_s: 20, limit_s: 100}
    doors:
"""


class LossyBus(MemoryBus):
    """Loses the next requests or states, and keeps all that was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = {"request": 0, "state": 0}
        self.asked: list[dict[str, object]] = []
        self.up = True

    @property
    def online(self) -> bool:
        """Whether the dispatcher's own connection is there."""
        return self.up

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        kind = topic.rpartition("/")[2]
        if kind == "request":
            self.asked.append(json.loads(payload))
        if self.lost[kind]:
            self.lost[kind] -= 1
            return
        await super().publish(topic, payload, qos=qos, retain=retain)


class Room:
    """A dispenser on a bus, and the dispatcher's hand on it."""

    def __init__(self, site: Site) -> None:
        self.site, self.bus, world = site, LossyBus(), World(site, seed=1)
        self.machine = WorkcellMachine(world, self.bus, site.workcells[CELL], frozenset())
        self.world, self.workcells = world, Workcells(self.bus, site)
        self.said: list[WorkcellState] = []
        self.bus.subscribe(f"{TOPIC}/state", self.hear)

    async def give(self, handover: str = "M-1", session: str = "C1") -> None:
        """Have one box handed over."""
        goods = Goods(what="box", kind="general", loads=(f"T-{handover}",), mass_kg=1.0)
        try:
            await self.workcells.hand_over(CELL, handover, session, Way.GIVE, goods)
        except (HandoverFailed, HandoverUnsure, MissionCancelled):
            self.workcells.acknowledge(CELL, handover, session)
            raise
        self.workcells.acknowledge(CELL, handover, session)

    def hear(self, _: str, payload: bytes) -> None:
        """Note what the workcell says, as far as it is sound."""
        with suppress(ValueError):
            self.said.append(WorkcellState.model_validate_json(payload))

    @property
    def given(self) -> list[str]:
        """The loads that have really changed hands."""
        return [load for _, load in self.machine.handed]

    def phases(self) -> tuple[str | None, str]:
        """What the workcell says that it is at."""
        said = self.said[-1]
        return said.handover, said.phase.value


@asynccontextmanager
async def room() -> AsyncGenerator[Room]:
    async with machine_room() as here, alive(here.workcells):
        yield here


@asynccontextmanager
async def machine_room() -> AsyncGenerator[Room]:
    """A room in which only the machine lives."""
    text = SITE.read_text().replace("    doors:\n", WORKCELL, 1)
    text = text.replace("joins: [a1], door", "joins: [a1], workcell: picker, door")
    here = Room(site_yaml.loads(text))
    async with alive(here.machine):
        yield here
        assert not any(here.world.violations.values()), list(here.world.incidents)


@asynccontextmanager
async def killed_at_work() -> AsyncGenerator[tuple[Room, Workcells]]:
    """A process that dies while the machine is at work, and the next one, which keeps that."""
    async with machine_room() as here:
        async with alive(here.workcells):
            asked = asyncio.create_task(here.give())
            await asyncio.sleep(5)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
        here.workcells = Workcells(here.bus, here.site)
        here.workcells.keep(["M-1"])
        async with alive(here.workcells):
            await asyncio.sleep(5)
            assert here.machine.serves("C1")
            yield here, here.workcells


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_it_hands_over_once_and_is_idle_again() -> None:
    async with room() as here:
        await here.give()
        assert now() == pytest.approx(20.0, abs=0.1)
        assert here.given == ["T-M-1"]
        await asyncio.sleep(1)
        assert here.phases() == (None, "idle")
        first = here.bus.asked[0]
        assert first["session"] == "C1"
        assert first["handover"] == "M-1"
        assert first["give"] == {
            "what": "box",
            "kind": "general",
            "loads": ["T-M-1"],
            "mass_kg": 1.0,
        }
        assert "take" not in first
        assert here.bus.asked[-1] == {"session": "C1", "handover": None, "over": "M-1"}
        sent = len(here.bus.asked)
        await asyncio.sleep(3600)
        assert len(here.bus.asked) == sent, "nothing is asked when nothing is wanted"


@pytest.mark.parametrize(("requests", "states"), [(2, 0), (0, 1), (0, 3), (1, 2), (3, 3)])
async def test_lost_messages_cost_time_and_no_second_box(requests: int, states: int) -> None:
    async with room() as here:
        await asyncio.sleep(1)
        here.bus.lost |= {"request": requests, "state": states}
        await here.give()
        assert here.given == ["T-M-1"]
        await asyncio.sleep(60)
        assert here.phases() == (None, "idle")


async def test_the_same_handover_again_is_known_to_be_done() -> None:
    """So it is after a restart, when nobody has written down that it was."""
    async with room() as here:
        await here.give()
        await here.give()
        assert here.given == ["T-M-1"]


async def test_another_process_joins_what_is_at_work() -> None:
    async with killed_at_work() as (here, _):
        await here.give()
        assert now() == pytest.approx(20.0, abs=0.1)
        assert here.given == ["T-M-1"]


async def test_what_nobody_wants_any_more_is_called_off_after_a_restart() -> None:
    async with killed_at_work() as (here, workcells):
        workcells.forget("M-1")
        await asyncio.sleep(1)
        assert not here.machine.serves("C1")
        await asyncio.sleep(60)
        assert here.given == []


async def test_the_second_vehicle_is_served_after_the_first_and_its_time_counts_from_then() -> None:
    async with room() as here:
        await asyncio.gather(*(here.give(f"M-{number}", f"C{number}") for number in range(1, 8)))
        assert here.given == [f"T-M-{number}" for number in range(1, 8)]
        assert now() == pytest.approx(140.0, abs=1.0)


async def test_one_that_fails_says_why() -> None:
    async with room() as here:
        here.machine.jam(on=True)
        with pytest.raises(HandoverFailed) as failed:
            await here.give()
        assert str(failed.value.reason) == "workcell_failed (workcell=picker, text=jammed)"
        here.machine.jam(on=False)
        await here.give("M-2")
        assert here.given == ["T-M-2"]


async def test_it_does_not_do_what_it_can_not() -> None:
    async with room() as here:
        goods = Goods(what="box", kind="general", loads=("T",), mass_kg=1.0)
        with pytest.raises(HandoverFailed, match="it does not do that"):
            await here.workcells.hand_over(CELL, "M-1", "C1", Way.TAKE, goods)


async def test_one_out_of_service_is_waited_for_until_its_limit() -> None:
    told: list[tuple[str, bool]] = []
    async with room() as here:
        here.workcells.on_service(lambda cell, serves: told.append((cell, serves)))
        here.machine.stop()
        await asyncio.sleep(1)
        assert str(here.workcells.why_not(CELL)) == "workcell_out_of_service (workcell=picker)"
        asked = asyncio.create_task(here.give())
        await asyncio.sleep(80)
        here.machine.repair()
        await asked
        assert here.given == ["T-M-1"]
        here.machine.stop()
        began_s = now()
        with pytest.raises(HandoverFailed, match="workcell_out_of_service"):
            await here.give("M-2")
        assert now() - began_s == pytest.approx(100, abs=1), "it says at once that it is over"
        assert told == [("picker", False), ("picker", True), ("picker", False)]


async def test_one_that_was_never_heard_is_given_up() -> None:
    async with room() as here:
        here.machine.cut(on=True)
        with pytest.raises(HandoverFailed, match="workcell_silent"):
            await here.give()
        assert now() == pytest.approx(130, abs=1)
        here.machine.cut(on=False)
        await asyncio.sleep(60)
        assert here.given == [], "it is over, whatever it hears later"


async def test_one_that_falls_silent_at_work_leaves_nobody_sure() -> None:
    async with room() as here:
        asked = asyncio.create_task(here.give())
        await asyncio.sleep(5)
        here.machine.cut(on=True)
        with pytest.raises(HandoverUnsure, match="workcell_unsure"):
            await asked
        assert here.given == ["T-M-1"], "it may well have done it"


async def test_no_conclusion_is_drawn_while_we_are_not_connected_ourselves() -> None:
    async with room() as here:
        here.bus.lost["state"] = 10**6
        asked = asyncio.create_task(here.give())
        await asyncio.sleep(1)
        here.bus.up, here.bus.lost["request"] = False, 10**6
        await asyncio.sleep(500)
        assert here.given == ["T-M-1"]
        assert not asked.done(), "it may have happened, and it has"
        here.bus.up, here.bus.lost = True, {"request": 0, "state": 0}
        await asked
        assert here.given == ["T-M-1"]


async def test_one_that_stops_half_way_leaves_nobody_sure() -> None:
    async with room() as here:
        asked = asyncio.create_task(here.give())
        await asyncio.sleep(5)
        here.machine.stop()
        with pytest.raises(HandoverUnsure, match="workcell_unsure"):
            await asked
        assert here.given == []


@pytest.mark.parametrize("after_s", [0.0, 5.0, 19.0])
async def test_what_is_broken_off_in_time_does_not_happen(after_s: float) -> None:
    async with room() as here:
        asked = asyncio.create_task(here.give())
        await asyncio.sleep(after_s)
        here.workcells.break_off(CELL, "M-1")
        with pytest.raises(MissionCancelled):
            await asked
        assert now() == pytest.approx(after_s, abs=1.0)
        await asyncio.sleep(60)
        assert here.given == []


async def test_what_is_broken_off_too_late_has_happened() -> None:
    async with room() as here:
        asked = asyncio.create_task(here.give())
        await asyncio.sleep(15)
        here.bus.lost["request"] = 1
        here.workcells.break_off(CELL, "M-1")
        await asked
        assert here.given == ["T-M-1"]


async def test_who_waits_for_its_turn_can_be_called_off() -> None:
    async with room() as here:
        first = asyncio.create_task(here.give("M-1", "C1"))
        second = asyncio.create_task(here.give("M-2", "C2"))
        await asyncio.sleep(5)
        here.workcells.break_off(CELL, "M-2")
        with pytest.raises(MissionCancelled):
            await second
        await first
        await asyncio.sleep(60)
        assert here.given == ["T-M-1"]


async def test_old_requests_that_come_late_change_nothing() -> None:
    """As a broker may deliver them again: the request, its end, and both once more."""
    async with room() as here:
        await here.give()
        old = [dict(one) for one in here.bus.asked]
        asked = asyncio.create_task(here.give("M-2"))
        await asyncio.sleep(5)
        for request in old:
            await here.bus.publish(f"{TOPIC}/request", json.dumps(request).encode())
        await asked
        await asyncio.sleep(60)
        assert here.given == ["T-M-1", "T-M-2"]


@pytest.mark.parametrize(
    "said",
    [
        b"[]",
        b"{",
        b'{"phase": "asleep"}',
        b'{"handover": 7}',
        b'{"reason": "\\ud800", "phase": "failed"}',
        b'{"ended": [{"handover": "M-1"}]}',
        b'{"reason": "' + b"x" * 70_000 + b'"}',
    ],
)  # fmt: skip
async def test_nonsense_is_counted_and_nothing_else(said: bytes) -> None:
    async with room() as here:
        asked = asyncio.create_task(here.give())
        await asyncio.sleep(5)
        await here.bus.publish(f"{TOPIC}/state", said)
        await here.bus.publish(f"{TOPICS}/workcell/elsewhere/state", b'{"phase": "done"}')
        await asked
        assert here.workcells.faulty == 1
        assert here.given == ["T-M-1"]


async def test_a_reason_is_made_fit_for_a_screen() -> None:
    async with room() as here:
        here.machine.cut(on=True)
        asked = asyncio.create_task(here.give())
        await asyncio.sleep(1)
        reason = "belt\n\x1b[31m stuck " + "x" * 500
        state = {"handover": "M-1", "session": "C1", "phase": "failed", "reason": reason}
        await here.bus.publish(f"{TOPIC}/state", json.dumps(state).encode(), retain=True)
        with pytest.raises(HandoverFailed) as failed:
            await asked
        text = str(failed.value.reason.facts["text"])
        assert text.startswith("belt [31m stuck x")
        assert len(text) == 200


async def test_a_workcell_that_never_goes_idle_is_not_talked_to_without_end() -> None:
    async with room() as here:
        here.machine.cut(on=True)
        state = {"handover": "M-0", "session": "C9", "phase": "done"}
        for _ in range(100):
            await here.bus.publish(f"{TOPIC}/state", json.dumps(state).encode(), retain=True)
            await asyncio.sleep(1)
        assert len(here.bus.asked) <= 11


async def test_mutilated_messages_hurt_nobody() -> None:
    """Whatever a workcell may say: it is read or counted, and the truth sets it right."""
    rng = random.Random(7)
    raised: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, why: raised.append(str(why)))
    logging.disable(logging.CRITICAL)
    async with room() as here:
        await here.give()
        await asyncio.sleep(1)
        true = [one.model_dump(mode="json") for one in here.said]
        for _ in range(1000):
            for topic in (f"{TOPIC}/state", f"{TOPIC}/request"):
                source = true if topic.endswith("state") else here.bus.asked[:1]
                await MemoryBus.publish(here.bus, topic, mutated(rng, rng.choice(source)))
        await asyncio.sleep(300)
        assert here.workcells.faulty > 100
        assert raised == []
        here.world.violations["cargo"] = 0
        before = len(here.given)
        await here.give("M-last")
        assert here.given[before:] == ["T-M-last"]
    logging.disable(logging.NOTSET)

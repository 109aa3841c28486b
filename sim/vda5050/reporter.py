"""What a simulated robot says, and when: a state at each change and every 30 s."""

import asyncio
from typing import Any

from msgspec import structs

from fleet.clock import Clock
from fleet.vda5050.state_messages import IntermediatePath, Load, RobotError, State
from routing.site import Site
from sim.vda5050.factsheet import STATE_INTERVAL_S
from sim.vda5050.memory import Memory
from sim.vda5050.outlook import SEEN, outlook
from sim.vda5050.roads import Roads, is_driven
from sim.vda5050.senses import Senses
from sim.vda5050.voice import Voice
from sim.vda5050.zones import ZoneBook
from sim.world.bodies import GroundBody

_COALESCE_S = 0.02


class Reporter:
    """Makes states out of what a robot knows, and sends them while its link is up."""

    def __init__(
        self,
        body: GroundBody,
        voice: Voice,
        senses: Senses,
        memory: Memory,
        site: Site,
        roads: Roads,
        zones: ZoneBook,
        clock: Clock,
    ) -> None:
        self._body, self._voice, self._senses, self._memory = body, voice, senses, memory
        self._site, self._roads, self._zones, self._clock = site, roads, zones, clock
        self._words = voice.words
        self._said = State(header_id=0, timestamp="")
        """The last state; what comes into it is our own, and not validated."""
        self._said_at = -1
        self._factsheets_due = 0

    def ask_factsheet(self) -> None:
        """Have a factsheet sent with the next state."""
        self._factsheets_due += 1

    async def run(self) -> None:
        """Report until cancelled; with the link cut, say the last will for the broker."""
        bell, voice = self._memory.report_bell, self._voice
        while True:
            rung = bell.rung
            if voice.down:
                until_s = voice.will_at_s()
                if until_s is not None and self._clock.now_s() >= until_s:
                    await voice.say_will()
                    continue
            else:
                await self._say_all()
                until_s = self._clock.now_s() + STATE_INTERVAL_S
                if self._memory.asleep:
                    await self._sleep()
            await bell.wait(rung, until_s)
            if bell.rung > rung:
                await asyncio.sleep(_COALESCE_S)  # what else changes goes into one message

    async def _sleep(self) -> None:
        """Say nothing until woken, or cut off."""
        bell = self._memory.report_bell
        await self._voice.say_asleep()
        while self._memory.asleep and not self._voice.down:
            await bell.wait(bell.rung)

    async def _say_all(self) -> None:
        await self._voice.say_hello()
        while self._factsheets_due:
            self._factsheets_due -= 1
            await self._voice.say_factsheet(self._body.spec)
        await self._voice.say_state(self._state())

    def _state(self) -> State:
        """What it says now."""
        news: dict[str, Any] = {
            **self._voice.headers.next("state"),
            "agv_position": self._senses.position(),
            "battery_state": self._senses.battery(),
            "errors": self._errors(),
            "safety_state": self._senses.safety(self._memory.e_stop),
            **(self._more() if self._words.v3 else {}),
        }
        rung = self._memory.report_bell.rung
        if self._said_at != rung:
            news |= self._work()
            self._said_at = rung
        self._said = structs.replace(self._said, **news)
        return self._said

    def _work(self) -> dict[str, Any]:
        """What only changes when the bell has rung."""
        memory, body = self._memory, self._body
        job = memory.job
        actions = job.action_states()
        return {
            "order_id": job.order_id,
            "order_update_id": job.update_id,
            "last_node_id": job.last_node_id,
            "last_node_sequence_id": job.last_sequence_id,
            "driving": body.driving,
            "paused": memory.paused,
            "new_base_request": job.wants_base,
            "operating_mode": memory.mode.value,
            "node_states": job.node_states(),
            "edge_states": job.edge_states(),
            "loads": tuple(Load(load_id=load) for load in body.loads),
            "action_states": actions if self._words.v3 else actions + job.instant_action_states(),
        }

    def _errors(self) -> tuple[RobotError, ...]:
        memory = self._memory
        errors = (*memory.errors.all(), *self._senses.errors(memory.e_stop))
        return tuple(self._words.error(fault) for fault in errors) if errors else ()

    def _more(self) -> dict[str, Any]:
        """What version 3 says besides."""
        return {
            "instant_action_states": self._memory.job.instant_action_states(),
            "zone_sets": self._zones.stored(),
            "zone_requests": self._zones.requests(),
            "edge_requests": (),
            "intermediate_path": self._outlook(),
        }

    def _outlook(self) -> IntermediatePath | None:
        ahead = [edge for edge in self._memory.job.edges if edge.released and is_driven(edge)]
        roads = [self._roads.road(edge) for edge in ahead[:SEEN]]
        return outlook(self._body, self._site, roads, self._clock.now())

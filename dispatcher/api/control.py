"""The API's routes for who commands a vehicle, what it is told at once, and the emergency stop."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from dispatcher.api.ports import Showing
from dispatcher.api.views import View
from dispatcher.desks.control_desk import ControlDesk, Order, Reply, Token, Told
from dispatcher.desks.task_in import Word, one_or_many
from fleet.clock import Clock
from fleet.vehicle import VehicleId

Ids = Annotated[
    tuple[Word, ...],
    Field(min_length=1, max_length=1000),
    BeforeValidator(one_or_many, json_schema_input_type=Word | list[Word]),
]


class _In(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TakeIn(_In):
    """Who wants to command it; by force only if who has it can't hand it over."""

    by: Word
    force: bool = False


class HandOverIn(_In):
    """Who has it, and who is to have it."""

    by: Word
    to: Word


class ByIn(_In):
    """Who says so."""

    by: Word


class OrderIn(_In):
    """What vehicles are to do at once."""

    order: Order
    vehicles: Ids
    by: Word


class StopIn(_In):
    """Whom to stop; without vehicles, all."""

    by: Word
    vehicles: Ids | None = None


class ControlOut(View):
    """Who commands a vehicle, and who holds it by an emergency stop."""

    vehicle: str
    holder: str | None
    since: datetime | None
    stopped_by: str | None


class ControlsOut(View):
    """All vehicles that somebody commands or has stopped."""

    control: list[ControlOut]


class ToldOut(View):
    """What one vehicle answered, and after how many seconds."""

    vehicle: str
    reply: Reply
    text: str
    after_s: float


class AnswersOut(View):
    """One answer for each vehicle."""

    answers: list[ToldOut]


def controls_out(service: Showing) -> list[ControlOut]:
    """Who commands what, as screens and programs see it."""
    tokens = {token.vehicle: token for token in service.tokens()}
    stopped, clock = service.stopped(), service.clock
    ids = dict.fromkeys((*tokens, *stopped))
    return [_control(id_, tokens.get(id_), stopped.get(id_), clock) for id_ in ids]


def _control(
    vehicle: VehicleId, token: Token | None, stopped_by: str | None, clock: Clock
) -> ControlOut:
    return ControlOut(
        vehicle=vehicle,
        holder=None if token is None else token.holder,
        since=None if token is None else clock.to_utc(token.since_s),
        stopped_by=stopped_by,
    )


def _answers(told: list[Told]) -> AnswersOut:
    return AnswersOut(
        answers=[
            ToldOut(vehicle=one.vehicle, reply=one.reply, text=one.text, after_s=one.after_s)
            for one in told
        ]
    )


def control_routes(service: Showing, desk: ControlDesk) -> APIRouter:
    """All routes of control. None needs an idempotency key: to say it twice changes nothing."""
    router = APIRouter(tags=["control"])

    def one(vehicle: str) -> ControlOut:
        found = {control.vehicle: control for control in controls_out(service)}
        nobody = ControlOut(vehicle=vehicle, holder=None, since=None, stopped_by=None)
        return found.get(vehicle, nobody)

    @router.get("/control")
    async def list_control() -> ControlsOut:
        """Who commands what; of all others nobody does."""
        return ControlsOut(control=controls_out(service))

    @router.post("/vehicles/{vehicle}/control/take")
    async def take_control(vehicle: str, asked: TakeIn) -> ControlOut:
        """Command it from now on; others watch."""
        await desk.take(VehicleId(vehicle), asked.by, force=asked.force)
        return one(vehicle)

    @router.post("/vehicles/{vehicle}/control/hand-over")
    async def hand_over(vehicle: str, asked: HandOverIn) -> ControlOut:
        """Have somebody else command it."""
        await desk.hand_over(VehicleId(vehicle), asked.by, asked.to)
        return one(vehicle)

    @router.post("/vehicles/{vehicle}/control/release")
    async def release_control(vehicle: str, asked: ByIn) -> ControlOut:
        """Command it no more."""
        await desk.release(VehicleId(vehicle), asked.by)
        return one(vehicle)

    @router.post("/control/order")
    async def command(asked: OrderIn) -> AnswersOut:
        """Hold, go on, come home or land; each vehicle answers, or is shown as not answering."""
        ids = [VehicleId(vehicle) for vehicle in asked.vehicles]
        return _answers(await desk.command(asked.order, asked.by, ids))

    @router.post("/control/recall-all")
    async def recall_all(asked: ByIn) -> AnswersOut:
        """Call home every drone in the air that nobody else commands."""
        return _answers(await desk.recall_all(asked.by))

    @router.post("/control/emergency-stop")
    async def emergency_stop(asked: StopIn) -> AnswersOut:
        """Stop vehicles where they are, whoever commands them, until a person ends it."""
        ids = None if asked.vehicles is None else [VehicleId(v) for v in asked.vehicles]
        return _answers(await desk.stop(asked.by, ids))

    @router.post("/control/emergency-stop/end")
    async def end_emergency_stop(asked: StopIn) -> AnswersOut:
        """A person has looked: they go on where they were stopped."""
        ids = None if asked.vehicles is None else [VehicleId(v) for v in asked.vehicles]
        return _answers(await desk.let_go(asked.by, ids))

    return router

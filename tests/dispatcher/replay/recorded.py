"""An hour of a ward, written down like a run: something to play back."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from dispatcher.desks.intake import parse
from dispatcher.domain.task import Task, TaskState
from dispatcher.domain.views import Activity
from dispatcher.records.alerts import Severity
from dispatcher.records.feed import Change
from dispatcher.replay.folder import JOURNAL
from dispatcher.replay.recording import FILE, Recording
from fleet.vehicle import Position, VehicleId
from routing.geometry import Point
from routing.site import LevelId
from sim import loops
from tests.dispatcher.ward import Ward

CART, OTHER = VehicleId("cart-1"), VehicleId("cart-2")
TOO_LATE_S = 1200.0


def an_hour(folder: Path, *, until_s: float = 3600.0, ends: bool = True) -> Path:
    """The folder of a run of the ward.

    At 10 min a task is asked for, at 15 it is begun, at 20 a cart drives east for 10 s and the
    other falls silent; at 30 the task is done, too late; at 40 there is a collision.

    Args:
        until_s: nothing is written down later.
        ends: whether the run says that it is over.
    """
    folder.mkdir(exist_ok=True)
    loops.run(_live(folder, until_s, ends=ends))
    return folder


async def _live(folder: Path, until_s: float, *, ends: bool) -> None:
    with (folder / FILE).open("w") as file, (folder / JOURNAL).open("w") as journal:
        ward = await Ward.open(vehicles=2, sink=lambda line: journal.write(line + "\n"))
        specs = [view.spec for view in ward.fleet.values()]
        recording = Recording(
            file.write, ward.site, ward.clock, specs, name="ward, seed 7", timezone="Asia/Shanghai"
        )
        ward.hub.listen(recording.changed)
        for view in ward.vehicles():
            recording.changed(Change(vehicle=view))
            recording.heard(view.spec.id, view.state)
        day = asyncio.create_task(_day(ward, recording), name="day")
        await asyncio.wait([day], timeout=until_s)
        day.cancel()
        await asyncio.wait([day])
        await ward.store.close()
        if ends:
            recording.close()


async def _day(ward: Ward, recording: Recording) -> None:
    await asyncio.sleep(600)
    due_at = ward.clock.to_utc(ward.clock.loop_s + TOO_LATE_S).isoformat()
    task = await ask(ward, kind="disinfection", room="icu", note="ring", due_at=due_at)
    await asyncio.sleep(300)
    await ward.move(task.id, TaskState.ASSIGNED)
    await ward.move(task.id, TaskState.UNDERWAY)
    ward.show(replace(ward.fleet[CART], activity=Activity.WORKING, tasks=(task.id,)))
    await asyncio.sleep(300)
    silent = replace(ward.fleet[OTHER].state, online=False, heard_at_s=ward.clock.now_s() - 30)
    ward.show(replace(ward.fleet[OTHER], state=silent, activity=Activity.OFFLINE))
    ward.book.open("vehicle_offline", Severity.HIGH, vehicle=OTHER)
    drive(ward, recording, 0.0, moving=True)
    await asyncio.sleep(10)
    drive(ward, recording, 10.0, moving=False)
    await asyncio.sleep(590)
    await ward.move(task.id, TaskState.DONE)
    ward.show(replace(ward.fleet[CART], activity=Activity.IDLE, tasks=()))
    await asyncio.sleep(600)
    recording.violated("collision", "cart-1 meets cart-2: node c1")
    await asyncio.sleep(1200)


async def ask(ward: Ward, **asked: Any) -> Task:
    """Somebody asks for a task."""
    request = parse(asked)
    assert not isinstance(request, list), request
    return await ward.submit(request)


def drive(ward: Ward, recording: Recording, x_m: float, *, moving: bool) -> None:
    """The first cart says that it is somewhere on the corridor."""
    position = Position(level=LevelId("L1"), point=Point(x_m, 0.0))
    state = replace(ward.fleet[CART].state, position=position, driving=moving)
    ward.fleet[CART] = replace(ward.fleet[CART], state=state)
    recording.heard(CART, state)

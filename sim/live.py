"""Scaled real time: dispatcher, console and simulator together, or the simulator's things alone."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import typer

from dispatcher.commands.serve import serve_app, until_told
from dispatcher.records.executors import Executors, solver_process, warm_up
from dispatcher.records.heap import settled
from fleet.clock import Clock
from sim import loops
from sim.moments import zone_of
from sim.running.scenario import Simulation
from sim.running.stage import Stage
from sim.running.wires import RealWires
from sim.scenario.config import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Addresses: of the console, the broker, and the drones' port; None = in this process."""

    host: str = "127.0.0.1"
    port: int = 8080
    broker: tuple[str, int] | None = None
    mavlink: tuple[str, int] | None = None


def live_until_told(
    scenario: Scenario,
    *,
    seed: int,
    speed: float,
    place: Place,
    database: str = "sqlite://",
    until_s: float | None = None,
) -> None:
    """Run all of it until SIGINT, SIGTERM or the scenario's end."""
    with ExitStack() as stack:
        disk = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="store"))
        solver = stack.enter_context(solver_process())
        warm_up(partial(typer.echo, err=True), solver)

        async def all_of_it() -> None:
            simulation = Simulation(
                scenario,
                seed=seed,
                wires=RealWires(place.broker, place.mavlink),
                database=database,
                speed=speed,
                executors=Executors(solver=solver),
                store_executor=disk,
            )
            await simulation.open()
            try:
                await _with_console(simulation, place, until_s)
            finally:
                await simulation.close()

        loops.run(until_told(all_of_it()), loops.ScaledLoop(speed))


async def _with_console(simulation: Simulation, place: Place, until_s: float | None) -> None:
    async with asyncio.TaskGroup() as group:
        running = group.create_task(simulation.run(until_s), name="simulation.run")
        await simulation.service.ready.wait()
        ready = asyncio.Event()
        zone = zone_of(simulation.scenario.start)
        web = serve_app(simulation.service, place.host, place.port, timezone=zone, ready=ready)
        door = group.create_task(web, name="web")
        await ready.wait()
        name = simulation.scenario.site.name.en
        typer.echo(f"{name}, simulated: http://{place.host}:{place.port}")
        with settled():
            await running
        door.cancel()


def bodies_until_told(scenario: Scenario, *, seed: int, place: Place) -> None:
    """Let a scenario's things live behind a broker and UDP ports until SIGINT or SIGTERM."""

    async def all_of_it() -> None:
        wires = RealWires(place.broker, place.mavlink)
        stage = Stage(scenario, Clock.starting(), wires, seed=seed)
        async with asyncio.TaskGroup() as group:
            group.create_task(wires.run(), name="wires")
            group.create_task(stage.run(), name="stage")
            typer.echo(f"{len(scenario.vehicles)} vehicles of {scenario.name} are there")

    asyncio.run(until_told(all_of_it()))

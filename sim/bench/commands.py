"""Hangs the benchmarks that need a simulated world into ``wardline bench``."""

from dispatcher.commands.bench import bench
from sim.bench.intake.command import intake
from sim.bench.online.command import online
from sim.bench.simulation.command import simulation
from sim.bench.telemetry.command import telemetry
from sim.bench.traffic.command import traffic


def register() -> None:
    """Hang them in, each once however often this is called."""
    for command in (online, traffic, simulation, telemetry, intake):
        if all(known.callback is not command for known in bench.registered_commands):
            bench.command()(command)

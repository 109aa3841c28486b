"""A scenario's vehicles and machines as simulated things behind real wires."""

import asyncio
import random
from collections.abc import Mapping

from fleet.clock import Clock
from fleet.config import VehicleConfig
from fleet.vehicle import VehicleId, VehicleSpec
from routing.site import LiftId, NodeId, Site, WorkcellId
from sim.mavlink.autopilot import AutopilotConfig, MavlinkAutopilot
from sim.mavlink.dock import DockMachine
from sim.running.effects import Targets
from sim.running.wires import Wires
from sim.scenario.config import Scenario
from sim.vda5050.robot import Vda5050Robot
from sim.world.machines import DoorMachine, LiftMachine, Passengers
from sim.world.multirotor import Multirotor
from sim.world.radio import Radio, RadioBus, RadioDatagrams
from sim.world.workcell import WorkcellMachine
from sim.world.world import World


class Stage:
    """Everything that would be hardware.

    Robots and machines speak on the stage's end of the bus, drones through their ports.
    """

    def __init__(self, scenario: Scenario, clock: Clock, wires: Wires, *, seed: int) -> None:
        self._site = scenario.site
        self._clock = clock
        self._seed = seed
        self._wires = wires
        self._bus = bus = wires.stage_bus
        self.world = World(scenario.site, seed=seed)
        self.doors = {
            door.id: DoorMachine(self.world, bus, door) for door in scenario.site.doors.values()
        }

        def clock_s() -> float:
            return scenario.midnight_s + clock.now_s() - clock.loop_s

        def people(lift: LiftId) -> Passengers | None:
            row = scenario.passengers.get(lift)
            if row is None:
                return None
            by_hour, name = row.per_hour, f"passengers:{row.name or ''}"
            return Passengers(
                rides_per_h=0.0, seed=seed, by_hour=by_hour, clock_s=clock_s, name=name
            )

        self.lifts = {
            lift.id: LiftMachine(self.world, bus, lift, passengers=people(lift.id))
            for lift in scenario.site.lifts.values()
        }
        self.workcells = {
            cell.id: WorkcellMachine(self.world, bus, cell, _spots(scenario.site, cell.id))
            for cell in scenario.site.workcells.values()
        }
        self.world.hindrances.expect(scenario.crowds, clock_s)
        self.radios: dict[VehicleId, Radio] = {}
        self.robots: dict[VehicleId, Vda5050Robot] = {}
        self.autopilots: dict[VehicleId, MavlinkAutopilot] = {}
        self.docks: dict[str, DockMachine] = {}
        for vehicle in scenario.vehicles:
            self._add(vehicle, vehicle.to_spec())

    @property
    def links(self) -> Mapping[VehicleId, Vda5050Robot | MavlinkAutopilot]:
        """The software of each vehicle."""
        return {**self.robots, **self.autopilots}

    @property
    def targets(self) -> Targets:
        """All that faults can be brought upon."""
        return Targets(
            world=self.world,
            robots=self.robots,
            autopilots=self.autopilots,
            radios=self.radios,
            doors=self.doors,
            lifts=self.lifts,
            workcells=self.workcells,
        )

    async def run(self) -> None:
        """Let all of it live until cancelled."""
        async with asyncio.TaskGroup() as group:
            for door in self.doors.values():
                group.create_task(door.run(), name=f"sim.door[{door.door.id}]")
            for lift in self.lifts.values():
                group.create_task(lift.run(), name=f"sim.lift[{lift.lift.id}]")
            for cell in self.workcells.values():
                group.create_task(cell.run(), name=f"sim.workcell[{cell.cell.id}]")
            for id_, dock in self.docks.items():
                group.create_task(dock.run(), name=f"sim.dock[{id_}]")
            for id_, radio in self.radios.items():
                group.create_task(radio.run(), name=f"sim.radio[{id_}]")
            for id_, link in self.links.items():
                group.create_task(link.run(), name=f"sim.vehicle[{id_}]")

    def _add(self, vehicle: VehicleConfig, spec: VehicleSpec) -> None:
        home = self._site.places[spec.home].node
        radio = Radio(random.Random(f"{self._seed}:link:{spec.id}"))
        self.radios[spec.id] = radio
        if vehicle.link.vda5050 is not None:
            body = self.world.add_ground(spec, home)
            self.robots[spec.id] = Vda5050Robot(
                body,
                RadioBus(self._bus, radio),
                vehicle.link.vda5050.spoken(),
                self._clock,
                self._site,
            )
        elif vehicle.link.mavlink is not None:
            speaks = vehicle.link.mavlink
            system_id = speaks.system_id
            config = AutopilotConfig(
                system_id=system_id,
                ground=(self._wires.ground_station,),
                autopilot=speaks.autopilot,
            )
            autopilot = MavlinkAutopilot(
                Multirotor(self.world, spec, home),
                RadioDatagrams(self._wires.drone(system_id), radio),
                config,
                self._site.frame,
                powered=vehicle.dock is None,
            )
            self.autopilots[spec.id] = autopilot
            if vehicle.dock is not None:
                self.docks[vehicle.dock] = DockMachine(
                    self._bus, vehicle.dock, autopilot, self._site.nodes[home].point
                )


def _spots(site: Site, cell: WorkcellId) -> frozenset[NodeId]:
    """Where vehicles stand for a workcell."""
    return frozenset(place.node for place in site.places.values() if place.workcell == cell)

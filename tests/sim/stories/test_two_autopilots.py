"""One drone flies ArduPilot and the other PX4, in one fleet, and nobody above notices."""

import asyncio
from pathlib import Path

import pytest

from dispatcher.desks.incidents_in import IncidentIn
from dispatcher.domain.incidents import IncidentState
from dispatcher.domain.task import TaskState
from fleet.vehicle import VehicleId
from tests.sim.hospital import MODELS, hospital
from tests.sim.storms.air_storm import SITE

D1, D2 = VehicleId("D1"), VehicleId("D2")
PARK = """\
  park:
    name: {en: Park, zh: 公园}
    kind: patrol
    outline: [[60, 60], [200, 60], [200, 200], [60, 200]]
"""
DRONES = """
vehicles:
  - {model: drone, ids: [D1], homes: [dock-1], docks: [dock-1], system_ids: [1], cruise_agl_m: [40]}
  - {model: px4, ids: [D2], homes: [dock-2], docks: [dock-2], system_ids: [2], cruise_agl_m: [60]}
"""
SLOW = """
faults:
  - {at: 1s, link: {model: drone}, fault: delay, delay: 0.2s, for: 24h}
  - {at: 1s, link: {model: px4}, fault: delay, delay: 0.2s, for: 24h}
  - {at: 1s, link: {model: drone}, fault: loss, share: 0.1, for: 24h}
  - {at: 1s, link: {model: px4}, fault: loss, share: 0.1, for: 24h}
"""


def mixed(folder: Path, more: str) -> Path:
    """A field with two docks, a drone with ArduPilot in the one, and one with PX4 in the other."""
    (folder / "site.yaml").write_text(SITE + PARK, encoding="utf-8")
    models = MODELS.replace("{mavlink: {}}", "{mavlink: {standby: true}}")
    drone = models[models.index("  drone:\n") :].replace("  drone:", "  px4:")
    px4 = drone.replace("standby: true", "standby: true, autopilot: px4")
    path = folder / "field.yaml"
    head = "# two drones\nscenario: field\nsite: site.yaml\nduration: 24h\n"
    path.write_text(head + models + px4 + DRONES + more, encoding="utf-8")
    return path


@pytest.mark.long
@pytest.mark.parametrize("more", ["", SLOW], ids=["clear", "slow"])
async def test_both_deliver_patrol_and_help(tmp_path: Path, more: str) -> None:
    async with hospital(mixed(tmp_path, more)) as place:
        pilots, bodies = place.simulation.stage.autopilots, place.world.aircraft
        said = {id_: pilot.config.autopilot for id_, pilot in pilots.items()}
        assert said == {D1: "ardupilot", D2: "px4"}
        await asyncio.sleep(120)
        assert all(vehicle.state.fit for vehicle in place.service.vehicles())
        flights = dict.fromkeys(pilots, 0)
        box = {"item": "kit", "goods": "general", "mass_kg": 1.0}
        tasks = [
            await place.deliver(origin, to, **box)
            for origin, to in (("depot", "clinic"), ("clinic", "depot"), ("depot", "clinic"))
        ]
        tasks += [await place.submit(kind="patrol", area="park") for _ in range(2)]

        def done() -> bool:
            for id_ in pilots:
                flights[id_] += bodies[id_].airborne
            return all(place.task(task).state.ended for task in tasks)

        await place.until(done, 7200)
        assert {place.task(task).state for task in tasks} == {TaskState.DONE}
        assert all(flights.values()), "both have flown"
        for drone, other in ((D1, D2), (D2, D1)):
            await place.until(lambda: not any(body.airborne for body in bodies.values()))
            await asyncio.sleep(60)
            await place.service.fleet_desk.set_in_service(other, on=False)
            asked = IncidentIn(x_m=150.0, y_m=250.0, on_scene_s=30.0)
            incident = await place.service.incidents.report(asked)
            assert incident.vehicle == drone
            find = place.service.incidents.find
            await asyncio.sleep(300)
            assert (await find(incident.id)).state is IncidentState.OBSERVED
            await place.service.fleet_desk.set_in_service(other, on=True)

"""A robot that changes from one lift to another lets go of the first."""

from pathlib import Path

from dispatcher.domain.task import TaskId, TaskState
from sim.running.scenario import Simulation
from sim.scenario.config import load_scenario

SITE = """\
# Two lifts in a row: from the kitchen one goes up with the first and on with the second.
site: two-lifts
name: {en: Two lifts, zh: 两部电梯}
anchor: {lat_deg: 30.59, lon_deg: 114.3}
levels:
  L1:
    name: {en: Level 1, zh: 一层}
    nodes: {a: [0, 0], a-lift: [10, 0]}
    places:
      kitchen: {name: {en: Kitchen, zh: 厨房}, kind: kitchen, at: [0, 5], joins: [a]}
      bay-1: {name: {en: Bay 1, zh: 一号机位}, at: [0, -5], joins: [a], roles: [parking, charger]}
      bay-2: {name: {en: Bay 2, zh: 二号机位}, at: [-5, -5], joins: [a], roles: [parking, charger]}
    lanes: [[a, a-lift]]
  L2:
    name: {en: Level 2, zh: 二层}
    elevation_m: 5
    nodes: {b: [20, 0], b-lift: [24, 0]}
    lanes: [[b, b-lift]]
  L3:
    name: {en: Level 3, zh: 三层}
    elevation_m: 10
    nodes: {c: [40, 0]}
    places:
      ward-a: {name: {en: Ward A, zh: 一病区}, kind: ward, at: [40, 5], joins: [c]}
      ward-b: {name: {en: Ward B, zh: 二病区}, kind: ward, at: [40, -5], joins: [c]}
lifts:
  first:
    name: {en: First lift, zh: 一号电梯}
    cabins: {L1: [14, 0], L2: [14, 0]}
    joins: {L1: [a-lift], L2: [b]}
  second:
    name: {en: Second lift, zh: 二号电梯}
    cabins: {L2: [30, 0], L3: [30, 0]}
    joins: {L2: [b-lift], L3: [c]}
"""
SCENARIO = """\
scenario: upstairs
site: site.yaml
start: 2026-02-03T08:00:00+08:00
duration: 40min
models:
  cart:
    make: Porter
    kind: cart
    speed_m_s: 1.2
    width_m: 0.6
    length_m: 0.9
    payload_kg: 50
    load_types: [food]
    skills: [carry]
    energy: {capacity_wh: 960, idle_w: 25, move_w: 140}
    link: {vda5050: {version: "2.1.0", manufacturer: Porter}}
vehicles:
  - {model: cart, ids: [C1, C2], homes: [bay-1, bay-2]}
demand:
  - {kind: delivery, total: 6, within: 5min, goods: food, from: kitchen, to: {kind: ward}}
"""


async def test_everybody_gets_upstairs_where_two_lifts_follow_each_other(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SITE, encoding="utf-8")
    (tmp_path / "upstairs.yaml").write_text(SCENARIO, encoding="utf-8")
    simulation = Simulation(load_scenario(tmp_path / "upstairs.yaml"), seed=1)
    await simulation.open()
    try:
        await simulation.run()
        tasks = [simulation.service.task(TaskId(f"T-{number:06}")) for number in range(1, 7)]
        assert {task.state for task in tasks} == {TaskState.DONE}
        assert sum(simulation.stage.world.violations.values()) == 0
    finally:
        await simulation.close()

"""A small tower: three floors, rooms and bays along each, and one lift with room for two."""

from pathlib import Path

from sim.world.machines import LiftMachine
from tests.sim.hospital import Hospital
from tests.sim.process import Place

FLOORS = ("L1", "L2", "L3")
MODEL = """
  {name}:
    make: Porter
    kind: {name}
    speed_m_s: 1.2
    width_m: {width_m}
    length_m: {length_m}
    payload_kg: 60
    payload_l: 200
    load_types: [{goods}]
    skills: [carry]
    energy: {{capacity_wh: 4000, idle_w: 15, move_w: 120, work_w: 60, charge_w: 800}}
    link: {{vda5050: {{version: "{version}", manufacturer: Porter}}}}
"""
MODELS = {
    "cart": (0.6, 0.7, "food, general"),
    "bed": (0.9, 2.1, "food, general"),
    "bin": (0.6, 0.7, "food, general, waste"),
}


def site(room: int = 2, *, ring: bool = False, passing: bool = False) -> str:
    """The site file; the cabins have room for so many.

    Args:
        ring: each corridor is a one-way ring instead of one lane for both directions.
        passing: narrow robots pass each other in the corridors.
    """
    levels = ""
    for number, level in enumerate(FLOORS):
        f = f"f{number + 1}"
        nodes = ", ".join(f"{f}c{x}: [{8 * x}, 0]" for x in range(5))
        corridor = f"[{', '.join(f'{f}c{x}' for x in range(5))}]"
        if ring:
            nodes += "".join(f", {f}d{x}: [{8 * x}, 3]" for x in range(5))
            round_ = [*(f"{f}c{x}" for x in range(5)), *(f"{f}d{x}" for x in range(4, -1, -1))]
            corridor = f"{{path: [{', '.join((*round_, round_[0]))}], one_way: true}}"
        if passing:
            corridor = f"{{path: {corridor}, width_m: 2.2, passing: true}}"
        places = "".join(
            f"      {f}-room{x}: {{name: {f} room {x}, kind: room, at: [{8 * x}, 5],"
            f" joins: [{f}c{x}]}}\n"
            f"      {f}-bay{x}: {{name: {f} bay {x}, at: [{8 * x}, -5], joins: [{f}c{x}],"
            " roles: [parking, charger]}\n"
            for x in (0, 1, 3, 4)
        )
        levels += (
            f"  {level}:\n    name: Level {number + 1}\n    elevation_m: {4 * number}\n"
            f"    nodes: {{{nodes}, {f}lobby: [16, -3]}}\n    places:\n{places}"
            f"    lanes: [{corridor}, [{f}c2, {f}lobby]]\n"
        )
    cabins = ", ".join(f"{level}: [16, -5]" for level in FLOORS)
    joins = ", ".join(f"{level}: [f{n + 1}lobby]" for n, level in enumerate(FLOORS))
    inside = f", room: {{width_m: {1.1 * room}, depth_m: 1.6, robots: {room}}}" if room > 1 else ""
    return (
        "site: tower\nname: Tower\nanchor: {lat_deg: 30.59, lon_deg: 114.3}\n"
        f"levels:\n{levels}lifts:\n  lift:\n    {{name: Lift, cabins: {{{cabins}}},"
        f" joins: {{{joins}}}, speed_m_s: 0.5, door_s: 4{inside}}}\n"
    )


def tower(
    folder: Path,
    *robots: tuple[str, str],
    room: int = 2,
    ring: bool = False,
    passing: bool = False,
    version: str = "2.1",
) -> Path:
    """A scenario in the tower: C1, C2 ..., each of a model and with its home."""
    text = site(room, ring=ring, passing=passing)
    (folder / "site.yaml").write_text(text, encoding="utf-8")
    rows = "".join(
        f"  - {{model: {model}, ids: [C{n}], homes: [{home}]}}\n"
        for n, (model, home) in enumerate(robots, start=1)
    )
    models = "".join(
        MODEL.format(name=name, width_m=width_m, length_m=length_m, goods=goods, version=version)
        for name, (width_m, length_m, goods) in MODELS.items()
    )
    path = folder / "story.yaml"
    path.write_text(
        f"scenario: story\nsite: site.yaml\nduration: 24h\nmodels:{models}\nvehicles:\n{rows}",
        encoding="utf-8",
    )
    return path


def lift_of(place: Hospital | Place) -> LiftMachine:
    """The machine of the one lift."""
    stage = place.stage if isinstance(place, Place) else place.simulation.stage
    return next(iter(stage.lifts.values()))

"""A site with two lifts side by side, for stories of who takes which."""

from pathlib import Path

from routing.site import LiftId
from sim.world.machines import LiftMachine
from tests.sim.hospital import MODELS, Hospital

SITE = """\
# Two lifts, the left one nearer, each with a lobby of its own.
site: side-by-side
name: {en: Side by side, zh: 并排电梯}
anchor: {lat_deg: 30.59, lon_deg: 114.3}
levels:
  L1:
    name: {en: Level 1, zh: 一层}
    nodes: {a: [0, 0], a-left: [10, 0], a-right: [0, 20]}
    places:
      kitchen: {name: {en: Kitchen, zh: 厨房}, kind: kitchen, at: [-5, 5], joins: [a]}
      yard: {name: {en: Waste yard, zh: 垃圾站}, kind: waste, at: [-9, 0], joins: [a]}
      bay-1: {name: {en: Bay 1, zh: 一号机位}, at: [0, -5], joins: [a], roles: [parking, charger]}
      bay-2: {name: {en: Bay 2, zh: 二号机位}, at: [-5, -5], joins: [a], roles: [parking, charger]}
    lanes: [[a, a-left], [a, a-right]]
  L2:
    name: {en: Level 2, zh: 二层}
    elevation_m: 5
    nodes: {b: [0, 0], b-left: [10, 0], b-right: [0, 20]}
    places:
      ward: {name: {en: Ward, zh: 病区}, kind: ward, at: [-5, 5], joins: [b]}
    lanes: [[b, b-left], [b, b-right]]
lifts:
  left:
    name: {en: Left lift, zh: 左电梯}
    cabins: {L1: [10, 4], L2: [10, 4]}
    joins: {L1: [a-left], L2: [b-left]}
  right:
    name: {en: Right lift, zh: 右电梯}
    cabins: {L1: [4, 20], L2: [4, 20]}
    joins: {L1: [a-right], L2: [b-right]}
"""


def side_by_side(folder: Path) -> Path:
    (folder / "site.yaml").write_text(SITE, encoding="utf-8")
    path = folder / "story.yaml"
    path.write_text(
        f"scenario: story\nsite: site.yaml\nduration: 24h\n{MODELS}\nvehicles:\n"
        "  - {model: cart, ids: [C1, C2], homes: [bay-1, bay-2]}\n",
        encoding="utf-8",
    )
    return path


def lift_of(place: Hospital, lift: str) -> LiftMachine:
    return place.simulation.stage.lifts[LiftId(lift)]


CORRIDOR = """\
# A lift whose way out lies in a corridor, between the kitchen and the ward.
site: corridor-lift
name: {en: Lift at a corridor, zh: 走廊电梯}
anchor: {lat_deg: 30.59, lon_deg: 114.3}
levels:
  L1:
    name: {en: Level 1, zh: 一层}
    nodes: {w: [-10, 0], m: [0, 0], e: [10, 0], lobby: [0, 8]}
    places:
      kitchen: {name: {en: Kitchen, zh: 厨房}, kind: kitchen, at: [-15, 5], joins: [w]}
      bay-1: {name: {en: Bay 1, zh: 一号机位}, at: [-15, -5], joins: [w], roles: [parking, charger]}
      ward: {name: {en: Ward, zh: 病区}, kind: ward, at: [15, 5], joins: [e]}
      bay-2: {name: {en: Bay 2, zh: 二号机位}, at: [15, -5], joins: [e], roles: [parking, charger]}
    lanes:
      - [w, m, e]
      - {path: [m, lobby, lift@L1, m], one_way: true}
  L2:
    name: {en: Level 2, zh: 二层}
    elevation_m: 5
    nodes: {b: [0, 0], lobby-2: [0, 8]}
    places:
      store: {name: {en: Store, zh: 库房}, kind: stores, at: [-5, 0], joins: [b]}
      lab: {name: {en: Laboratory, zh: 检验科}, kind: lab, at: [5, 0], joins: [b]}
    lanes:
      - {path: [b, lobby-2, lift@L2, b], one_way: true}
lifts:
  lift:
    name: {en: Lift, zh: 电梯}
    cabins: {L1: [4, 4], L2: [4, 4]}
"""


def at_a_corridor(folder: Path) -> Path:
    """C1 can only drive through the corridor, C2 carries general goods upstairs."""
    (folder / "site.yaml").write_text(CORRIDOR, encoding="utf-8")
    path = folder / "story.yaml"
    path.write_text(
        f"scenario: story\nsite: site.yaml\nduration: 24h\n{MODELS}\nvehicles:\n"
        "  - {model: cart, ids: [C1, C2], homes: [bay-1, bay-2]}\n",
        encoding="utf-8",
    )
    return path


APART = {
    "a-right: [0, 20]": "m1: [3, 0], m2: [6, 0], a-right: [0, 200]",
    "[a, a-left]": "[a, m1, m2, a-left]",
    "b-right: [0, 20]": "b-right: [0, 200]",
    "L1: [4, 20], L2: [4, 20]": "L1: [4, 200], L2: [4, 200]",
}
"""The right lift is far off, and on the way to the left one a robot is not told all at once."""
UPSTAIRS = """\
      bay-2: {name: {en: Bay 2, zh: 二号机位}, at: [-5, -5], joins: [b], roles: [parking, charger]}
"""


def far_apart(folder: Path) -> Path:
    """The way to the right lift is long; C2 lives upstairs, beside the ward."""
    path, text = side_by_side(folder), SITE
    bay = next(line for line in SITE.splitlines(keepends=True) if "bay-2" in line)
    for old, new in {bay: "", **APART}.items():
        text = text.replace(old, new)
    ward = next(line for line in text.splitlines(keepends=True) if "ward:" in line)
    (folder / "site.yaml").write_text(text.replace(ward, ward + UPSTAIRS), encoding="utf-8")
    return path

"""One lane for both directions: where robots are most in each other's way."""

from pathlib import Path

from tests.sim.hospital import MODELS

STREET = """\
# One lane for both directions, a bay and a room at each node of it; the annex is on no road to it.
site: street
name: {en: Street, zh: 长廊}
anchor: {lat_deg: 30.59, lon_deg: 114.3}
connected: false
levels:
  L1:
    name: {en: Level 1, zh: 一层}
    nodes: {s1: [0, 0], s2: [12, 0], s3: [24, 0], s4: [36, 0], s5: [48, 0], x: [0, 60]}
    places:
      room-1: {name: {en: Room 1, zh: 一号房}, kind: room, at: [0, 6], joins: [s1]}
      room-2: {name: {en: Room 2, zh: 二号房}, kind: room, at: [12, 6], joins: [s2]}
      room-3: {name: {en: Room 3, zh: 三号房}, kind: room, at: [24, 6], joins: [s3]}
      room-4: {name: {en: Room 4, zh: 四号房}, kind: room, at: [36, 6], joins: [s4]}
      room-5: {name: {en: Room 5, zh: 五号房}, kind: room, at: [48, 6], joins: [s5]}
      bay-1: {name: {en: Bay 1, zh: 一号位}, at: [0, -6], joins: [s1], roles: [parking, charger]}
      bay-2: {name: {en: Bay 2, zh: 二号位}, at: [12, -6], joins: [s2], roles: [parking, charger]}
      bay-3: {name: {en: Bay 3, zh: 三号位}, at: [24, -6], joins: [s3], roles: [parking, charger]}
      bay-4: {name: {en: Bay 4, zh: 四号位}, at: [36, -6], joins: [s4], roles: [parking, charger]}
      bay-5: {name: {en: Bay 5, zh: 五号位}, at: [48, -6], joins: [s5], roles: [parking, charger]}
      annex: {name: {en: Annex, zh: 附楼}, kind: room, at: [0, 66], joins: [x]}
      bay-x: {name: {en: Bay X, zh: 附楼位}, at: [0, 54], joins: [x], roles: [parking, charger]}
    lanes: [[s1, s2, s3, s4, s5]]
"""


def street(folder: Path, *homes: str) -> Path:
    """A scenario on the street: C1, C2 ... live there."""
    (folder / "site.yaml").write_text(STREET, encoding="utf-8")
    ids = ", ".join(f"C{number}" for number in range(1, len(homes) + 1))
    vehicles = f"\nvehicles:\n  - {{model: cart, ids: [{ids}], homes: [{', '.join(homes)}]}}\n"
    path = folder / "story.yaml"
    head = "# a street\nscenario: street\nsite: site.yaml\nduration: 24h\n"
    path.write_text(head + MODELS + vehicles, encoding="utf-8")
    return path

"""A clinic with a pad in its yard, and a blood depot 600 m away that only drones reach."""

from pathlib import Path

from tests.sim.hospital import MODELS

SITE = """\
# A clinic, a pad beside it, a depot 600 m to the east.
site: bloodline
name: {en: Clinic and depot, zh: 诊所与血库}
anchor: {lat_deg: 30.59, lon_deg: 114.3}
levels:
  ground:
    name: {en: Ground, zh: 地面}
    outdoors: true
    nodes: {c1: [0, 0], c2: [20, 0], c3: [40, 0]}
    places:
      ward: {name: {en: Ward, zh: 病房}, kind: ward, at: [0, 10], joins: [c1]}
      surgery: {name: {en: Surgery, zh: 手术室}, kind: ward, at: [20, 10], joins: [c2]}
      bay-1:
        {name: {en: Bay 1, zh: 一号位}, at: [0, -10], joins: [c1], roles: [parking, charger]}
      beside-pad:
        {name: {en: By the pad, zh: 起降点旁}, at: [50, 0], joins: [c3], roles: [handover]}
      pad: {name: {en: Pad, zh: 起降点}, kind: pad, at: [62, 0], roles: [pad]}
      dock: {name: {en: Dock, zh: 机库}, kind: dock, at: [620, -40], roles: [pad, charger]}
      dock-2: {name: {en: Dock 2, zh: 二号机库}, kind: dock, at: [60, -40], roles: [pad, charger]}
      depot: {name: {en: Blood depot, zh: 血库}, kind: stores, at: [650, 0], roles: [pad]}
    lanes: [[c1, c2, c3]]
air:
  fence:
    name: {en: Fence, zh: 围栏}
    kind: geofence
    outline: [[-100, -100], [800, -100], [800, 100], [-100, 100]]
"""
BLOOD = {
    "kind": "delivery",
    "item": "blood",
    "goods": "general",
    "from": "depot",
    "to": ["ward"],
    "mass_kg": 1.0,
}
SAMPLE = {**BLOOD, "item": "samples", "from": "ward", "to": ["depot"]}


def bloodline(folder: Path, *, drones: int = 1, more: str = "") -> Path:
    """The scenario, with one robot, one or two drones, and ``more`` lines."""
    (folder / "site.yaml").write_text(SITE, encoding="utf-8")
    docks = ["dock", "dock-2"][:drones]
    vehicles = f"""
vehicles:
  - model: cart
    ids: [C1]
    homes: [bay-1]
  - model: drone
    ids: [{", ".join(f"D{n}" for n in range(1, drones + 1))}]
    homes: [{", ".join(docks)}]
    docks: [{", ".join(docks)}]
    system_ids: [{", ".join(str(n) for n in range(1, drones + 1))}]
    cruise_agl_m: [{", ".join(str(30 + 20 * n) for n in range(1, drones + 1))}]
"""
    path = folder / "bloodline.yaml"
    head = "# blood by air\nscenario: bloodline\nsite: site.yaml\nduration: 24h\n"
    path.write_text(head + MODELS + vehicles + more, encoding="utf-8")
    return path

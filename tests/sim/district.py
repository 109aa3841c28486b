"""A district of 2 km with docks in its corners, a hospital nobody flies over, and a park."""

from pathlib import Path

from tests.sim.hospital import MODELS

SITE = """\
# Four docks, a hospital in the middle that must not be flown over, a park to patrol.
site: district
name: {en: District, zh: 辖区}
anchor: {lat_deg: 30.59, lon_deg: 114.3}
levels:
  ground:
    name: {en: Ground, zh: 地面}
    outdoors: true
    places:
      dock-1: {name: {en: Dock 1, zh: 一号机库}, kind: dock, at: [0, 0], roles: [pad, charger]}
      dock-2: {name: {en: Dock 2, zh: 二号机库}, kind: dock, at: [2000, 0], roles: [pad, charger]}
      dock-3: {name: {en: Dock 3, zh: 三号机库}, kind: dock, at: [0, 1500], roles: [pad, charger]}
      station: {name: {en: Station, zh: 车站}, kind: pad, at: [1500, 1200], roles: [pad]}
air:
  fence:
    name: {en: Fence, zh: 围栏}
    kind: geofence
    outline: [[-300, -300], [2300, -300], [2300, 1800], [-300, 1800]]
  hospital:
    name: {en: Hospital, zh: 医院}
    kind: no_fly
    outline: [[800, 600], [1100, 600], [1100, 900], [800, 900]]
  park:
    name: {en: Park, zh: 公园}
    kind: patrol
    outline: [[200, 200], [600, 200], [600, 600], [200, 600]]
"""
DRONES = """
vehicles:
  - model: drone
    ids: [D1, D2, D3]
    homes: [dock-1, dock-2, dock-3]
    docks: [dock-1, dock-2, dock-3]
    system_ids: [1, 2, 3]
    cruise_agl_m: [40, 55, 70]
"""


def district(folder: Path, *, standby: bool = True, more: str = "") -> Path:
    """A scenario with three drones there."""
    (folder / "site.yaml").write_text(SITE, encoding="utf-8")
    path = folder / "district.yaml"
    head = "# three drones\nscenario: district\nsite: site.yaml\nduration: 24h\n"
    models = MODELS
    if standby:
        models = models.replace("link: {mavlink: {}}", "link: {mavlink: {standby: true}}")
    path.write_text(head + models + DRONES + more, encoding="utf-8")
    return path

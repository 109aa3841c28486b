"""A district of 2 km with docks in its corners, a hospital nobody flies over, and a park."""

from pathlib import Path

from tests.sim.dock_yard import STANDBY, dock_yard
from tests.sim.hospital import MODELS

STATION = (
    "      station: {name: {en: Station, zh: 车站}, kind: pad, at: [1500, 1200], roles: [pad]}"
)
AIR = """\
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


def district(folder: Path, *, standby: bool = True, more: str = "") -> Path:
    """A scenario with three drones there."""
    return dock_yard(
        folder,
        id_="district",
        name=("District", "辖区"),
        about="A hospital in the middle that must not be flown over, a park to patrol.",
        docks=[(0, 0), (2000, 0), (0, 1500)],
        heights_m=[40, 55, 70],
        places=STATION,
        air=AIR,
        models=STANDBY if standby else MODELS,
        more=more,
    )

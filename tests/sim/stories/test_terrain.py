"""Stories over ground that is not flat: heights that do, heights that don't, and who looks."""

from pathlib import Path

import pytest

from dispatcher.errors import ConfigFault
from sim.scenario.config import load_scenario
from tests.sim.dock_yard import dock_yard
from tests.sim.hospital import hospital

AIR = """\
  fence:
    name: {en: Fence, zh: 围栏}
    kind: geofence
    outline: [[-400, -200], [400, -200], [400, 200], [-400, 200]]
  hill:
    name: {en: Hill, zh: 小山}
    kind: patrol
    outline: [[-150, -100], [150, -100], [150, 100], [-150, 100]]
terrain: {raster: ground.asc, keep_agl_m: 30}
"""
GROUND = """\
ncols 5
nrows 3
xllcorner -500
yllcorner -300
cellsize 200
NODATA_value -9999
0 0 10 10 10
0 0 40 10 10
0 0 10 10 10
"""


def hills(folder: Path, heights_m: tuple[float, float]) -> Path:
    """Two drones there, each at one height above its own pad."""
    (folder / "ground.asc").write_text(GROUND, encoding="ascii")
    return dock_yard(
        folder,
        id_="hills",
        name=("Hills", "山地"),
        about="A pad in the valley, one on the slope, and a hill to be looked at between them.",
        docks=[(-300, 0), (300, 0)],
        heights_m=heights_m,
        air=AIR,
    )


@pytest.mark.long
async def test_at_heights_that_do_nobody_comes_near_the_ground(tmp_path: Path) -> None:
    async with hospital(hills(tmp_path, (75, 75))) as place:
        patrols = [await place.submit(kind="patrol", area="hill") for _ in range(2)]
        await place.until_ended(*patrols)


@pytest.mark.parametrize(
    ("heights_m", "said"),
    [
        ((60, 75), "60 m above its pad D1 is 20 m above the highest ground, not 30; write from 70"),
        ((75, 115), "D2 is 125 m above the lowest ground, over the 120 allowed; write from 60 to"),
    ],
)
def test_other_heights_are_refused_with_those_that_would_do(
    tmp_path: Path, heights_m: tuple[float, float], said: str
) -> None:
    with pytest.raises(ConfigFault, match=said):
        load_scenario(hills(tmp_path, heights_m))


def test_ground_too_uneven_for_the_ceiling_is_told(tmp_path: Path) -> None:
    path = hills(tmp_path, (75, 75))
    (tmp_path / "ground.asc").write_text(GROUND.replace("40", "95"), encoding="ascii")
    with pytest.raises(ConfigFault, match="can't stay 30 m above the ground here and below"):
        load_scenario(path)


async def test_the_monitor_sees_who_flies_too_low(tmp_path: Path) -> None:
    path = hills(tmp_path, (75, 75))
    async with hospital(path, forgiven=["airspace"]) as place:
        assert place.world.site.terrain is not None
        place.world.site.terrain.heights_m[1, 2] = 60.0
        patrol = await place.submit(kind="patrol", area="hill")
        await place.until_ended(patrol)
        assert place.world.violations["airspace"] > 0
        assert any("m high at" in what for _, _, what in place.world.incidents)

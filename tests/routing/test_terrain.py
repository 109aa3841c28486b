"""The ground under a site: read from a raster, or refused with what to do."""

from pathlib import Path

import pytest
import shapely

from routing.errors import RasterError, SiteError
from routing.geometry import Point
from routing.sites.site_yaml import load
from routing.terrain import read_terrain

SITE = """\
site: hills
name: {en: Hills, zh: 山地}
anchor: {lat_deg: 30.59, lon_deg: 114.3}
levels:
  ground:
    name: {en: Ground, zh: 地面}
    outdoors: true
    places:
      dock-1: {name: {en: Dock 1, zh: 一号坞}, kind: dock, at: [0, 0], roles: [pad]}
air:
  fence:
    name: {en: Fence, zh: 围栏}
    kind: geofence
    outline: [[-40, -40], [40, -40], [40, 40], [-40, 40]]
terrain: {raster: ground.asc, keep_agl_m: 25}
"""
HEAD = "ncols 3\nnrows 2\nxllcorner 0\nyllcorner 10\ncellsize 10\nNODATA_value -1\n"


def raster(folder: Path, text: str) -> Path:
    path = folder / "ground.asc"
    path.write_text(text, encoding="ascii")
    return path


def hills(folder: Path, cells: str = "0 10 20\n0 10 20\n0 10 20", **head: float) -> Path:
    """A site of 80 m on a raster of 3 x 3 cells of 40 m around its origin."""
    words = {"ncols": 3, "nrows": 3, "xllcorner": -60, "yllcorner": -60, "cellsize": 40, **head}
    raster(folder, "".join(f"{key} {value}\n" for key, value in words.items()) + cells)
    path = folder / "site.yaml"
    path.write_text(SITE, encoding="utf-8")
    return path


def test_the_northern_row_comes_first_and_ground_is_straight_between(tmp_path: Path) -> None:
    terrain = read_terrain(raster(tmp_path, HEAD + "4 6 8\n0 2 4\n"), 30.0)
    assert terrain.ground_m(Point(5, 15)) == 0
    assert terrain.ground_m(Point(25, 25)) == 8
    assert terrain.ground_m(Point(10, 20)) == pytest.approx(3)
    assert terrain.ground_m(Point(-100, 100)) == 4, "outside as at the border"
    assert terrain.extremes_m(shapely.box(0, 10, 30, 30)) == (0, 8)


def test_middles_may_be_given_instead_of_corners(tmp_path: Path) -> None:
    text = HEAD.replace("xllcorner", "XLLCENTER").replace("yllcorner", "YLLCENTER")
    terrain = read_terrain(raster(tmp_path, text + "4 6 8 0 2 4"), 30.0)
    assert terrain.ground_m(Point(0, 10)) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("P5 nonsense\n", "no ncols"),
        (HEAD.replace("cellsize 10\n", "") + "1 2 3 4 5 6", "no cellsize"),
        (HEAD.replace("yllcorner 10\n", "") + "1 2 3 4 5 6", "no xllcorner and yllcorner"),
        (HEAD.replace("cellsize 10", "cellsize 0") + "1 2 3 4 5 6", "metres above 0"),
        (HEAD.replace("ncols 3", "ncols x") + "1 2 3 4 5 6", "ncols is 'x'; write a number"),
        (HEAD.replace("ncols 3", "ncols 0"), "grid of no cells"),
        (HEAD.replace("NODATA_value -1", "NODATA_value none"), "NODATA_value is 'none'"),
        (HEAD.replace("ncols 3", "ncols inf"), "ncols is 'inf'; write a number"),
        (HEAD.replace("cellsize 10", "cellsize inf") + "1 2 3 4 5 6", "cellsize is 'inf'"),
        (HEAD + "1 2 3 4 5", "has 5 cells, and its header says 2 x 3"),
        (HEAD + "1 2 3 4 5 six", "every cell is a number"),
        (HEAD + "1 2 3 4 5 inf", "every cell is a number"),
    ],
)
def test_what_is_no_raster_is_refused_with_what_to_do(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RasterError, match=said):
        read_terrain(raster(tmp_path, text), 30.0)


def test_a_missing_raster_and_one_of_bytes_are_told(tmp_path: Path) -> None:
    with pytest.raises(RasterError, match=r"no raster .*from the folder of the site file"):
        read_terrain(tmp_path / "none.asc", 30.0)
    (tmp_path / "ground.tif").write_bytes(b"II*\x00\xff\xfe")
    with pytest.raises(RasterError, match="convert it to an ESRI ASCII grid"):
        read_terrain(tmp_path / "ground.tif", 30.0)


def test_a_site_knows_its_ground(tmp_path: Path) -> None:
    site = load(hills(tmp_path))
    assert site.relief_m == (0, 20)
    assert site.ground_m(Point(0, 0)) == 10
    assert site.least_agl_m(Point(0, 0), 50) == 40
    assert site.terrain is not None
    assert site.terrain.keep_agl_m == 25


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"xllcorner": -30}, "does not cover the air from .-40, -40. to .40, 40."),
        ({"cells": "0 1 2\n0 -9999 2\n0 1 2"}, "cells without data"),
    ],
)
def test_ground_that_is_not_known_is_a_fault_with_its_line(
    tmp_path: Path, change: dict[str, float], said: str
) -> None:
    with pytest.raises(SiteError, match=f"line 15: .*{said}"):
        load(hills(tmp_path, **change))  # pyright: ignore[reportArgumentType]


def test_no_fly_volumes_bound_to_a_height_are_refused_there(tmp_path: Path) -> None:
    path = hills(tmp_path)
    low = (
        "  low: {name: {en: Low, zh: 低}, kind: no_fly, ceiling_agl_m: 60, "
        "outline: [[20, 20], [30, 20], [30, 30]]}\nterrain:"
    )
    path.write_text(SITE.replace("terrain:", low), encoding="utf-8")
    with pytest.raises(SiteError, match="'low' is bound to a height"):
        load(path)

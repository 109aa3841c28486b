"""A yard with docks and the drones that live there: where stories of drones begin."""

from collections.abc import Sequence
from pathlib import Path

from tests.sim.hospital import MODELS

SITE = """\
# {about}
site: {id}
name: {{en: {name}, zh: {zh}}}
anchor: {{lat_deg: 30.59, lon_deg: 114.3}}
levels:
  yard:
    name: {{en: Yard, zh: 院区}}
    outdoors: true
    places:
{places}
air:
{air}"""
DOCK = (
    "      dock-{n}: {{name: {{en: Dock {n}, zh: {zh}号}}, kind: dock, at: [{x_m}, {y_m}], "
    "roles: [pad, charger]}}"
)
STANDBY = MODELS.replace("link: {mavlink: {}}", "link: {mavlink: {standby: true}}")
"""The models, with drones that keep their power in their docks."""


def dock_yard(
    folder: Path,
    *,
    id_: str,
    name: tuple[str, str],
    about: str,
    docks: Sequence[tuple[int, int]],
    heights_m: Sequence[float],
    air: str,
    places: str = "",
    models: str = MODELS,
    start: str = "",
    more: str = "",
) -> Path:
    """The scenario of a yard with drones D1, D2, ..., each in its dock.

    Args:
        name: of the site, in English and Chinese.
        docks: where the docks are, up to three; those without a drone stand empty.
        heights_m: the height of each drone.
        air: the volumes of the site, and what comes after them.
        places: more places of the yard.
        start: when it begins, as of a scenario; "" = as any does.
        more: lines of the scenario after its drones: more vehicles, then other keys.
    """
    rows = [
        DOCK.format(n=n, zh=zh, x_m=x_m, y_m=y_m)
        for n, (zh, (x_m, y_m)) in enumerate(zip("一二三", docks, strict=False), 1)
    ]
    text = SITE.format(
        about=about, id=id_, name=name[0], zh=name[1], places="\n".join([*rows, places]), air=air
    )
    (folder / "site.yaml").write_text(text, encoding="utf-8")
    numbers = range(1, len(heights_m) + 1)
    homes = ", ".join(f"dock-{n}" for n in numbers)
    path = folder / f"{id_}.yaml"
    begin = f"start: {start}\n" if start else ""
    path.write_text(
        f"# drones of a yard\nscenario: {id_}\nsite: site.yaml\nduration: 24h\n{begin}{models}"
        f"vehicles:\n  - model: drone\n    ids: [{', '.join(f'D{n}' for n in numbers)}]\n"
        f"    homes: [{homes}]\n    docks: [{homes}]\n"
        f"    cruise_agl_m: [{', '.join(map(str, heights_m))}]\n{more}",
        encoding="utf-8",
    )
    return path

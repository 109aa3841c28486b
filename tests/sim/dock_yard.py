"""A yard of three docks in a row and the drones that live there: where stories of areas begin."""

from pathlib import Path

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
{docks}
air:
{air}"""
DOCK = (
    "      dock-{n}: {{name: {{en: Dock {n}, zh: {zh}号}}, kind: dock, at: [{x_m}, 0], "
    "roles: [pad, charger]}}"
)


def dock_yard(
    folder: Path,
    *,
    id_: str,
    name: tuple[str, str],
    about: str,
    air: str,
    models: str,
    drones: int,
    apart_m: int,
    lowest_m: int,
    more: str = "",
) -> Path:
    """The scenario of a yard with so many drones, D1, D2, ..., each in its dock.

    Args:
        name: of the site, in English and Chinese.
        air: the volumes of the site.
        apart_m: from one dock to the next.
        lowest_m: height of the first drone; each next one flies 8 m higher.
        more: lines of the scenario.
    """
    docks = "\n".join(
        DOCK.format(n=n, zh=zh, x_m=(n - 1) * apart_m) for n, zh in enumerate("一二三", 1)
    )
    text = SITE.format(about=about, id=id_, name=name[0], zh=name[1], docks=docks, air=air)
    (folder / "site.yaml").write_text(text, encoding="utf-8")
    numbers = range(1, drones + 1)
    homes = ", ".join(f"dock-{n}" for n in numbers)
    path = folder / f"{id_}.yaml"
    path.write_text(
        f"# drones of a yard\nscenario: {id_}\nsite: site.yaml\nduration: 24h\n"
        + more
        + models
        + f"vehicles:\n  - {{model: drone, ids: [{', '.join(f'D{n}' for n in numbers)}], "
        f"homes: [{homes}], docks: [{homes}], "
        f"cruise_agl_m: [{', '.join(str(lowest_m + 8 * (n - 1)) for n in numbers)}]}}\n",
        encoding="utf-8",
    )
    return path

"""A corridor in which narrow robots pass each other, with rooms and bays along it."""

from pathlib import Path

from tests.sim.hospital import CART, MODELS

PASSAGE = """\
# One passing corridor: carts of 0.7 m pass each other in it, beds of 0.9 m pass nobody.
site: passage
name: {en: Passage, zh: 通道}
anchor: {lat_deg: 30.59, lon_deg: 114.3}
levels:
  L1:
    name: {en: Level 1, zh: 一层}
    nodes: {p1: [0, 0], p2: [8, 0], p3: [16, 0], p4: [24, 0], p5: [32, 0], p6: [40, 0], p7: [48, 0]}
    places:
      west: {name: {en: West, zh: 西房}, kind: room, at: [0, 6], joins: [p1]}
      east: {name: {en: East, zh: 东房}, kind: room, at: [48, 6], joins: [p7]}
      far-west: {name: {en: Far west, zh: 远西房}, kind: room, at: [-6, 0], joins: [p1]}
      far-east: {name: {en: Far east, zh: 远东房}, kind: room, at: [54, 0], joins: [p7]}
      mid: {name: {en: Middle, zh: 中房}, kind: room, at: [24, 6], joins: [p4]}
      bay-1: {name: {en: Bay 1, zh: 一号位}, at: [0, -6], joins: [p1], roles: [parking, charger]}
      bay-2: {name: {en: Bay 2, zh: 二号位}, at: [48, -6], joins: [p7], roles: [parking, charger]}
      bay-3: {name: {en: Bay 3, zh: 三号位}, at: [16, -6], joins: [p3], roles: [parking, charger]}
      bay-4: {name: {en: Bay 4, zh: 四号位}, at: [32, -6], joins: [p5], roles: [parking, charger]}
    lanes:
      - {path: [p1, p2, p3, p4, p5, p6, p7], passing: true}
"""

BED = (
    CART.replace("cart", "bed")
    .replace("width_m: 0.7", "width_m: 0.9")
    .replace("length_m: 1.0", "length_m: 2.1")
)


def passage(
    folder: Path, *robots: tuple[str, str], site: str = PASSAGE, version: str = "2.1"
) -> Path:
    """A scenario in the passage: C1, C2 ..., each of a model (``cart``, ``bed``) with its home."""
    (folder / "site.yaml").write_text(site, encoding="utf-8")
    rows = "".join(
        f"  - {{model: {model}, ids: [C{number}], homes: [{home}]}}\n"
        for number, (model, home) in enumerate(robots, start=1)
    )
    path = folder / "story.yaml"
    head = "# a story\nscenario: passage\nsite: site.yaml\nduration: 24h\n"
    models = (MODELS + BED).replace('version: "2.1"', f'version: "{version}"')
    path.write_text(f"{head}{models}vehicles:\n{rows}", encoding="utf-8")
    return path

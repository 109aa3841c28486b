"""The corridor clinic with a dispenser in the pharmacy and an ingestor in the laboratory."""

from pathlib import Path

from routing.site import WorkcellId
from sim.world.workcell import WorkcellMachine
from tests.sim.hospital import DRONE, SITE, Hospital, scenario_file
from tests.sim.process import Place

PICKER, INTAKE, ARM = WorkcellId("picker"), WorkcellId("intake"), WorkcellId("arm")
CELLS = """\
    workcells:
      picker: {name: {en: Picker, zh: 发药机}, does: [%s], handover_s: 30, limit_s: 120}
      intake: {name: {en: Intake, zh: 收样机}, does: [ingests], handover_s: 20, limit_s: 120}
    doors:
"""
SHOP = "at: [7, 16], joins: [a1], door: d-pharmacy"
LAB = "at: [19, 16], joins: [a3]"


def with_workcells(
    folder: Path,
    *,
    homes: tuple[str, ...] = ("park-1", "park-2", "park-3"),
    picker: str = "dispenses",
    more: str = "",
) -> Path:
    """A scenario without demand: goods come from the picker and go to the intake by themselves."""
    text = SITE.read_text("utf-8").replace("    doors:\n", CELLS % picker, 1)
    text = text.replace(SHOP, f"{SHOP}, workcell: picker").replace(LAB, f"{LAB}, workcell: intake")
    (folder / "site.yaml").write_text(text, encoding="utf-8")
    return scenario_file(folder, homes=homes, more=more, site=folder / "site.yaml")


def with_a_pad(folder: Path) -> Path:
    """The same with a drone, and a second pad where an arm loads and unloads it."""
    path, site = with_workcells(folder, homes=("park-1",), more=DRONE), folder / "site.yaml"
    dock = "roles: [pad, charger]}\n"
    pad = "      pad-2: {name: Pad 2, at: [45, -35], roles: [pad], workcell: arm}\n"
    arm = "    workcells: {arm: {name: Arm, does: [dispenses, ingests], handover_s: 15}}\n"
    text = site.read_text("utf-8")
    assert dock in text
    site.write_text(text.replace(dock, dock + pad + arm), "utf-8")
    return path


def cell_of(place: Hospital | Place, cell: WorkcellId) -> WorkcellMachine:
    """A simulated workcell."""
    stage = place.stage if isinstance(place, Place) else place.simulation.stage
    return stage.workcells[cell]


def handed(place: Hospital | Place, cell: WorkcellId) -> list[str]:
    """The loads that have really changed hands, in order."""
    return [load for _, load in cell_of(place, cell).handed]

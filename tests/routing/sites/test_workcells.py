"""Workcells in a site file: which place has which, and what is wrong with them."""

import pytest

from routing.site import PlaceId, WorkcellId
from routing.sites.site_yaml import dump, examine_text, loads
from tests.folders import CONFIGS

TEXT = (CONFIGS / "sites" / "corridor.yaml").read_text("utf-8")
CELLS = """\
    workcells:
      picker: {name: {en: Picker, zh: 发药机}, does: [dispenses], handover_s: 45, limit_s: 200}
      intake: {name: Intake, does: [ingests, dispenses]}
"""
LAB = "at: [19, 16], joins: [a3]"
SHOP = "at: [7, 16], joins: [a1], door: d-pharmacy"
SITE = (
    TEXT.replace("    doors:\n", CELLS + "    doors:\n", 1)
    .replace(LAB, LAB + ", workcell: intake")
    .replace(SHOP, SHOP + ", workcell: picker")
)


def test_a_place_has_its_workcell_with_what_it_does() -> None:
    site = loads(SITE)
    assert site.places[PlaceId("pharmacy")].workcell == "picker"
    assert site.places[PlaceId("ward")].workcell is None
    picker, intake = site.workcells[WorkcellId("picker")], site.workcells[WorkcellId("intake")]
    assert (picker.dispenses, picker.ingests) == (True, False)
    assert (picker.handover_s, picker.limit_s) == (45, 200)
    assert (intake.dispenses, intake.ingests, intake.name.zh) == (True, True, "Intake")
    assert (intake.handover_s, intake.limit_s) == (20, 300)
    assert loads(dump(site)) == site


CASES = {
    "unknown": ("workcell: intake", "workcell: intaek", "no workcell 'intaek'", "'intake'"),
    "other level": ("zh: 病房}, kind: ward", "zh: 病房}, workcell: picker, kind: ward",
                    "'picker' is on level L1, not on L2", "move the workcell"),
    "does nothing": ("does: [dispenses]", "does: []", "at least 1", "one or more"),
    "does what": ("does: [dispenses]", "does: [throws]", "'throws'", "'dispenses' or 'ingests'"),
    "without does": ("does: [dispenses], ", "", "has no 'does'", "add it"),
    "no name": ("name: Intake, ", "", "has no 'name'", "add it"),
    "no limit": ("limit_s: 200", "limit_s: 0", "greater than 0", ""),
    "no time": ("limit_s: 200", "limit_s: 45", "may take 45 s and takes 45 s", "raise limit_s"),
    "negative": ("handover_s: 45", "handover_s: -1", "greater than or equal to 0", ""),
    "unknown key": ("limit_s: 200", "limits: 200", "unknown key 'limits'", "'limit_s'"),
    "twice": ("  L2:\n", "    workcells: {a: {name: A, does: [ingests]}}\n  L2:\n",
              "'workcells' appears twice", ""),
    "on two levels": ("    nodes:\n      b1:",
                      "    workcells: {picker: {name: P, does: [ingests]}}\n"
                      "    nodes:\n      b1:", "'picker' is there already", "unique"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_fault_is_told_with_line_and_remedy(case: str) -> None:
    old, new, what, remedy = CASES[case]
    assert SITE.count(old) >= 1
    examined = examine_text(SITE.replace(old, new, 1), "test")
    assert examined.site is None
    told = [f for f in examined.faults if what in f.what and remedy in f.remedy]
    assert told, [str(fault) for fault in examined.faults]
    assert all(fault.line > 0 for fault in examined.faults)


def test_a_workcell_that_is_misshapen_itself_is_not_missed_where_it_is_named() -> None:
    examined = examine_text(SITE.replace("does: [dispenses]", "does: 3"), "test")
    assert ["does" in fault.what for fault in examined.faults] == [True]


def test_a_workcell_that_no_place_names_is_a_warning() -> None:
    examined = examine_text(SITE.replace(", workcell: picker", ""), "test")
    assert examined.site is not None
    said = [warning.what for warning in examined.warnings]
    assert said == ["no place names workcell 'picker'"]
    assert all(warning.line > 0 for warning in examined.warnings)

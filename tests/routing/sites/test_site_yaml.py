"""Site files: a good one becomes a Site; a bad one says all that is wrong, with lines."""

from pathlib import Path

import pytest

from routing.errors import Fault, SiteError
from routing.site import Role, Zone
from routing.sites.marked_yaml import MAX_BYTES
from routing.sites.site_yaml import dump, examine, examine_text, load, loads
from tests.folders import CONFIGS

SITES = CONFIGS / "sites"
TEXT = (SITES / "corridor.yaml").read_text(encoding="utf-8")


def line_of(text: str, part: str) -> int:
    """The 1-based line on which ``part`` first appears."""
    return text[: text.index(part)].count("\n") + 1


def faults_of(text: str) -> tuple[Fault, ...]:
    examined = examine_text(text, "test")
    assert (examined.site is None) == bool(examined.faults)
    return examined.faults


def changed(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new, 1)


# -- a good file ---------------------------------------------------------------------------


def test_the_example_becomes_a_site_with_lanes_lift_and_zones() -> None:
    site = load(SITES / "corridor.yaml")
    lanes = {str(key): lane for key, lane in site.lanes.items()}
    assert lanes["a1~a2"].length_m == 5.0
    assert lanes["pharmacy~a1"].door == "d-pharmacy"
    assert lanes["lift-1:L1-L2"].lift == "lift-1"
    assert lanes["lift-1:L1-L2"].length_m == 4.5
    assert lanes["decon~b2"].length_m == 13.5
    assert not lanes["b2~b3"].two_way
    zones = {str(key): node.zone for key, node in site.nodes.items()}
    assert zones["a1"] is Zone.CLEAN
    assert zones["b3"] is Zone.SEMI
    assert zones["decon"] is Zone.CONTAMINATED
    assert [place.id for place in site.with_role(Role.PAD)] == ["dock-1"]


def test_the_smallest_area_gives_the_zone_and_an_explicit_one_wins() -> None:
    areas = "    nodes:\n      a1: [7, 10]\n"
    inner = "      - {id: in, name: In, kind: corridor, zone: semi, rect: [6, 9, 8, 11]}\n"
    text = TEXT.replace(areas, inner + areas, 1).replace(
        "a2: [12, 10]", "a2: {at: [12, 10], zone: semi}"
    )
    examined = examine_text(text.replace("site: corridor", "connected: false\nsite: corridor"), "t")
    assert examined.site is not None
    zones = {str(key): node.zone for key, node in examined.site.nodes.items()}
    assert (zones["a1"], zones["a2"], zones["a3"]) == (Zone.SEMI, Zone.SEMI, Zone.CLEAN)


@pytest.mark.parametrize("name", ["corridor", "riverside"])
def test_a_site_survives_being_written_and_read(name: str) -> None:
    site = load(SITES / f"{name}.yaml")
    text = dump(site)
    assert loads(text) == site
    assert dump(loads(text)) == text


def test_names_that_look_like_something_else_survive_too() -> None:
    text = changed(
        "en: Laboratory, zh: 检验科}, kind: laboratory",
        "en: 'no', zh: '12: 30 #'}, kind: laboratory",
    )
    site = loads(text)
    assert loads(dump(site)) == site
    assert site.places[next(p for p in site.places if p == "laboratory")].name.en == "no"


def test_ids_that_yaml_takes_for_numbers_stay_texts() -> None:
    text = TEXT.replace("a1", "007").replace("a2", "12")
    site = loads(text.replace("[007,", "['007',").replace("[007]", "['007']"))
    assert {"007~12", "pharmacy~007"} <= set(map(str, site.lanes))
    assert loads(dump(site)) == site


# -- faults, each with its line and remedy -------------------------------------------------

CASES = {
    "unknown key": ("kind: pharmacy, at", "knid: pharmacy, at", "unknown key 'knid'", "'kind'"),
    "unknown top key": ("lifts:", "lift_s: {}\nlifts:", "unknown key 'lift_s'", "'lifts'"),
    "wrong type": ("a3: [19, 10]", "a3: [nineteen, 10]", "nineteen", "number"),
    "not finite": ("a3: [19, 10]", "a3: [.nan, 10]", "finite", "number"),
    "three coordinates": ("a3: [19, 10]", "a3: [19, 10, 1]", "at most 2", ""),
    "bad id": ("a3: [19, 10]", "'a 3': [19, 10]", "'a 3' can't be an id", "no spaces"),
    "no name": ("{name: {en: Bay 3, zh: 三号车位}, ", "{", "has no 'name'", "add it"),
    "one language": ("{en: Bay 3, zh: 三号车位}", "{en: Bay 3}", "has no 'zh'", "add it"),
    "boolean name": ("{en: Bay 3,", "{en: yes,", "True", "quotes"),
    "unknown zone": ("zone: semi", "zone: dirty", "'dirty'", "'semi'"),
    "unknown role": ("roles: [decontamination]", "roles: [decontaminaton]", "", "'pad'"),
    "unknown node in a lane": ("[a1, a2, a3, a4]", "[a1, a2, a3, a9]", "no node 'a9'", "define it"),
    "unknown node in joins": ("joins: [a3]", "joins: [zz]", "no node 'zz'", "define it"),
    "unknown door": ("door: d-pharmacy", "door: d-pharmcy", "no door", "'d-pharmacy'"),
    "lane across levels": ("- [b1, b2]", "- [b1, a1]", "is on level L1, not on L2", "lifts"),
    "lane without length": ("- [b1, b2]", "- [b1, b1, b2]", "has no length", "move"),
    "lane twice": ("- [b1, b2]", "- [b1, b2, b1]", "joined twice", "remove"),
    "too short a lane": ("length_m: 13.5", "length_m: 3.5", "not 3.5 m", "length_m"),
    "length of a chain": ("width_m: 1.6,", "length_m: 20,", "chain", "one lane for each"),
    "key twice": ("      a4: [30, 10]", "      a3: [30, 10]", "'a3' appears twice", "rename"),
    "node on two levels": ("b1: [31, 10]", "a1: [31, 10]", "'a1' is there already", "unique"),
    "place on two levels": ("      ward: {", "      pharmacy: {", "is there already", "unique"),
    "area twice": ("id: l2-ward", "id: l1-pharmacy", "is there already", "rename"),
    "place of a foreign node's id": (
        "      ward: {name: {en: Ward, zh: 病房}, kind: ward, at: [31, 16], joins: [b1]}",
        "      b2: {name: {en: Ward, zh: 病房}, kind: ward, node: b1}",
        "not its own",
        "rename",
    ),
    "at and node": ("at: [19, 16], joins", "at: [19, 16], node: a3, joins", "one of at", "node:"),
    "no area shape": (", rect: [2, 12, 12, 20]}", "}", "needs one shape", "rect"),
    "crossing area": (
        "rect: [2, 12, 12, 20]",
        "outline: [[2, 12], [12, 20], [12, 12], [2, 20]]",
        "no polygon",
        "in order",
    ),
    "place on no road": (", joins: [a3]}", "}", "'laboratory' is joined to no road", "joins"),
    "charger on no road": (
        "at: [9, 4], joins: [a1], roles: [parking, charger]",
        "at: [9, 4], roles: [parking, charger]",
        "charger 'park-2' is joined to no road",
        "joins",
    ),
    "cut off": ("- [a1, a2, a3, a4]", "- [a1, a2]\n      - [a3, a4]", "can't be reached", "lanes"),
    "no way back": (
        "- [a1, a2, a3, a4]",
        "- {path: [a1, a2], one_way: true}\n      - [a2, a3, a4]",
        "no way to pharmacy, park-1, park-2",
        "add lanes",
    ),
    "same name in English": ("en: Bay 3,", "en: Bay 2,", "one English name, 'Bay 2'", "name one"),
    "same name in Chinese": ("zh: 三号车位", "zh: 二号车位", "one Chinese name", "name one"),
    "rooms on one another": (
        "rect: [14, 12, 24, 20]",
        "rect: [8, 12, 24, 20]",
        "shares 40% of its ground",
        "outline",
    ),
    "lift of one level": ("cabins: {L1: [36, 10], L2: [36, 10]}, joins: {L1: [a4], L2: [b1]}",
                          "cabins: {L1: [36, 10]}, joins: {L1: [a4]}", "serves 1 level", "cabins"),
    "lift to nowhere": ("L2: [36, 10]}, joins", "L9: [36, 10]}, joins", "no level 'L9'", "define"),
    "cabin joined nowhere": (", L2: [b1]}", "}", "joined to nothing on L2", "joins"),
    "level lift": ("elevation_m: 4.5", "elevation_m: 0", "same elevation", "elevation_m"),
    "fence no polygon": (
        "outline: [[-60, -80], [100, -80], [100, 80], [-60, 80]]",
        "outline: [[-60, -80], [100, 80], [100, -80], [-60, 80]]",
        "is no polygon",
        "in order",
    ),
    "fence of two corners": (
        "outline: [[-60, -80], [100, -80], [100, 80], [-60, 80]]",
        "outline: [[-60, -80], [100, -80]]",
        "at least 3",
        "",
    ),
    "upside-down air": ("floor_agl_m: 20, ceiling_agl_m: 60", "floor_agl_m: 80, ceiling_agl_m: 60",
                        "ceiling at or below", "raise"),
    "pad outside": ("at: [30, -15]", "at: [300, -15]", "outside every geofence", "fence"),
    "no clean way back": (", roles: [decontamination], service_s: 180", "", "no clean way back",
                          "roles: [decontamination]"),
    "impossible date": ("kind: laboratory", "kind: 2026-13-45", "2026-13-45", "quotes"),
    "merge key": ("      a1: [7, 10]", "      <<: {}\n      a1: [7, 10]", "merge", "write"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_fault_is_told_with_line_and_remedy(case: str) -> None:
    old, new, what, remedy = CASES[case]
    faults = faults_of(changed(old, new))
    told = [fault for fault in faults if what in fault.what and remedy in fault.remedy]
    assert told, f"{what!r} / {remedy!r} not in {[str(fault) for fault in faults]}"
    assert all(fault.line > 0 for fault in faults)


@pytest.mark.parametrize(
    "case",
    ["unknown key", "wrong type", "unknown zone", "unknown node in a lane", "unknown door",
     "lane twice", "too short a lane", "at and node", "rooms on one another"],
)  # fmt: skip
def test_the_line_is_the_line_and_one_mistake_is_told_once(case: str) -> None:
    old, new, _, _ = CASES[case]
    text = changed(old, new)
    faults = faults_of(text)
    assert [fault.line for fault in faults] == [line_of(text, new)], [str(f) for f in faults]


def test_all_faults_come_at_once_whatever_their_kind() -> None:
    text = TEXT
    for case in ("unknown key", "wrong type", "unknown zone", "key twice", "unknown door"):
        old, new, _, _ = CASES[case]
        assert old in text
        text = text.replace(old, new, 1)
    text = text.replace("- [b1, b2]", "- [b1, b8]").replace("en: Bay 3,", "en: Bay 2,")
    said = "\n".join(str(fault) for fault in faults_of(text))
    for word in ("'knid'", "nineteen", "'dirty'", "twice", "d-pharmcy", "'b8'", "'Bay 2'"):
        assert word in said
    lines = [fault.line for fault in faults_of(text)]
    assert lines == sorted(lines)


def test_a_lane_after_a_misshapen_one_still_knows_its_line() -> None:
    text = changed("- [b1, b2]", "- 17\n      - [b1, b77]")
    faults = faults_of(text)
    assert {line_of(text, "- 17"), line_of(text, "b77")} <= {fault.line for fault in faults}


def test_what_hangs_on_a_misshapen_node_is_not_blamed() -> None:
    faults = faults_of(changed("a3: [19, 10]", "a3: somewhere"))
    assert len(faults) == 1


# -- files that are no site at all ---------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no site"),
        ("just words", "no site"),
        ("- a\n- b", "no site"),
        ("site: x\n  levels: [", "not YAML"),
        ("site: {", "not YAML"),
        ("a: b\n---\nc: d", "not YAML"),
        ("site: \x01", "not YAML"),
        ("[" * 5000, "nested too deep"),
        ("site: &a [*a]", "holds itself"),
        ("site: !!python/object:os.system x", "not YAML"),
        ("? [a, b]\n: 1", "key"),
        ("levels: 7", "levels"),
        ("levels: {}", "at least 1"),
        ("levels: {L1: 7}", "levels.L1"),
        ("levels: {L1: {nodes: 7}}", "levels.L1.nodes"),
        ("lifts: [1]", "lifts"),
    ],
)
def test_no_junk_is_too_wild_for_a_message(text: str, says: str) -> None:
    said = "\n".join(str(fault) for fault in faults_of(text))
    assert says in said


@pytest.mark.long
def test_a_bomb_of_aliases_is_defused() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    assert "too many parts" in str(faults_of(bomb)[0])


def test_files_that_are_no_text_or_too_big_are_refused(tmp_path: Path) -> None:
    junk = tmp_path / "junk.yaml"
    junk.write_bytes(b"\xff\xfe\x00\x01" * 10)
    assert "UTF-8" in str(examine(junk).faults[0])
    with junk.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert "limit is 20 MB" in str(examine(junk).faults[0])


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "bom.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert load(file).id == "corridor"


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"none\.yaml"):
        load(tmp_path / "none.yaml")


def test_the_error_names_file_line_and_remedy() -> None:
    text = changed("[a1, a2, a3, a4]", "[a1, a2, a3, a9]")
    with pytest.raises(SiteError) as caught:
        loads(text, "clinic.yaml")
    line = line_of(text, "a9")
    assert f"clinic.yaml: line {line}: there is no node 'a9'; define it" in str(caught.value)


# -- warnings ------------------------------------------------------------------------------


def test_a_site_may_say_that_it_is_not_connected() -> None:
    text = changed("- [a1, a2, a3, a4]", "- [a1, a2]\n      - [a3, a4]")
    examined = examine_text(text.replace("site: corridor", "site: corridor\nconnected: false"), "t")
    assert examined.site is not None
    assert any("can't be reached" in warning.what for warning in examined.warnings)
    assert "connected: false" in dump(examined.site)
    assert loads(dump(examined.site)) == examined.site


def test_a_site_on_which_nothing_can_live_is_told_so() -> None:
    text = TEXT.replace("roles: [parking, charger]", "roles: []")
    text = text.replace("roles: [parking]", "roles: []").replace(
        "roles: [pad, charger]", "roles: []"
    )
    said = [str(warning) for warning in examine_text(text, "t").warnings]
    assert (
        "no vehicle can live on this site; give a place roles: [parking], [charger] or [pad]"
        in said
    )


def test_small_doubts_are_warnings() -> None:
    text = changed("      a2: [12, 10]", "      a2: [12, 10]\n      a2x: [12.04, 10]")
    text = text.replace("door: d-pharmacy", "zone: clean")
    text = text.replace("[-10, -40], [50, -40], [50, -4]", "[-10, -400], [50, -40], [50, -4]")
    examined = examine_text(text, "t")
    assert examined.site is not None
    said = "\n".join(str(warning) for warning in examined.warnings)
    assert "'a2' and 'a2x' are 0.04 m apart" in said
    assert "no lane goes through door 'd-pharmacy'" in said
    assert "'yard-patrol' is not wholly inside one geofence" in said

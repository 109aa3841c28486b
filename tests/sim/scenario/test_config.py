"""Scenario files: what they mean, and what is said of those that mean nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dispatcher.errors import ConfigFault
from fleet.vehicle import Medium
from routing.errors import SiteError
from routing.site import Role
from routing.solving.solver import Stage
from sim.judges.expect import evaluate, expectation
from sim.scenario.check import check_scenario
from sim.scenario.config import Scenario, load_scenario
from tests.folders import CONFIGS, SHARED, SMALL_SITES
from tests.sim.hospital import told_at_length

SITE = SMALL_SITES / "small_hospital.yaml"

SMALL = f"""\
# One cart and one drone.
scenario: small
site: {SITE}
start: 2026-02-03T08:00:00+08:00
duration: 2h
models:
  cart:
    make: Porter
    kind: cart
    speed_m_s: 1.2
    width_m: 0.65
    length_m: 0.95
    payload_kg: 50
    load_types: [food]
    skills: [carry]
    energy: {{capacity_wh: 960, idle_w: 25, move_w: 140}}
    link: {{vda5050: {{version: "2.1.0", manufacturer: Porter}}}}
  drone:
    make: Tern
    kind: multirotor
    medium: air
    speed_m_s: 12
    width_m: 1
    length_m: 1
    skills: [camera]
    energy: {{capacity_wh: 360, idle_w: 12, move_w: 420}}
    link: {{mavlink: {{}}}}
vehicles:
  - {{model: cart, ids: [C1, C2], homes: [bay-1, bay-2]}}
  - {{model: drone, ids: [D1], homes: [roof-dock]}}
demand:
  - {{kind: delivery, per_day: 60, goods: food, from: kitchen, to: {{kind: pantry}}, due: 45min}}
  - {{kind: patrol, every: 30min, area: old-market}}
faults:
  - {{at: "09:30", vehicle: C1, fault: stop, for: 10min}}
events:
  - {{at: 30min, close_lane: a1~a2, for: 5min}}
expect:
  done_ratio: ">= 0.97"
  violations: 0
"""


def small(tmp_path: Path, old: str = "", new: str = "", **more: object) -> Scenario:
    assert old in SMALL, f"{old!r} is not in the text, so nothing would be tested"
    path = tmp_path / "small.yaml"
    path.write_text(SMALL.replace(old, new, 1) if old else SMALL, encoding="utf-8")
    return load_scenario(path, **more)  # pyright: ignore[reportArgumentType]


def refusal(tmp_path: Path, old: str, new: str) -> str:
    with pytest.raises(ConfigFault) as caught:
        small(tmp_path, old, new)
    return str(caught.value)


def test_a_robot_on_ros_2_is_refused_rather_than_left_out(tmp_path: Path) -> None:
    link = 'link: {vda5050: {version: "2.1.0", manufacturer: Porter}}'
    said = refusal(tmp_path, link, "link: {ros2: {level: L1}}")
    assert "C1 speaks ROS 2, which no scenario simulates" in said


def test_a_scenario_says_who_does_what_where_and_for_how_long(tmp_path: Path) -> None:
    scenario = small(tmp_path)
    assert scenario.name == "small"
    assert scenario.duration_s == 7200
    assert scenario.start.utcoffset() == timedelta(hours=8)
    assert [vehicle.id for vehicle in scenario.vehicles] == ["C1", "C2", "D1"]
    assert scenario.site.id == "small-hospital"


def test_each_vehicle_gets_its_models_values_and_a_wire_of_its_own(tmp_path: Path) -> None:
    first, second, drone = small(tmp_path).vehicles
    assert first.link.vda5050 is not None
    assert second.link.vda5050 is not None
    assert first.link.vda5050.topic("state") != second.link.vda5050.topic("state")
    assert first.link.vda5050.full_version == "2.1.0"
    spec = first.to_spec()
    assert (spec.payload_g, spec.medium, spec.home) == (50_000, Medium.GROUND, "bay-1")
    assert drone.link.mavlink is not None
    assert drone.to_spec().medium is Medium.AIR


def test_times_of_day_and_times_after_the_start_mean_the_same_clock(tmp_path: Path) -> None:
    scenario = small(tmp_path)
    (fault,) = scenario.planned_faults(seed=1)
    assert fault.at_s == 5400  # 09:30, and the run starts at 08:00
    assert fault.lasts_s == 600
    assert scenario.closures[0].at_s == 1800


def test_an_incident_is_a_line_of_events(tmp_path: Path) -> None:
    line = "- {at: 30min, close_lane: a1~a2, for: 5min}"
    call = "- {at: 1h, incident: {place: ward-b, text: fight}}"
    (planned,) = small(tmp_path, line, call).incidents
    assert (planned.at_s, planned.asked.text) == (3600, "fight")
    nowhere = "- {at: 1h, incident: {place: nowhere}}"
    assert "unknown_place" in refusal(tmp_path, line, nowhere)
    twice = "- {at: 1h, incident: {place: ward-b, x_m: 1}}"
    assert "named_in_two_ways" in refusal(tmp_path, line, twice)
    both = "- {at: 1h, incident: {place: ward-b}, emergency: fire}"
    assert "incident: {place: gate}" in refusal(tmp_path, line, both)
    lasting = "- {at: 1h, incident: {place: ward-b}, for: 10min}"
    assert "on_scene_s" in refusal(tmp_path, line, lasting)


def test_an_emergency_is_a_line_of_events(tmp_path: Path) -> None:
    line = "- {at: 30min, close_lane: a1~a2, for: 5min}"
    alarm = "- {at: 1h, emergency: code_blue, level: L1, for: 10min}"
    (planned,) = small(tmp_path, line, alarm).emergencies
    assert (planned.at_s, planned.lasts_s, planned.asked.level) == (3600, 600, "L1")
    both = "- {at: 1h, close_lane: a1~a2, emergency: fire}"
    assert "emergency: fire, code_blue or weather" in refusal(tmp_path, line, both)


def test_a_time_of_day_before_the_start_comes_on_the_next_day(tmp_path: Path) -> None:
    scenario = small(tmp_path, '"09:30"', '"07:00"')
    assert scenario.planned_faults(seed=1)[0].at_s == 23 * 3600


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("duration: 2h\n", "", ("duration", "24h", "never ends")),
        ("duration: 2h", "duration: 500d", ("line 5", "500d", "400 d")),
        ("duration: 2h", "duration: 0s", ("line 5", "0s", "above 0")),
        ("duration: 2h", "duration: 7200", ("line 5", "7200", "min, h or d")),
        ("duration: 2h", "duration: .inf", ("line 5", "min, h or d")),
        ("+08:00", "", ("line 4", "timezone")),
        ("per_day: 60", "per_day: -1", ("line 32", "per_day", "-1", "greater than or equal to 0")),
        ("per_day: 60, ", "", ("line 32", "say how often")),
        ("per_day: 60", "per_day: 60, total: 3", ("line 32", "per_day and total")),
        ("per_day: 60", "perday: 60", ("line 32", "'perday'", "did you mean 'per_day'")),
        ("kind: delivery", "kind: delivry", ("line 32", "'delivry'", "did you mean 'delivery'")),
        ("{kind: pantry}", "{kind: pantrie}", ("line 32", "'pantrie'", "did you mean 'pantry'")),
        ("{kind: pantry}", "pantry-x", ("line 32", "'pantry-x'", "did you mean 'pantry-")),
        ("{kind: pantry}", "[]", ("line 32", "to: means no place")),
        ("goods: food", "goods: waste", ("line 32", "goods_not_allowed", "load type")),
        ("due: 45min", "due: soon", ("line 32", "soon", "45min")),
        ("old-market", "new-market", ("line 33", "'new-market'", "did you mean 'old-market'")),
        ("every: 30min", "every: 0min", ("line 33", "every", "above 0")),
        ("model: cart,", "model: card,", ("line 29", "'card'", "did you mean 'cart'")),
        ("ids: [C1, C2]", "ids: [C1, C1]", ("line 29", "two vehicles 'C1'", "rename")),
        ("bay-1, bay-2", "bay-1, bay-1", ("line 29", "C2 has the home", "of its own")),
        ("bay-1, bay-2", "bay-1", ("line 29", "2 ids but 1 homes")),
        ("bay-1, bay-2", "bay-1, bay-777", ("line 29", "'bay-777'", "did you mean")),
        ("bay-1, bay-2", "bay-1, pharmacy", ("line 29", "C2 can't live at 'pharmacy'")),
        ("homes: [roof-dock]", "homes: [bay-3]", ("line 30", "D1 can't live", "pad")),
        ("ids: [C1, C2], homes: [bay-1, bay-2]", "count: -2", ("line 29", "count", "-2")),
        ("ids: [C1, C2], homes: [bay-1, bay-2]", "count: 90", ("line 29", "90", "room for 3")),
        ("vehicle: C1", "vehicle: C9", ("line 35", "'C9'", "known are C1, C2, D1")),
        ("fault: stop", "fault: explode", ("line 35", "explode", "'stop'")),
        ("fault: stop", "fault: slow", ("line 35", "share: 0.5")),
        ('at: "09:30"', "at: 14:00", ("line 35", "840", "in quotes")),
        ('at: "09:30"', "per_day: -1", ("line 35", "per_day", "-1", "greater than or equal to 0")),
        ('at: "09:30"', 'at: "09:30", per_day: 1', ("line 35", "either at")),
        ('at: "09:30", ', "", ("line 35", "either at")),
        (
            '"09:30", vehicle',
            '"09:30", door: d1, vehicle',
            ("line 35", "name one of vehicle, link"),
        ),
        ("for: 10min", "for: 10min to 5min", ("line 35", "10min to 5min", "the shorter time")),
        ("for: 10min", "for: ten minutes", ("line 35", "ten minutes", "45min")),
        (
            'at: "09:30", vehicle: C1, fault: stop, for: 10min',
            "per_day: 1, vehicle: C1",
            ("for: ",),
        ),
        ("fault: stop", "fault: gps_loss", ("line 35", "C1 drives", "gps_loss", "what flies")),
        ("vehicle: C1, f", "vehicle: D1, f", ("line 35", "D1 flies", "can't have stop")),
        ("vehicle: C1", "vehicle: {model: card}", ("line 35", "'card'", "did you mean 'cart'")),
        ("vehicle: C1", "vehicle: {level: L1}", ("line 35", "a vehicle has no level")),
        ("vehicle: C1", "vehicle: {model: cart, level: L1}", ("line 35", "{model: cart}")),
        ("vehicle: C1", "vehicle: []", ("line 35", "means no vehicle")),
        ("vehicle: C1, fault: stop", "link: C1", ("line 35", "delay, loss or reorder")),
        (
            "vehicle: C1, fault: stop",
            "link: C7, fault: loss, share: 1",
            ("line 35", "vehicle 'C7'"),
        ),
        ("vehicle: C1, fault: stop", "door: none, fault: jam", ("line 35", "no door 'none'")),
        ("vehicle: C1, fault: stop", "lift: none, fault: jam", ("line 35", "no lift 'none'")),
        ("vehicle: C1, fault: stop", "workcell: w1, fault: fail", ("line 35", "no workcell 'w1'")),
        ("vehicle: C1, fault: stop", "workcell: any", ("line 35", "means no workcell at all")),
        (
            "vehicle: C1, fault: stop",
            "workcell: w1, fault: jam",
            ("line 35", "a workcell can have the faults fail, silent, stop"),
        ),
        ("vehicle: C1, fault: stop", "lane: a1~a9", ("line 35", "no lane 'a1~a9'")),
        ("vehicle: C1, fault: stop", 'lane: "z9*"', ("line 35", "no lane 'z9*'")),
        ("fault: stop", "fault: jam", ("line 35", "a vehicle can have the faults battery, gps")),
        ("fault: stop", "fault: stop, share: 0.5", ("line 35", "stop has no share")),
        ("fault: stop", "fault: battery, share: 0.5", ("line 35", "leave for: out")),
        ("fault: stop", "fault: wrong_pose, off_m: -2", ("line 35", "off_m", "-2")),
        (
            "for: 10min}",
            'for: 10min}\n  - {at: "09:35", vehicle: any, for: 1min}',
            ("line 36", "C1 has this fault from line 35 already", "take one of the two out"),
        ),
        (
            "events:",
            "crowds:\n  - {lanes: z9-*, chance: 0.1, delay: 5s}\nevents:",
            ("line 37", "no lane 'z9-*'"),
        ),
        (
            "events:",
            "crowds:\n  - {lanes: any, chance: 1.5, delay: 5s}\nevents:",
            ("line 37", "1.5", "from 0 to 1"),
        ),
        (
            "events:",
            "crowds:\n  - {lanes: {level: L77}, chance: 1, delay: 0s}\nevents:",
            ("line 37", "delay is '0s'", "above 0"),
        ),
        ("a1~a2", "a1~a9", ("line 37", "a1~a9", "did you mean")),
        ('">= 0.97"', '"around 1"', ("line 39", "around 1", ">= 0.97")),
        ("capacity_wh: 960", "capacity_wh: -960", ("line 16", "capacity_wh", "-960")),
        ("capacity_wh: 960", "capacity_wh: .nan", ("line 16", "capacity_wh")),
        ("speed_m_s: 1.2", "speed_mps: 1.2", ("line 10", "speed_mps", "did you mean 'speed_m_s'")),
        ('"2.1.0"', '"1.1"', ("line 17", "'1.1'", "'2.0', '2.1', '3.0' or 'auto'")),
        (str(SITE), "nowhere.yaml", ("line 3", "nowhere.yaml", "No such file")),
        ("scenario: small", "scenario: small\nscenery: hills", ("line 3", "'scenery'")),
        ("scenario: small", "scenario: small\nscenario: big", ("line 3", "appears twice")),
        ("events:", "events: [", ("this is not YAML",)),
    ],
)
def test_every_mistake_is_told_with_line_value_and_remedy(
    tmp_path: Path, old: str, new: str, said: tuple[str, ...]
) -> None:
    message = refusal(tmp_path, old, new)
    for words in said:
        assert words in message
    assert "Value error" not in message


@pytest.mark.parametrize(
    ("living", "said"),
    [
        ("count: 1", "1 of 'cart', but room for 0 more vehicles; lower the count, or add parking"),
        ("count: auto", "no home on this site for any 'cart'; add a place with the role parking"),
        ("ids: [C1], homes: [kitchen]", "C1 can't live at 'kitchen': it is no charger or parking"),
    ],
)
def test_on_a_site_without_parking_nobody_can_live(tmp_path: Path, living: str, said: str) -> None:
    site = tmp_path / "site.yaml"
    text = SITE.read_text(encoding="utf-8").replace("roles: [parking, charger]", "roles: []")
    site.write_text(text.replace("roles: [parking]", "roles: []"), encoding="utf-8")
    path = tmp_path / "small.yaml"
    text = SMALL.replace("ids: [C1, C2], homes: [bay-1, bay-2]", living)
    path.write_text(text.replace(str(SITE), str(site)), encoding="utf-8")
    assert said in str([str(fault) for fault in check_scenario(path).faults])
    with pytest.raises(ConfigFault) as caught:
        load_scenario(path)
    assert said in str([str(fault) for fault in caught.value.faults])


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    text = SMALL.replace("bay-2", "bay-777").replace("pantry", "pantrie")
    path.write_text(text.replace("vehicle: C1", "vehicle: C9"), encoding="utf-8")
    with pytest.raises(ConfigFault) as caught:
        load_scenario(path)
    assert [fault.line for fault in caught.value.faults] == [29, 32, 35]


def test_a_file_that_is_not_there_is_a_fault_and_no_traceback(tmp_path: Path) -> None:
    with pytest.raises(ConfigFault, match=r"No such file.*check the path"):
        load_scenario(tmp_path / "none.yaml")


@pytest.mark.parametrize("text", ["", "just words", "- a\n- list\n", "\x00\x01"])
def test_what_is_no_scenario_at_all_is_refused_politely(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigFault):
        load_scenario(path)


def test_a_wrong_site_file_is_told_by_its_own_name(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("site: x\n", encoding="utf-8")
    with pytest.raises(SiteError, match=r"site\.yaml"):
        small(tmp_path, site=site)


def test_values_can_be_set_from_outside(tmp_path: Path) -> None:
    overrides = [
        "duration=30min",
        "demand.0.per_day=5",
        "models.cart.speed_m_s=0.7",
        "expect.done_ratio=>= 0.5",
        "load=2",
    ]
    scenario = small(tmp_path, overrides=overrides)
    assert scenario.duration_s == 1800
    assert scenario.demand[0].per_day == 5
    assert scenario.vehicles[0].speed_m_s == 0.7
    assert scenario.expect[0].limit == 0.5
    assert scenario.load == 2


@pytest.mark.parametrize(
    ("value", "stages"),
    [
        ("[]", []),
        ("ortools", [Stage.ORTOOLS]),
        ("ortools,ruin_recreate", [Stage.ORTOOLS, Stage.RUIN_RECREATE]),
        ("[partition, ortools]", [Stage.PARTITION, Stage.ORTOOLS]),
    ],
)
def test_stages_can_be_set_from_outside(tmp_path: Path, value: str, stages: list[Stage]) -> None:
    scenario = small(tmp_path, overrides=[f"planner.stages={value}", "planner.preempt=false"])
    assert list(scenario.planner.stages) == stages
    assert not scenario.planner.preempt
    assert scenario.planner.learn_travel_times


def test_a_stage_that_is_none_is_told_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigFault, match="no stage 'ortols'; write any of ortools, ruin_recreate"):
        small(tmp_path, overrides=["planner.stages=ortols,partition"])


@pytest.mark.parametrize("override", ["duration", "demand.9.per_day=5", "duration.x.y=1", "=3"])
def test_a_setting_that_fits_nowhere_is_refused(tmp_path: Path, override: str) -> None:
    with pytest.raises(ConfigFault, match="can't set"):
        small(tmp_path, overrides=[override])


def test_a_setting_with_a_bad_value_is_refused_like_one_in_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigFault, match=r"line 5: duration is 'long'"):
        small(tmp_path, overrides=["duration=long"])


def test_a_scenario_for_any_site_wants_to_be_told_one() -> None:
    with pytest.raises(ConfigFault, match="names no site; name one with --site"):
        load_scenario(CONFIGS / "any-site.yaml")


@pytest.mark.parametrize(
    "map_name", ["office", *told_at_length("airport_terminal", "campus", "clinic", "hotel")]
)
def test_robots_find_homes_on_maps_that_nobody_prepared(map_name: str) -> None:
    maps = SHARED / "maps"
    if not maps.is_dir():
        pytest.skip("needs the collection of Open-RMF maps beside the checkout")
    path = maps / f"{map_name}.building.yaml"
    scenario = load_scenario(CONFIGS / "any-site.yaml", site=path)
    homes = [scenario.site.places[v.to_spec().home] for v in scenario.vehicles]
    assert 3 <= len(homes) <= 6
    assert len({place.node for place in homes}) == len(homes)
    assert all({Role.PARKING, Role.CHARGER} & place.roles for place in homes)
    kinds = {kind for lane in scenario.site.lanes.values() for kind in lane.kinds}
    assert all(not kinds or vehicle.kind in kinds for vehicle in scenario.vehicles)


def test_drones_come_only_where_there_are_pads() -> None:
    scenario = load_scenario(CONFIGS / "any-site.yaml", site=SITE)
    media = [vehicle.medium for vehicle in scenario.vehicles]
    assert media.count(Medium.GROUND) == 3
    assert media.count(Medium.AIR) == 1


@pytest.mark.parametrize(
    ("name", "wanted", "summary", "ok"),
    [
        ("done_ratio", ">= 0.97", {"done_ratio": 0.97}, True),
        ("done_ratio", ">= 0.97", {"done_ratio": 0.9699}, False),
        ("late", "< 5", {"late": 5}, False),
        ("violations", 0, {"violations": {"zone": 0, "collision": 0}}, True),
        ("violations", 0, {"violations": {"zone": 1, "collision": 0}}, False),
        ("violations.zone", 0, {"violations": {"zone": 0, "collision": 3}}, True),
        ("kinds_done", ["patrol"], {"kinds_done": ["delivery", "patrol"]}, True),
        ("kinds_done", ["patrol"], {"kinds_done": {"delivery": 3, "patrol": 0}}, False),
        ("done_ratio", ">= 0.97", {}, False),
        ("done_ratio", ">= 0.97", {"done_ratio": None}, False),
        ("done_ratio", ">= 0.97", {"done_ratio": "all of it"}, False),
    ],
)
def test_a_run_is_held_to_what_its_scenario_promised(
    name: str, wanted: object, summary: dict[str, object], ok: bool
) -> None:
    (result,) = evaluate([expectation(name, wanted)], summary)
    assert result.ok is ok
    assert name in str(result)


def test_a_check_tells_what_is_in_a_scenario_and_what_is_wrong_with_it(tmp_path: Path) -> None:
    found = dict(check_scenario(CONFIGS / "quick.yaml").summary)
    assert found["duration"].startswith("0.16")
    assert "7: " in found["vehicles"]
    assert "11 with seed 1" in found["requests"]
    bad = tmp_path / "bad.yaml"
    bad.write_text(SMALL.replace("duration: 2h", "duration: long"), encoding="utf-8")
    assert [fault.line for fault in check_scenario(bad).faults] == [5]


def test_a_check_of_a_scenario_for_any_site_only_warns() -> None:
    checked = check_scenario(CONFIGS / "any-site.yaml")
    assert not checked.faults
    assert "no site" in checked.warnings[0].what


def test_every_scenario_of_ours_can_be_read() -> None:
    found = [load_scenario(CONFIGS / name) for name in ("quick.yaml", "outbreak-day.yaml")]
    assert [scenario.start.astimezone(UTC) < datetime(2027, 1, 1, tzinfo=UTC) for scenario in found]
    assert all(scenario.expect for scenario in found)

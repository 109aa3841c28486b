"""What people will ask for: seeded, repeatable, and of the right size and shape."""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from dispatcher.desks.intake import parse
from dispatcher.domain.task import Kind
from sim.scenario.config import Scenario, load_scenario
from sim.scenario.demand import Order, demand
from sim.scenario.demand_rows import PROFILES
from tests.folders import CONFIGS, SMALL_SITES

SITE = SMALL_SITES / "small_hospital.yaml"

HEAD = f"""\
scenario: asking
site: {SITE}
start: 2026-02-03T00:00:00+08:00
duration: 24h
models:
  all-rounder:
    make: Porter
    kind: cart
    speed_m_s: 1
    width_m: 0.6
    length_m: 0.9
    payload_kg: 80
    payload_l: 300
    load_types: [food, general, medicine]
    skills: [carry, lock, uv_c, camera]
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
  - {{model: all-rounder, ids: [C1], homes: [bay-1]}}
  - {{model: drone, ids: [D1], homes: [roof-dock]}}
demand:
"""
MEALS = (
    "{kind: delivery, per_day: 300, profile: meals, goods: food, from: kitchen,"
    " to: {kind: pantry}, mass_kg: [5, 30], due: 45min}"
)
ROUNDS = (
    "{kind: medicine, per_day: 90, from: pharmacy, to: {kind: ward},"
    " priority: {routine: 3, stat: 1}, due: {routine: 1h, stat: 15min}}"
)


@pytest.fixture
def asking(tmp_path: Path) -> "Asking":
    return Asking(tmp_path)


class Asking:
    """Writes a scenario with the given lines of demand, and draws from it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "asking.yaml"

    def scenario(self, *rows: str, **more: object) -> Scenario:
        lines = "".join(f"  - {row}\n" for row in rows)
        self._file.write_text(HEAD + lines, encoding="utf-8")
        return load_scenario(self._file, **more)  # pyright: ignore[reportArgumentType]

    def __call__(self, *rows: str, seed: int = 1, **more: object) -> list[Order]:
        scenario = self.scenario(*rows, **more)
        return demand(scenario, scenario.site, seed=seed)


def test_the_same_seed_asks_for_the_same_and_another_for_something_else(asking: Asking) -> None:
    assert asking(MEALS, ROUNDS) == asking(MEALS, ROUNDS)
    assert asking(MEALS, seed=1) != asking(MEALS, seed=2)


def test_a_line_more_changes_nothing_in_the_others(asking: Asking) -> None:
    alone = asking(MEALS)
    both = asking(ROUNDS, MEALS)
    assert [order for order in both if order.request["kind"] == "delivery"] == alone


def test_two_equal_lines_do_not_ask_at_the_same_moments(asking: Asking) -> None:
    orders = asking(MEALS, MEALS)
    assert len({order.at_s for order in orders}) == len(orders)


def test_a_longer_run_begins_with_the_shorter_one(asking: Asking) -> None:
    half = asking(MEALS, ROUNDS, overrides=["duration=12h"])
    whole = asking(MEALS, ROUNDS)
    assert half == [order for order in whole if order.at_s < 12 * 3600]
    assert 0 < len(half) < len(whole)


def test_a_day_asks_for_about_as_much_as_it_says(asking: Asking) -> None:
    counts = [len(asking(MEALS, seed=seed)) for seed in range(10)]
    assert sum(counts) / len(counts) == pytest.approx(300, rel=0.05)  # 3 standard errors


def test_the_load_factor_asks_for_more_of_everything(asking: Asking) -> None:
    counts = [len(asking(MEALS, seed=s, overrides=["load=2"])) for s in range(10)]
    assert sum(counts) / len(counts) == pytest.approx(600, rel=0.05)


def test_meals_are_asked_for_at_meal_times_only(asking: Asking) -> None:
    hours = Counter(int(order.at_s // 3600) for order in asking(MEALS))
    silent = [hour for hour, weight in enumerate(PROFILES["meals"]) if weight == 0]
    assert not any(hours[hour] for hour in silent)
    assert hours[11] > hours[12] > 0


def test_hours_of_the_day_count_from_midnight_wherever_the_run_starts(asking: Asking) -> None:
    orders = asking(MEALS, overrides=["start=2026-02-03T10:00:00+08:00", "duration=4h"])
    assert orders
    assert {10 + int(order.at_s // 3600) for order in orders} == {10, 11, 12}


def test_a_timetable_is_kept_to_the_second(asking: Asking) -> None:
    row = "{kind: patrol, every: 2h, offset: 10min, area: old-market}"
    assert [order.at_s for order in asking(row)] == [600.0 + 7200 * n for n in range(12)]
    late = asking(row, overrides=["start=2026-02-03T03:00:00+08:00", "duration=3h"])
    assert [order.at_s for order in late] == [4200.0]  # 04:10


def test_times_of_day_come_every_day(asking: Asking) -> None:
    row = '{kind: patrol, at: ["06:30", "22:00"], area: old-market}'
    orders = asking(row, overrides=["duration=48h"])
    assert [order.at_s / 3600 for order in orders] == [6.5, 22, 30.5, 46]


def test_outside_of_its_hours_nothing_is_asked_for(asking: Asking) -> None:
    row = '{kind: patrol, every: 1h, between: ["22:00", "06:00"], area: old-market}'
    assert [order.at_s / 3600 for order in asking(row)] == [0, 1, 2, 3, 4, 5, 22, 23]


def test_a_total_is_exact_and_leaves_time_to_finish(asking: Asking) -> None:
    row = "{kind: patrol, total: 40, area: old-market}"
    orders = asking(row)
    assert len(orders) == 40
    assert max(order.at_s for order in orders) <= 20 * 3600
    quick = asking("{kind: patrol, total: 40, within: 90s, area: old-market}")
    assert max(order.at_s for order in quick) <= 90


def test_due_times_follow_the_priority(asking: Asking) -> None:
    orders = asking(ROUNDS)
    start = datetime.fromisoformat("2026-02-03T00:00:00+08:00")
    seen: Counter[tuple[str, int]] = Counter()
    for order in orders:
        due = datetime.fromisoformat(order.request["due_at"])
        late_s = (due - start).total_seconds() - order.at_s
        seen[order.request["priority"], round(late_s)] += 1
    assert set(seen) == {("routine", 3600), ("stat", 900)}
    assert seen["stat", 900] / len(orders) == pytest.approx(0.25, abs=0.12)


def test_one_delivery_may_go_to_several_places(asking: Asking) -> None:
    row = (
        "{kind: delivery, total: 30, goods: food, from: kitchen, to: {kind: pantry}, drops: 2,"
        " mass_kg: [5, 30]}"
    )
    for order in asking(row):
        assert len(set(order.request["to"])) == 2
        assert 5 <= order.request["mass_kg"] <= 30


def test_a_patrol_walks_its_points_in_the_order_of_the_list(asking: Asking) -> None:
    row = "{kind: patrol, total: 3, points: [ward-b, kitchen, ward-a]}"
    assert {tuple(o.request["points"]) for o in asking(row)} == {("ward-b", "kitchen", "ward-a")}


def test_any_place_means_one_that_somebody_can_drive_to(asking: Asking) -> None:
    row = "{kind: delivery, total: 60, from: any, to: any}"
    orders = asking(row)
    assert len(orders) == 60
    places = {place for o in orders for place in (o.request["from"], *o.request["to"])}
    assert "bay-1" not in places  # somebody lives there
    assert "roof-dock" not in places  # carts don't fly
    assert places == {"kitchen", "pharmacy", "ward-a", "ward-b", "pantry-a", "pantry-b", "pantry-c"}


def test_what_nobody_can_do_is_not_asked_for_by_lines_that_say_any(asking: Asking) -> None:
    scenario = asking.scenario("{kind: patrol, total: 5, area: any}")
    grounded = replace(scenario, vehicles=scenario.vehicles[:1])
    assert len(demand(scenario, scenario.site, seed=1)) == 5
    assert demand(grounded, scenario.site, seed=1) == []


@pytest.mark.parametrize("name", ["quick.yaml", "outbreak-day.yaml"])
def test_every_request_of_our_scenarios_is_one_that_the_api_takes(name: str) -> None:
    scenario = load_scenario(CONFIGS / name)
    orders = demand(scenario, scenario.site, seed=3)
    answers = [parse(order.request) for order in orders]
    assert not [answer for answer in answers if isinstance(answer, list)]
    assert {order.request["kind"] for order in orders} == {kind.value for kind in Kind}


def test_the_outbreak_day_is_a_full_day() -> None:
    scenario = load_scenario(CONFIGS / "outbreak-day.yaml")
    orders = demand(scenario, scenario.site, seed=1)
    assert 800 <= len(orders) <= 1000
    by_air = [order for order in orders if order.request.get("by") == "air"]
    assert 15 <= len(by_air) <= 45
    assert all(order.request["mass_kg"] <= 3 for order in by_air)
    assert sum("area" in order.request for order in orders) == 24

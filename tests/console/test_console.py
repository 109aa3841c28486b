"""The console in a real browser, on the real API, with a ward behind it that only keeps books."""

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Page, expect

from dispatcher.desks.intake import parse
from dispatcher.domain.task import Kind, Patrol, Priority, TaskId, TaskState
from dispatcher.domain.views import Activity
from dispatcher.patrols.patrol_judge import Forecast
from dispatcher.records.alerts import Severity
from fleet.vehicle import Breach, VehicleId, Weight
from routing.refusal import Refusal
from tests.console.conftest import Visit
from tests.console.desk import TABLET, Desk

pytestmark = pytest.mark.browser

MAX_REQUESTS = 40
MAX_GZIP_BYTES = 150_000


async def ask(desk: Desk, **asked: Any) -> TaskId:
    """Someone else asks for a task."""
    request = parse(asked)
    assert not isinstance(request, list), request
    return (await desk.ward.submit(request)).id


async def a_delivery(desk: Desk, item: str = "Blankets") -> TaskId:
    places = {"from": "ward-1", "to": "icu"}
    return await ask(desk, kind="delivery", item=item, mass_kg=2, **places)


async def choose(page: Page, field: str, name: str) -> None:
    """Type a place's name and take the first that fits."""
    await page.fill(f"#field-{field}", name)
    await page.press(f"#field-{field}", "Enter")


async def new_task(page: Page, kind: str) -> None:
    await page.click(".new")
    await page.click(f".compose [data-value={kind}]")


async def test_the_page_is_light_and_asks_nobody_else(visit: Visit, desk: Desk) -> None:
    await a_delivery(desk)
    visitor = await visit()
    sizes: list[int] = []

    async def weigh(url: str) -> None:
        body = await (await visitor.page.context.request.get(url)).body()
        sizes.append(len(gzip.compress(body)))

    page = await visitor.open()
    await expect(page.locator(".row")).to_have_count(1)
    assert len(visitor.requests) < MAX_REQUESTS
    for url in [u for u in visitor.requests if u.startswith("http")]:
        await weigh(url)
    assert sum(sizes) < MAX_GZIP_BYTES, sorted(sizes)


async def test_the_first_word_shows_all_there_is(visit: Visit, desk: Desk) -> None:
    await a_delivery(desk)
    page = await (await visit()).open()
    await expect(page.locator(".bar .site")).to_have_text("Ward")
    await expect(page.locator(".tag.simulation")).to_have_text("Simulation")
    await expect(page.locator(".link")).to_contain_text("Live")
    await expect(page.locator(".row .route")).to_have_text("Ward 1 → ICU")
    drawn = "Array.from(document.querySelectorAll('.map canvas'), (c) => c.getContext('2d')"
    drawn += ".getImageData(0, 0, c.width, c.height).data.some((byte) => byte > 0))"
    assert await page.evaluate(drawn) == [True, True]
    await page.click("nav [data-screen=fleet]")
    await expect(page.locator(".page[data-screen=fleet] tbody tr")).to_have_count(3)


async def test_what_others_do_is_seen_at_once(visit: Visit, desk: Desk) -> None:
    page = await (await visit()).open()
    task = await a_delivery(desk, "Pillows")
    row = page.locator(f"[data-task={task}]")
    await expect(row).to_contain_text("Pillows")
    await desk.ward.prioritise(task, Priority.STAT)
    await expect(row.locator(".tag")).to_have_text("STAT")
    await desk.ward.cancel(task)
    await expect(page.locator(f".tasks.ended [data-task={task}]")).to_contain_text("cancelled")


async def test_each_kind_of_task_can_be_asked_for(visit: Visit, desk: Desk) -> None:
    page = await (await visit()).open()
    await new_task(page, "delivery")
    await page.fill("#field-item", "Meals")
    await page.select_option("#field-goods", "food")
    await choose(page, "from", "Ward")
    await choose(page, "to", "重症")
    await choose(page, "to", "Pharm")
    await page.fill("#field-mass_kg", "2,5")
    await page.click(".priorities [data-value=urgent]")
    await page.click("button[type=submit]")
    await expect(page.locator("[data-task=T-000001]").first).to_contain_text("Meals")

    await new_task(page, "medicine")
    assert await page.get_attribute(".priorities [data-value=routine]", "aria-checked") == "true"
    await page.fill("#field-item", "Insulin")
    await choose(page, "to", "ICU")
    await page.click("button[type=submit]")
    await expect(page.locator(".row[data-task=T-000002]")).to_contain_text("Insulin")

    await new_task(page, "patrol")
    await choose(page, "area", "Park")
    await page.click("button[type=submit]")
    await expect(page.locator(".row[data-task=T-000003]")).to_contain_text("Park")

    await new_task(page, "disinfection")
    await choose(page, "room", "Ward 1")
    await page.click("button[type=submit]")
    await expect(page.locator(".row[data-task=T-000004]")).to_contain_text("Disinfection")

    asked = {task.kind: task for task in desk.ward.open_tasks()}
    assert set(asked) == set(Kind)
    delivery = asked[Kind.DELIVERY]
    assert delivery.priority is Priority.URGENT
    assert asked[Kind.MEDICINE].priority is Priority.ROUTINE
    spec: Any = delivery.spec
    assert (spec.drop_offs, spec.mass_g, spec.goods) == (("icu", "pharmacy"), 2500, "food")


async def test_a_refusal_stands_at_its_field_in_the_users_language(visit: Visit) -> None:
    page = await (await visit()).open()
    await new_task(page, "delivery")
    await page.click("button[type=submit]")
    await expect(page.locator("[data-field=item] .fault")).to_have_text(
        "This is needed. Fill it in"
    )
    await page.fill("#field-item", "Meals")
    await choose(page, "from", "ICU")
    await choose(page, "to", "ICU")
    await page.fill("#field-mass_kg", "heavy")
    await page.click("button[type=submit]")
    await expect(page.locator("[data-field=mass_kg] .fault")).to_contain_text("heavy")
    await page.fill("#field-mass_kg", "2")
    await page.click("button[type=submit]")
    fault = page.locator("[data-field=to] .fault")
    await expect(fault).to_contain_text("ICU is where it comes from")
    await expect(page.locator("[data-field=item] .fault")).to_be_hidden()
    assert await page.input_value("#field-item") == "Meals"
    await page.click(".language")
    await expect(fault).to_contain_text("请选择其他地点")


async def test_the_language_changes_at_once_and_loses_nothing(visit: Visit, desk: Desk) -> None:
    await a_delivery(desk)
    reason = Refusal("waits_for_lift", {"lift": "lift-1", "by": "cart-2", "waited_s": 40})
    cart = desk.ward.fleet[VehicleId("cart-1")]
    desk.ward.show(replace(cart, activity=Activity.WAITING, waiting_for=reason))
    desk.ward.book.open("vehicle_offline", Severity.HIGH, vehicle=VehicleId("cart-3"))
    visitor = await visit()
    page = await visitor.open()
    await new_task(page, "delivery")
    await page.fill("#field-item", "Half a tho")
    await page.click(".language")
    await expect(page.locator(".compose h2")).to_have_text("新建任务")
    assert await page.input_value("#field-item") == "Half a tho"
    await expect(page.locator(".bar .site")).to_have_text("病区")
    assert await page.get_attribute("html", "lang") == "zh-Hans"
    for _ in range(2):
        for path in ("#/tasks", "#/fleet/vehicle/cart-1", "#/alerts", "#/operations/task/T-000001"):
            await page.goto(f"{desk.url}/{path}")
            await page.wait_for_timeout(150)
        await page.keyboard.press("?")
        await page.keyboard.press("Escape")
        await page.click(".language")
    assert await visitor.missing() == []
    await page.reload()
    await expect(page.locator(".bar .site")).to_have_text("病区")


async def test_a_silent_link_is_seen_and_comes_back_by_itself(visit: Visit, desk: Desk) -> None:
    page = await (await visit()).open()
    await new_task(page, "delivery")
    await page.fill("#field-item", "Half a thought")
    await desk.fall_silent()
    link = page.locator(".link")
    await expect(link).to_contain_text("Lost", timeout=8000)
    await expect(link).to_contain_text("your work is kept")
    desk.speak()
    await expect(link).to_contain_text("Live", timeout=15_000)
    assert await page.input_value("#field-item") == "Half a thought"


async def test_a_task_asked_for_without_a_server_is_sent_once_it_is_back(
    visit: Visit, desk: Desk
) -> None:
    page = await (await visit()).open()
    await new_task(page, "delivery")
    await page.fill("#field-item", "Blood")
    await choose(page, "from", "Ward 1")
    await choose(page, "to", "ICU")
    await page.fill("#field-mass_kg", "1")
    await desk.stop()
    await expect(page.locator(".link")).to_contain_text("Lost", timeout=8000)
    await page.click("button[type=submit]")
    await expect(page.locator(".letter")).to_contain_text("sent when the link is back")
    await page.keyboard.press("n")
    await page.fill("#field-item", "The next one")
    await desk.start()
    await expect(page.locator(".link")).to_contain_text("Live", timeout=15_000)
    await expect(page.locator(".letter")).to_have_count(0)
    assert await page.input_value("#field-item") == "The next one"
    assert [task.id for task in desk.ward.open_tasks()] == ["T-000001"]


async def test_a_draft_and_a_refused_letter_survive_a_reload(visit: Visit, desk: Desk) -> None:
    visitor = await visit()
    page = await visitor.open()
    letter = {"kind": "delivery", "item": "Odd", "from": "ward-1", "to": ["icu"], "mass_kg": -1}
    outbox = json.dumps([{"key": "k1", "body": letter | {"priority": "stat"}, "refused": None}])
    await page.evaluate("(text) => localStorage.setItem('wardline.outbox', text)", outbox)
    await new_task(page, "medicine")
    await page.fill("#field-item", "Insu")
    await page.reload()
    refused = page.locator(".letter.refused")
    await expect(refused).to_contain_text("out of range")
    await page.click(".new")
    assert await page.input_value("#field-item") == "Insu"
    await page.keyboard.press("Escape")
    await refused.get_by_text("Correct it").click()
    assert await page.input_value("#field-item") == "Odd"
    await expect(page.locator("[data-field=mass_kg] .fault")).to_be_visible()
    await page.fill("#field-mass_kg", "1")
    await page.click("button[type=submit]")
    await expect(page.locator(".row[data-task=T-000001] .tag")).to_have_text("STAT")


async def test_all_of_it_works_from_the_keyboard(visit: Visit, desk: Desk) -> None:
    page = await (await visit()).open()
    keys = page.keyboard
    await keys.press("n")
    await page.wait_for_selector(".compose [data-value=delivery]:focus")
    await keys.press("ArrowRight")
    await page.wait_for_selector(".compose [data-value=medicine]:focus")
    await keys.press("Tab")
    await keys.type("Insulin")
    await keys.press("Tab")
    await keys.type("ward")
    await keys.press("Enter")
    await keys.press("Enter")
    row = page.locator(".row[data-task=T-000001]")
    await expect(row).to_contain_text("Insulin")
    await expect(page.locator(".drawer [data-task=T-000001]")).to_be_visible()
    await keys.press("Escape")
    await expect(page.locator(".drawer")).to_be_hidden()
    await row.focus()
    await keys.press("Enter")
    await expect(page.locator(".drawer h2")).to_have_text("Insulin")
    await keys.press("g")
    await keys.press("f")
    await expect(page.locator(".page[data-screen=fleet] table")).to_be_visible()
    await keys.press("/")
    await page.wait_for_selector("#search:focus")
    await keys.type("insu")
    await expect(page.locator(".page[data-screen=tasks] tbody tr")).to_have_count(1)
    await keys.press("Escape")
    await keys.press("?")
    await expect(page.locator("dialog.help")).to_be_visible()
    await keys.press("Escape")
    await keys.press("g")
    await keys.press("o")
    await expect(page.locator(".stage")).to_be_visible()


async def test_an_alert_is_acknowledged_by_name(visit: Visit, desk: Desk) -> None:
    page = await (await visit()).open()
    await expect(page.locator(".strip")).to_be_hidden()
    desk.ward.book.open("vehicle_offline", Severity.HIGH, vehicle=VehicleId("cart-2"))
    strip = page.locator(".strip")
    await expect(strip).to_contain_text("Cart 2 is not heard any more")
    await page.keyboard.press("a")
    await page.keyboard.press("Enter")  # nobody has said who sits here
    await page.fill("#operator", "Li Wei")
    await page.click(".alerts .acknowledge")
    await expect(strip).to_be_hidden()
    await expect(page.locator(".alerts.past")).to_contain_text("acknowledged by Li Wei")
    assert [alert.acknowledged_by for alert in desk.ward.alerts()] == ["Li Wei"]


async def test_an_unknown_code_is_still_readable(visit: Visit, desk: Desk) -> None:
    page = await (await visit()).open()
    desk.ward.book.open("flux_capacitor_dry", Severity.NOTICE, level_m=3.5)
    await expect(page.locator(".strip")).to_contain_text("Flux capacitor dry (level m 3.5 m)")


async def test_a_workcell_is_called_by_its_name_in_both_languages(visit: Visit, desk: Desk) -> None:
    task = await a_delivery(desk)
    book, high = desk.ward.book, Severity.HIGH
    book.open("workcell_failed", high, workcell="picker", text="jammed", stopped=task)
    page = await (await visit()).open()
    strip = page.locator(".strip")
    await expect(strip).to_contain_text("Picker could not hand over: jammed; Blankets is held up")
    await page.click(".language")
    await expect(strip).to_contain_text("发药机未能交接：jammed；受影响：Blankets")


async def test_a_vehicle_is_picked_on_the_map_and_taken_out_of_service_by_holding(
    visit: Visit, desk: Desk
) -> None:
    page = await (await visit()).open()
    await page.keyboard.press("g")
    await page.keyboard.press("o")
    where = "import('/store.js').then((store) => store.state.vehicles.has('cart-1'))"
    assert await page.evaluate(where)
    spot = await page.evaluate(
        """() => {
          const canvas = document.querySelector('.map-vehicles');
          const {width, height} = canvas;
          const {data} = canvas.getContext('2d').getImageData(0, 0, width, height);
          const idle = [123, 135, 148];
          let sum = [0, 0, 0];
          for (let i = 0; i < data.length; i += 4) {
            if (idle.every((value, n) => Math.abs(data[i + n] - value) < 3) && data[i + 3] > 250) {
              sum = [sum[0] + 1, sum[1] + (i / 4) % width, sum[2] + Math.floor(i / 4 / width)];
            }
          }
          const box = canvas.getBoundingClientRect();
          return [box.x + sum[1] / sum[0], box.y + sum[2] / sum[0]];
        }"""
    )
    await page.mouse.click(*spot)
    await expect(page.locator(".drawer [data-vehicle]")).to_be_visible()
    picked = VehicleId(str(await page.get_attribute(".drawer [data-vehicle]", "data-vehicle")))
    assert page.url.endswith(f"#/operations/vehicle/{picked}")
    hold = page.locator(".drawer .actions .hold", has_text="out of service")
    await hold.click()
    await page.wait_for_timeout(300)
    assert desk.ward.fleet[picked].in_service, "a tap is not enough"
    await hold.hover()
    await page.mouse.down()
    await page.wait_for_timeout(1200)
    await page.mouse.up()
    await expect(page.locator(".drawer .actions")).to_contain_text("into service")
    assert not desk.ward.fleet[picked].in_service


async def test_the_panel_says_which_rules_a_vehicle_breaks(desk: Desk, visit: Visit) -> None:
    page = await (await visit()).open("#/operations/vehicle/cart-1")
    await expect(page.locator(".drawer [data-vehicle]")).to_be_visible()
    await expect(page.locator(".drawer .conduct")).to_be_hidden()
    breach = Breach(
        rule="beyond_base",
        words="drives beyond its base",
        weight=Weight.GRAVE,
        count=1,
        first_s=0.0,
        last_s=0.0,
    )
    view = desk.ward.fleet[VehicleId("cart-1")]
    desk.ward.show(replace(view, state=replace(view.state, breaches=(breach,))))
    told = page.locator(".drawer .conduct")
    await expect(told).to_contain_text("drove further than it was allowed to")


async def test_a_task_has_its_history_and_is_cancelled_by_holding(visit: Visit, desk: Desk) -> None:
    task = await a_delivery(desk)
    page = await (await visit()).open(f"/#/operations/task/{task}")
    await expect(page.locator(".history li")).to_contain_text(["Accepted"])
    await page.click(".drawer .segments .urgent")
    await expect(page.locator(f".row[data-task={task}] .tag")).to_have_text("URG")
    hold = page.locator(".drawer .hold")
    await hold.focus()
    await page.keyboard.down("Space")
    await page.wait_for_timeout(1200)
    await page.keyboard.up("Space")
    await expect(page.locator(".drawer .says")).to_contain_text("Cancelled")
    assert desk.ward.task(task).state is TaskState.CANCELLED


async def test_a_place_is_chosen_on_the_map(visit: Visit) -> None:
    page = await (await visit()).open()
    await new_task(page, "disinfection")
    spot = """import('/app.js').then(() => document.querySelector('.map').getBoundingClientRect())
      .then((box) => [box.x + box.width / 2, box.y + box.height / 2])"""
    x, y = await page.evaluate(spot)
    for dx in range(-400, 401, 40):
        for dy in range(-300, 301, 60):
            if await page.input_value("#field-room"):
                return
            await page.mouse.click(x + dx, y + dy)
    pytest.fail("no place on the whole map could be tapped")


@pytest.mark.parametrize(
    ("locale", "used", "sorties", "said"),
    [
        ("en-GB", 2, 5, "drones: 2, sorties: 5, 3 each at most"),
        ("en-GB", 1, 2, "drones: 1, sorties: 2"),
        ("zh-CN", 2, 5, "2 架无人机，共 5 架次，每架至多 3 架次"),
        ("zh-CN", 1, 2, "1 架无人机，2 架次"),
    ],
)
async def test_an_areas_preview_says_how_many_drones_fly_how_often(
    visit: Visit, desk: Desk, locale: str, used: int, sorties: int, said: str
) -> None:
    desk.ward.forecast = Forecast(minutes=74.0, able=3, needed=1, used=used, sorties=sorties)
    visitor = await visit(locale=locale)
    page = await visitor.open()
    await new_task(page, "patrol")
    await choose(page, "area", "公园")
    await expect(page.locator(".preview")).to_contain_text(said)
    button = page.locator(".foot button[type=submit]")
    assert await button.evaluate("one => one.scrollWidth <= one.clientWidth"), "its words are cut"


async def test_an_area_is_drawn_on_the_map_and_its_patrol_foretold(
    visit: Visit, desk: Desk
) -> None:
    visitor = await visit()
    page = await visitor.open()
    await new_task(page, "patrol")
    box = await page.locator(".map").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    corners = [(x - 120, y - 80), (x + 120, y - 80), (x + 120, y + 80), (x - 120, y + 80)]
    await page.click("#field-outline")
    for corner in [*corners[:3], (x, y), corners[3]]:
        await page.mouse.click(*corner)
    await expect(page.locator(".drawn")).to_contain_text("5 corners")
    await page.get_by_role("button", name="Remove last corner").click()
    await page.get_by_role("button", name="Remove last corner").click()
    await page.mouse.click(*corners[3])
    await expect(page.locator(".drawn")).to_contain_text("4 corners")
    await page.mouse.click(*corners[0])
    await expect(page.locator("#field-outline")).to_have_attribute("aria-pressed", "false")
    await expect(page.locator(".preview")).to_contain_text("1 needed, 1 able")

    await page.click("#field-outline")
    await page.mouse.move(*corners[2])
    await page.mouse.down()
    await page.mouse.move(x + 60, y + 40, steps=3)
    await page.mouse.up()
    await expect(page.locator(".drawn")).to_contain_text("4 corners")
    await page.keyboard.press("Escape")
    await page.reload()
    await new_task(page, "patrol")
    await expect(page.locator(".drawn")).to_contain_text("4 corners")
    await page.click("button[type=submit]")
    await expect(page.locator("[data-task=T-000001]").first).to_be_visible()
    (task,) = desk.ward.open_tasks()
    assert isinstance(task.spec, Patrol)
    assert task.spec.drawn is not None
    west, east = task.spec.drawn.outline[0], task.spec.drawn.outline[2]
    dragged = (east.x_m - west.x_m) / (task.spec.drawn.outline[1].x_m - west.x_m)
    assert dragged == pytest.approx(180 / 240, abs=0.02)
    assert not visitor.complaints


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
async def test_a_tablet_has_one_column_and_large_targets(
    visit: Visit, desk: Desk, locale: str
) -> None:
    await a_delivery(desk)
    desk.ward.book.open("vehicle_offline", Severity.HIGH, vehicle=VehicleId("cart-2"))
    page = await (await visit(locale, TABLET)).open()
    for path in (
        "#/operations/task/T-000001",
        "#/operations/vehicle/cart-1",
        "#/tasks",
        "#/alerts",
    ):
        await page.goto(f"{desk.url}/{path}")
        await page.wait_for_timeout(200)
        width = "[document.documentElement.scrollWidth, document.body.scrollWidth]"
        assert max(await page.evaluate(width)) <= TABLET["width"], path
        small = """Array.from(document.querySelectorAll('button, a, select, input, summary'))
          .filter((each) => each.offsetParent && !each.matches('.grip, tr *, .values *, .rest'))
          .map((each) => [each.className, each.getBoundingClientRect().height])
          .filter(([, height]) => height < 43.5)"""
        assert await page.evaluate(small) == [], path
    desk.ward.book.clear("vehicle_offline", vehicle=VehicleId("cart-2"))
    for path in ("#/operations/task/T-000001", "#/operations"):
        await page.goto(f"{desk.url}/{path}")
        await expect(page.locator(".strip")).to_be_hidden()
        stage = await page.locator(".stage").bounding_box()
        sheet = await page.locator(".panel").bounding_box()
        assert stage is not None
        assert sheet is not None
        assert stage["height"] > TABLET["height"] / 3, path
        assert sheet["y"] == pytest.approx(stage["y"] + stage["height"], abs=1)
        assert sheet["y"] + sheet["height"] == pytest.approx(TABLET["height"], abs=1)
        assert sheet["width"] == TABLET["width"]


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
async def test_an_emergency_is_raised_seen_and_ended(visit: Visit, desk: Desk, locale: str) -> None:
    visitor = await visit(locale, TABLET)
    page = await visitor.open()
    banner = page.locator(".emergency")
    await expect(banner).to_have_count(0)
    await page.click(".bar .alarm")
    await page.select_option("#emergency-what", index=1)
    await hold(page, "dialog .hold")
    words = "Code blue: Level 1" if locale == "en-GB" else "急救（Code Blue）：一层"
    await expect(banner.locator("strong")).to_contain_text(words)
    await expect(page.locator("dialog")).to_have_count(0)
    await expect(page.locator(".strip")).to_be_hidden()
    (raised,) = desk.ward.emergencies()
    assert (raised.kind.value, raised.level) == ("code_blue", "L1")
    width = "[document.documentElement.scrollWidth, document.body.scrollWidth]"
    assert max(await page.evaluate(width)) <= TABLET["width"]
    await hold(page, ".emergency .hold")
    await expect(banner).to_have_count(0)
    assert desk.ward.emergencies() == []
    assert await visitor.missing() == []


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
async def test_a_weather_hold_asks_why_and_says_so(visit: Visit, desk: Desk, locale: str) -> None:
    visitor = await visit(locale, TABLET)
    page = await visitor.open()
    await page.click(".bar .alarm")
    reason = page.locator("#emergency-reason")
    await expect(reason).to_be_hidden()
    words = "Weather: no drone takes off" if locale == "en-GB" else "天气：无人机停飞"
    await page.select_option("#emergency-what", label=words)
    await hold(page, "dialog .hold")
    await expect(page.locator("dialog .says")).not_to_be_empty()
    assert desk.ward.emergencies() == []
    await reason.fill("gusts at the river")
    await hold(page, "dialog .hold")
    banner = page.locator(".emergency")
    await expect(banner.locator("strong")).to_contain_text("gusts at the river")
    (raised,) = desk.ward.emergencies()
    assert (raised.kind.value, raised.reason) == ("weather", "gusts at the river")
    await hold(page, ".emergency .hold")
    await expect(banner).to_have_count(0)
    assert await visitor.missing() == []


async def hold(page: Page, button: str) -> None:
    """Hold a button for as long as it wants, by key."""
    await page.locator(button).focus()
    await page.keyboard.down("Space")
    await page.wait_for_timeout(1200)
    await page.keyboard.up("Space")

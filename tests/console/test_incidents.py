"""Incidents in a real browser: reported at a spot of the map, listed, closed."""

import pytest
from playwright.async_api import Page, expect

from dispatcher.domain.incidents import IncidentState, Source
from tests.console.conftest import Visit
from tests.console.desk import TABLET, Desk

pytestmark = pytest.mark.browser


async def hold(page: Page, button: str) -> None:
    await page.locator(button).focus()
    await page.keyboard.down("Space")
    await page.wait_for_timeout(1200)
    await page.keyboard.up("Space")


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
async def test_an_incident_is_reported_on_the_map_seen_and_closed(
    visit: Visit, desk: Desk, locale: str
) -> None:
    visitor = await visit(locale, TABLET)
    page = await visitor.open()
    await page.locator(".map").click(button="right", position={"x": 300, "y": 300})
    await page.fill("#incident-text", "fight")
    await page.click("dialog .filled")
    row = page.locator("[data-incident]")
    await expect(row).to_have_count(1)
    words = "no drone yet" if locale == "en-GB" else "尚无无人机"
    await expect(row.locator("strong")).to_contain_text(words)
    (known,) = desk.ward.incidents_shown()
    assert (known.source, known.text) == (Source.MAP, "fight")
    await page.fill("[data-incident] input", "calm")
    await hold(page, "[data-incident] .hold")
    await expect(row.locator(".closing")).to_be_hidden()
    (closed,) = desk.ward.incidents_shown()
    assert (closed.state, closed.notes) == (IncidentState.CLOSED, "calm")
    width = "[document.documentElement.scrollWidth, document.body.scrollWidth]"
    assert max(await page.evaluate(width)) <= TABLET["width"]
    assert await visitor.missing() == []


async def test_a_vehicles_drawer_shows_who_commands_it(visit: Visit) -> None:
    page = await (await visit()).open()
    await page.goto(page.url.split("#")[0] + "#/operations/vehicle/cart-1")
    await expect(page.locator(".control")).to_contain_text("nobody commands it")
    await page.click(".control .button >> nth=0")
    await expect(page.locator(".control .says")).to_contain_text("Write your name")

"""How a vehicle's conduct and a conformance session are told to people."""

from dataclasses import replace

import pytest
from typer.testing import CliRunner

from dispatcher.api.live import Live
from dispatcher.api.views import vehicle_out
from dispatcher.cli import make_app
from fleet.vehicle import Breach, Weight
from tests.dispatcher.ward import Ward, cart

BREACH = Breach(
    rule="beyond_base",
    words="drives beyond its base",
    weight=Weight.GRAVE,
    count=3,
    first_s=10.0,
    last_s=40.0,
    detail="n7 in M-000004",
)


def test_what_a_vehicle_broke_is_in_the_api() -> None:
    view = cart()
    view = replace(view, state=replace(view.state, breaches=(BREACH,)))
    (told,) = vehicle_out(view, 100.0).model_dump()["breaches"]
    assert told == {
        "rule": "beyond_base",
        "words": "drives beyond its base",
        "weight": "grave",
        "count": 3,
        "first_ago_s": 90.0,
        "last_ago_s": 60.0,
        "detail": "n7 in M-000004",
    }


async def test_a_new_rule_is_news_and_one_more_of_the_same_is_not() -> None:
    ward = await Ward.open()
    live, view = Live(ward), cart()

    def news(*breaches: Breach) -> bool:
        seen = replace(view, state=replace(view.state, breaches=breaches))
        return live._is_news(vehicle_out(seen, 100.0))  # pyright: ignore[reportPrivateUsage]

    assert [news(), news(), news(BREACH)] == [True, False, True]
    assert not news(replace(BREACH, count=4, last_s=99.0))
    await ward.store.close()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["localhost", "acme/C1"], "is no broker"),
        (["localhost:1883", "C1"], "MANUFACTURER/SERIAL"),
        (["localhost:1883", "acme/C#1"], "serial"),
        (["localhost:1883", "acme/C1", "--version", "7.0"], "version"),
    ],
)
def test_a_wrong_use_of_conform_is_told(arguments: list[str], says: str) -> None:
    result = CliRunner().invoke(make_app(), ["conform", *arguments])
    assert result.exit_code == 2
    assert says in result.output

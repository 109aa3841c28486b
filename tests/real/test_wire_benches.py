"""The benches of intake and telemetry measure what they say, over a broker and without one."""

from typing import TYPE_CHECKING

import pytest

from sim.bench.intake import serving
from sim.bench.telemetry import vda5050
from sim.bench.telemetry.figures import Asked

if TYPE_CHECKING:
    from tests.real.conftest import Mosquitto

pytestmark = pytest.mark.real


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> tuple[str, int] | None:
    if request.param == "memory":
        return None
    mosquitto: Mosquitto = request.getfixturevalue("mosquitto")
    return mosquitto.host, mosquitto.port


over_both = pytest.mark.parametrize("broker", ["memory", "mosquitto"], indirect=True)


@over_both
def test_every_word_of_a_fleet_is_heard(broker: tuple[str, int] | None) -> None:
    asked = Asked(vehicles=50, hz=2.0, seconds=2.0, broker=broker)
    found = vda5050.measure(asked)
    assert found.lost == 0
    assert found.per_s > 50
    assert 0 < found.lag_p50_ms <= found.lag_p99_ms


@over_both
def test_each_request_becomes_an_order(broker: tuple[str, int] | None) -> None:
    asked = serving.Asked(tasks=6, vehicles=3, callers=2, pause_s=0.0, broker=broker)
    found = serving.measure(asked)
    assert 0 < found.p50_ms <= found.p99_ms
    assert found.per_s > 0

"""Drones in two networks, heard over real UDP ports by all that a dispatcher hears them with."""

import pytest

from sim.bench.telemetry.figures import Asked
from sim.bench.telemetry.mavlink import measure
from sim.bench.telemetry.mavlink_drones import PER_NETWORK

pytestmark = pytest.mark.real


def test_every_word_of_drones_in_two_networks_is_heard() -> None:
    found = measure(Asked(vehicles=PER_NETWORK + 10, hz=2.0, seconds=2.0))
    assert found.lost == 0
    assert found.per_s > PER_NETWORK
    assert 0 < found.lag_p50_ms <= found.lag_p99_ms

"""Messages that are handed over unwritten lead to the same journal as those on the wire."""

from pathlib import Path
from typing import Any

import pytest

from fleet.vda5050.codec import HAND_OVER, Codec
from fleet.vda5050.state_messages import STATE, State
from sim.run import Wishes, run
from sim.running.direct import direct
from sim.scenario.config import load_scenario
from tests.folders import CONFIGS
from tests.sim.stories.test_three_dialects import fleet_file

DEMAND = """\
demand:
  - {kind: delivery, total: 12, item: Meals, from: any, to: any, mass_kg: 2, due: 2h}
faults:
  - {at: 5min, link: any, fault: delay, delay: 2s, for: 20min}
  - {at: 10min, link: any, fault: reorder, share: 0.2, for: 20min}
  - {at: 30min, vehicle: C21, fault: reboot}
"""


@pytest.mark.parametrize(
    ("scenario", "until_s"),
    [
        ("quick", 150.0),
        ("dispensers", 900.0),
        pytest.param("outbreak-day", 3600.0, marks=pytest.mark.long),
    ],
)
def test_a_run_has_the_same_journal_either_way(
    scenario: str, until_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    decode = Codec.decode

    def noted(self: Codec[Any], payload: bytes) -> Any:
        message = decode(self, payload)
        read.append(type(payload).__name__)
        return message

    monkeypatch.setattr(Codec, "decode", noted)
    loaded = load_scenario(CONFIGS / f"{scenario}.yaml")
    written = run(loaded, Wishes(seed=3, until_s=until_s)).summary
    assert set(read) == {"bytes"}
    read.clear()
    handed_over = run(loaded, Wishes(seed=3, until_s=until_s, direct=True)).summary
    assert read.count("bytes") < 0.3 * len(read)
    assert handed_over["journal_sha256"] == written["journal_sha256"]
    assert handed_over["tasks"] == written["tasks"]


def test_so_it_has_with_three_versions_and_broken_links(tmp_path: Path) -> None:
    path = fleet_file(tmp_path)
    with path.open("a", encoding="utf-8") as file:
        file.write(DEMAND)
    loaded = load_scenario(path)
    one, other = (run(loaded, Wishes(until_s=7200, direct=on)).summary for on in (False, True))
    assert one["journal_sha256"] == other["journal_sha256"]
    assert one["tasks"] == other["tasks"]


def test_outside_its_block_messages_are_written_again() -> None:
    state = State(header_id=1, timestamp="", version="2.1.0", manufacturer="", serial_number="")
    with direct():
        assert STATE.decode(STATE.pack(state)) is state
        with direct(on=False):
            assert not HAND_OVER.get()
    assert STATE.pack(state).startswith(b'{"headerId":1,')
    assert STATE.decode(STATE.pack(state)) is not state

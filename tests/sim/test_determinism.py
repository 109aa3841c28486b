"""One seed, one journal: whatever the hash seed, and however often."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim.run import Wishes, run
from sim.scenario.config import load_scenario
from tests.folders import CONFIGS, GOLDEN
from tests.sim.hospital import DRONE, scenario_file

QUICK = CONFIGS / "quick.yaml"
DEMAND = """
demand:
  - {kind: delivery, total: 4, goods: food, from: [laboratory], to: [ward], mass_kg: [2, 20]}
  - {kind: medicine, total: 2, from: [pharmacy], to: [ward], mass_kg: [1, 2]}
  - {kind: disinfection, total: 1, room: [isolation]}
  - {kind: patrol, total: 1, area: yard-patrol}
"""


def sha_of(seed: int, hash_seed: str) -> str:
    program = "from dispatcher.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "run", str(QUICK), "--seed", str(seed), "--json"],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout)["journal_sha256"]


@pytest.mark.long
def test_the_hash_seed_changes_nothing_and_the_seed_does() -> None:
    journals = {sha_of(7, hash_seed) for hash_seed in ("0", "4242")}
    assert len(journals) == 1
    assert sha_of(8, "0") not in journals


@pytest.mark.long
def test_two_runs_in_one_process_are_one_also_with_a_progress_bar(tmp_path: Path) -> None:
    scenario = load_scenario(
        scenario_file(tmp_path, more=DRONE + DEMAND), overrides=["duration=1h"]
    )
    seen_s: list[float] = []
    with_a_bar = Wishes(seed=3, progress=seen_s.append)
    one, two = (run(scenario, wishes) for wishes in (Wishes(seed=3), with_a_bar))
    assert len(seen_s) > 5
    assert one.summary["journal_sha256"] == two.summary["journal_sha256"]
    assert one.summary["kinds_done"] == {
        "delivery": 4,
        "medicine": 2,
        "patrol": 1,
        "disinfection": 1,
    }


def test_a_short_day_goes_as_it_is_written_down(tmp_path: Path) -> None:
    """The golden journal; ``WARDLINE_RENEW_GOLDEN=1`` writes it anew, to be read like code."""
    golden = GOLDEN / "corridor.txt"
    scenario = load_scenario(
        scenario_file(tmp_path, more=DRONE + DEMAND), overrides=["duration=1h"]
    )
    journal = tmp_path / "journal.jsonl"
    run(scenario, Wishes(seed=3, journal=journal))
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    text = "".join(
        f"{line['at_ms'] / 1000:10.3f}  {line['kind']:<18} {line['task'] or '-':<9} "
        f"{line['vehicle'] or '-':<3} {json.dumps(line['facts'], sort_keys=True)}\n"
        for line in lines
    )
    if os.environ.get("WARDLINE_RENEW_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
        pytest.skip("golden journal written anew; read it, then run without the variable")
    assert text == golden.read_text(encoding="utf-8")

"""``wardline replay`` as a program of its own."""

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.dispatcher.replay.recorded import an_hour
from tests.dispatcher.test_cli import free_port

WARDLINE = [sys.executable, "-c", "from dispatcher.cli import main; main()"]


@pytest.mark.long
def test_a_folder_that_is_no_run_ends_with_exit_code_1_and_one_clear_line(tmp_path: Path) -> None:
    ended = subprocess.run(
        [*WARDLINE, "replay", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    said = "is no report of a run; give the folder that wardline run SCENARIO --report DIR wrote"
    assert ended.stderr == f"{tmp_path} {said}\n"


@pytest.mark.real
def test_a_run_broken_off_is_served_with_a_warning_until_it_is_told_to_end(tmp_path: Path) -> None:
    folder = an_hour(tmp_path / "run", until_s=1000, ends=False)
    port = str(free_port())
    server = subprocess.Popen(
        [*WARDLINE, "replay", str(folder), "--port", port, "--speed", "300"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    url = f"http://127.0.0.1:{port}"
    assert server.stdout.readline() == f"replay of ward, seed 7: {url}\n"
    with urllib.request.urlopen(f"{url}/api/v1/replay", timeout=20) as answer:
        said = json.load(answer)
    assert (said["cut"], said["speed"], said["end"]) == (True, 300, "2026-03-01T06:15:00Z")
    server.send_signal(signal.SIGTERM)
    _, warned = server.communicate(timeout=20)
    assert server.returncode == 0, warned
    assert warned == f"{folder}: the run was broken off; it can be seen until 2026-03-01 06:15:00\n"

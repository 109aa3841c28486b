import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dispatcher import cli
from dispatcher.cli import make_app
from dispatcher.commands.serve import DoorTaken, check_serve, serve_app, until_told
from dispatcher.domain.task import TaskId, TaskState
from dispatcher.errors import StoreFault
from dispatcher.flight_log.log import Fix, Flight, FlightId
from dispatcher.records.alerts import Severity
from fleet.vehicle import VehicleId
from tests.dispatcher.ward import WITH_BAY, Ward

DELIVERY = ["delivery", "--item", "Blankets", "--from", "ward-1", "--to", "icu", "--mass-kg", "2"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return door.getsockname()[1]


@dataclass
class Site:
    """A ward that is being served, and the command line that talks to it."""

    ward: Ward
    loop: asyncio.AbstractEventLoop
    url: str

    def wardline(self, *words: str, text: str | None = None) -> Result:
        return CliRunner().invoke(make_app(), [*words, "--url", self.url], input=text)

    def answer(self, *words: str, text: str | None = None) -> Any:
        return json.loads(self.wardline(*words, "--json", text=text).stdout)

    def do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)


@pytest.fixture
def site() -> Iterator[Site]:
    port, started = free_port(), threading.Event()
    found: dict[str, Any] = {}

    async def main() -> None:
        ward, ready = await Ward.open(), asyncio.Event()
        serving = asyncio.create_task(serve_app(ward, "127.0.0.1", port, ready=ready))
        await ready.wait()
        found.update(ward=ward, loop=asyncio.get_running_loop(), serving=serving)
        started.set()
        await asyncio.wait([serving])
        await ward.store.close()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert started.wait(10)
    yield Site(found["ward"], found["loop"], f"http://127.0.0.1:{port}")
    found["loop"].call_soon_threadsafe(found["serving"].cancel)
    thread.join(10)
    assert not thread.is_alive()


def test_a_task_is_queued_shown_and_cancelled_from_a_terminal(site: Site) -> None:
    queued = site.wardline("submit", *DELIVERY, "--priority", "stat", "--note", "[ring] twice")
    assert (queued.exit_code, queued.stdout.split()[:2]) == (0, ["T-000001", "queued,"])
    listed = site.wardline("tasks", "--state", "queued", "--kind", "delivery")
    assert "Blankets" in listed.stdout
    assert "1 of 1 tasks" in listed.stdout
    shown = site.wardline("show", "T-000001")
    assert "[ring] twice" in shown.stdout
    assert "task accepted" in shown.stdout
    assert site.wardline("cancel", "T-000001").stdout == "T-000001 cancelled\n"
    assert site.answer("tasks", "--state", "queued")["total"] == 0


def test_every_kind_has_its_own_options(site: Site) -> None:
    medicine = ["medicine", "--item", "Insulin", "--to", "icu", "--controlled"]
    assert site.answer("submit", *medicine)["spec"]["controlled"] is True
    patrol = ["patrol", "--points", "icu", "--points", "ward-1", "--rounds", "2"]
    assert site.answer("submit", *patrol)["spec"]["points"] == ["icu", "ward-1"]
    room = ["disinfection", "--room", "icu", "--method", "spray"]
    assert site.answer("submit", *room)["spec"]["method"] == "spray"
    many = ["--to", "icu", "--to", "pharmacy", "--due-at", "2026-03-01T09:00:00Z"]
    task = site.answer("submit", *DELIVERY[:-4], "--mass-kg", "0.5", *many)
    assert (task["to"], task["due_at"]) == (["icu", "pharmacy"], "2026-03-01T09:00:00Z")


def test_the_same_key_queues_nothing_twice(site: Site) -> None:
    first = site.answer("submit", *DELIVERY, "--key", "round-8")
    assert site.answer("submit", *DELIVERY, "--key", "round-8") == first
    assert site.answer("tasks")["total"] == 1


def test_a_refusal_names_field_value_and_remedy(site: Site) -> None:
    refused = site.wardline("submit", *DELIVERY[:-2], "--mass-kg", "-3")
    assert refused.exit_code == 1
    assert refused.stderr == "mass_kg = -3.0: out of range (limit 0.0); send a number above 0\n"
    refused = site.wardline("submit", "disinfection", "--room", "icuu")
    assert refused.exit_code == 1
    assert "room = 'icuu': unknown place; send a place's id; did you mean icu?" in refused.stderr
    said = site.answer("submit", "disinfection", "--room", "icuu")
    assert said["error"]["fields"][0]["field"] == "room"
    gone = site.wardline("show", "T-000009")
    assert (gone.exit_code, gone.stderr) == (1, "there is no task 'T-000009'\n")


@pytest.mark.parametrize(
    "words",
    [
        ["submit"],
        ["submit", "delivery", "--item", "x"],
        ["submit", *DELIVERY, "--colour", "red"],
        ["submit", *DELIVERY[:-1], "heavy"],
        ["submit", "disinfection", "--room", "icu", "--method", "bleach"],
        ["submit", "--file", "/nowhere.json"],
        ["show"],
        ["tasks", "--limit", "0"],
        ["alerts", "--acknowledge", "A-1"],
        ["dance"],
        ["tasks", "--url", "ward:8080"],
    ],
)
def test_wrong_use_is_exit_code_2(words: list[str]) -> None:
    result = CliRunner().invoke(make_app(), words)
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)


def test_a_file_of_tasks_has_one_answer_for_each_row(site: Site, tmp_path: Path) -> None:
    row = {"kind": "disinfection", "room": "icu"}
    rows = [row, row | {"room": 7}, row]
    file = tmp_path / "rows.json"
    file.write_text(json.dumps({"tasks": rows}))
    result = site.wardline("submit", "--file", str(file))
    assert result.exit_code == 1
    assert result.stdout.splitlines() == ["1: T-000001", "3: T-000002", "2 queued, 1 refused"]
    assert result.stderr == "2: room = 7: wrong type (wanted text); send text\n"
    many = site.answer("submit", "--file", "-", text=json.dumps([row] * 450))
    assert (many["accepted"], many["refused"]) == (450, 0)
    assert [result["row"] for result in many["results"]] == list(range(450))
    assert site.answer("tasks", "--limit", "1")["total"] == 452


@pytest.mark.parametrize("text", ["", "{", "7", "[]", '{"jobs": []}', "[" * 100_000])
def test_a_file_that_holds_no_tasks_is_wrong_use(text: str) -> None:
    result = CliRunner().invoke(make_app(), ["submit", "--file", "-"], input=text)
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)


def test_vehicles_and_alerts_are_listed(site: Site) -> None:
    site.do(site.ward.store.open_tasks())
    assert "Cart 1" in site.wardline("vehicles").stdout
    assert site.answer("vehicles")["vehicles"][0]["id"] == "cart-1"

    async def raise_alert() -> None:
        site.ward.book.open("door_stuck", Severity.HIGH, door="d1")

    site.do(raise_alert())
    assert "door stuck (door d1)" in site.wardline("alerts").stdout
    seen = site.wardline("alerts", "--acknowledge", "A-00001", "--by", "Lin")
    assert seen.stdout == "A-00001 acknowledged by Lin\n"


def test_a_move_that_is_not_legal_is_told(site: Site) -> None:
    site.wardline("submit", *DELIVERY)
    for state in (TaskState.ASSIGNED, TaskState.UNDERWAY, TaskState.DONE):
        site.do(site.ward.move(TaskId("T-000001"), state))
    result = site.wardline("cancel", "T-000001")
    assert (result.exit_code, "T-000001 is done" in result.stderr) == (1, True)


def test_nobody_there_is_one_clear_line() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    result = CliRunner().invoke(make_app(), ["tasks", "--url", url])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"no dispatcher answers at {url} (")
    assert "wardline serve" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    result = CliRunner().invoke(make_app(), ["tasks", "--json"], env={"WARDLINE_URL": url})
    assert json.loads(result.stdout)["error"]["code"] == "no_answer"


def test_somebody_else_there_is_told_apart(site: Site) -> None:
    result = CliRunner().invoke(make_app(), ["tasks", "--url", f"{site.url}/vendor"])
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1


def test_the_version_is_told() -> None:
    result = CliRunner().invoke(make_app(), ["--version"])
    assert result.stdout.startswith("wardline 0.")


# The whole process


def run_main(monkeypatch: pytest.MonkeyPatch, error: Exception, *words: str) -> None:
    def crash() -> None:
        raise error

    monkeypatch.setattr(sys, "argv", ["wardline", *words])
    monkeypatch.setattr(cli, "make_app", lambda: crash)
    cli.main()


def test_no_traceback_for_a_persons_mistake_or_for_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run_main(monkeypatch, ExceptionGroup("all", [StoreFault("no such disk")]))
    assert ended.value.code == 1
    assert capsys.readouterr().err == "no such disk\n"
    with pytest.raises(SystemExit):
        run_main(monkeypatch, ZeroDivisionError("division by zero"))
    assert "a mistake in wardline itself: ZeroDivisionError" in capsys.readouterr().err
    with pytest.raises(ZeroDivisionError):
        run_main(monkeypatch, ZeroDivisionError("division by zero"), "--debug")


def test_a_taken_port_is_told_with_a_remedy() -> None:
    async def main() -> None:
        ward = await Ward.open()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(DoorTaken, match=f"{port}.*choose another"):
                await serve_app(ward, "127.0.0.1", port)
        await ward.store.close()

    asyncio.run(main())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_work_in_order(number: signal.Signals) -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("in order")

    async def main() -> None:
        asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), number)
        await until_told(work())

    asyncio.run(main())
    assert ended == ["in order"]


SERVE = """\
site: ward.yaml
models:
  cart:
    make: Acme
    kind: cart
    speed_m_s: 1.0
    width_m: 0.6
    length_m: 0.8
    payload_kg: 50
    skills: [carry]
    load_types: [general]
    energy: {capacity_wh: 500, idle_w: 20, move_w: 120}
    link: {vda5050: {version: 2.1, manufacturer: acme}}
vehicles:
  - {model: cart, ids: [cart-1], homes: [park-1]}
"""


@pytest.fixture
def serve_file(tmp_path: Path) -> Path:
    (tmp_path / "ward.yaml").write_text(WITH_BAY)
    file = tmp_path / "serve.yaml"
    file.write_text(SERVE)
    return file


def test_a_serving_configuration_is_checked_with_its_site(serve_file: Path) -> None:
    checked = check_serve(serve_file)
    assert checked.faults == ()
    assert dict(checked.summary)["vehicles"] == "1 x Acme cart"
    serve_file.write_text(SERVE.replace("park-1", "park-9"))
    (fault,) = check_serve(serve_file).faults
    assert (fault.line, "did you mean 'park-1'?" in fault.remedy) == (15, True)


@pytest.mark.long
def test_a_wrong_configuration_ends_with_exit_code_1_and_no_trace(serve_file: Path) -> None:
    serve_file.write_text(SERVE.replace("ward.yaml", "nowhere.yaml"))
    command = [sys.executable, "-c", "from dispatcher.cli import main; main()"]
    ended = subprocess.run(
        [*command, "serve", str(serve_file)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "line 1: there is no site file" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.real
def test_serve_answers_then_ends_in_order_when_told(serve_file: Path) -> None:
    port = str(free_port())
    command = [sys.executable, "-c", "from dispatcher.cli import main; main()"]
    server = subprocess.Popen(
        [*command, "serve", str(serve_file), "--port", port],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    assert server.stdout.readline() == f"Ward: http://127.0.0.1:{port}\n"
    url = f"http://127.0.0.1:{port}"
    queued = CliRunner().invoke(make_app(), ["submit", *DELIVERY, "--url", url])
    assert queued.exit_code == 0, queued.stderr
    server.send_signal(signal.SIGTERM)
    _, said = server.communicate(timeout=20)
    assert server.returncode == 0, said
    assert "Traceback" not in said
    assert (serve_file.parent / "serve.sqlite").exists()


def test_the_log_of_flights_is_listed_and_written(site: Site, tmp_path: Path) -> None:
    fixes = (Fix(0.0, 0.0, 0.0, 0.0), Fix(60.0, 30.0, 0.0, 40.0))
    clock = site.ward.clock

    async def fly(*numbers: int) -> None:
        began_s = clock.to_loop(datetime(2026, 3, 5, tzinfo=UTC))
        flights = [
            Flight(
                id=FlightId(f"F-{number:06d}"),
                vehicle=VehicleId("D1"),
                began_s=began_s,
                ended_s=began_s + 90,
                commanded_by="=Wu",
                track=fixes,
            )
            for number in numbers
        ]
        await site.ward.flights.store.put(flights)

    site.do(fly(1))
    assert "F-000001" in site.wardline("flights").stdout
    assert "'=Wu" in site.wardline("flights", "--format", "csv").stdout
    out = tmp_path / "flights.kml"
    assert site.wardline("flights", "--format", "kml", "--out", str(out)).exit_code == 0
    assert "<coordinates>114." in out.read_text()
    month = site.answer("flights", "--report", "--month", "2026-03")
    assert (month["flights"], month["minutes"]) == (1, 1.5)
    assert site.wardline("flights", "--month", "2026-3").exit_code == 1
    site.do(fly(*range(2, 600)))
    assert len(site.answer("flights", "--month", "2026-03")["flights"]) == 599
    assert site.wardline("flights", "--report").exit_code == 2

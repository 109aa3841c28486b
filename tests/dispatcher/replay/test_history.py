import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.domain.task import TaskState
from dispatcher.domain.views import Activity
from dispatcher.replay.folder import JOURNAL, read_run
from dispatcher.replay.history import About, History, Scene, Unplayable, read
from dispatcher.replay.marks import MarkKind, marks_of
from dispatcher.replay.recording import FILE
from tests.dispatcher.replay.recorded import CART, OTHER, an_hour

END_MS = 3_600_000
TASK = "T-000001"


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return an_hour(tmp_path_factory.mktemp("hour") / "run")


@pytest.fixture(scope="module")
def lines(hour: Path) -> list[str]:
    return (hour / FILE).read_text().splitlines(keepends=True)


@pytest.fixture(scope="module")
def whole(lines: list[str]) -> History:
    return read(lines)


def seen(history: History, at_ms: int) -> dict[str, Any]:
    """What there is to be seen at a moment, in a few words."""
    scene = history.at(at_ms)
    carts = [history.vehicle(scene, id_) for id_ in (CART, OTHER)]
    return {
        "tasks": [task.state.value for task in scene.tasks.values()],
        "alerts": [alert.code for alert in scene.alerts.values()],
        "does": [cart.activity.value for cart in carts if cart],
        "online": [cart.state.online for cart in carts if cart],
    }


def test_each_moment_is_shown_as_it_was(lines: list[str]) -> None:
    history = read(lines)
    assert (history.end_ms, history.cut, history.unread) == (END_MS, False, 0)
    quiet = {"tasks": [], "alerts": [], "does": ["idle", "idle"], "online": [True, True]}
    assert seen(history, 0) == quiet
    assert seen(history, 599_999) == quiet
    assert seen(history, 600_000) == quiet | {"tasks": ["queued"]}
    assert seen(history, 901_000) == quiet | {"tasks": ["underway"], "does": ["working", "idle"]}
    assert seen(history, 1_200_000) == {
        "tasks": ["underway"],
        "alerts": ["vehicle_offline"],
        "does": ["working", "offline"],
        "online": [True, False],
    }
    assert seen(history, END_MS)["tasks"] == ["done"]


def test_a_cart_is_seen_on_its_way_and_a_silent_one_grows_old(lines: list[str]) -> None:
    history = read(lines)
    scene = history.at(1_203_000)
    cart, other = history.vehicle(scene, CART), history.vehicle(scene, OTHER)
    assert cart is not None
    assert other is not None
    assert cart.state.position is not None
    assert (cart.state.position.point.x_m, cart.state.position.point.y_m) == (3.0, 0.0)
    assert cart.state.heard_at_s == 1203.0
    assert other.state.heard_at_s == 1170.0


def test_the_marks_say_where_to_look(lines: list[str]) -> None:
    marks = [(mark.kind, mark.at_ms, mark.code) for mark in marks_of(read(lines))]
    assert marks == [
        (MarkKind.ALERT, 1_200_000, "vehicle_offline"),
        (MarkKind.LATE, 1_200_000, "disinfection"),
        (MarkKind.VIOLATION, 2_400_000, "collision"),
    ]


# --- jumping is playing ---


def made(moves: Sequence[tuple[int, int, str]], about: About) -> History:
    """A history of three tasks that change at random."""
    first = {
        "kind": "disinfection",
        "spec": {"room": "icu", "method": "uv_c"},
        "priority": "routine",
        "state": "queued",
        **dict.fromkeys(("created", "earliest", "due"), 0),
        **dict.fromkeys(("requester", "note"), ""),
        **dict.fromkeys(("vehicle", "eta", "ended", "reason")),
        "stops_done": 0,
    }
    history, there, at_ms = History(about), set[int](), 0
    for lasts_ms, number, note in moves:
        at_ms += lasts_ms
        row = {"note": note, "stops_done": at_ms}
        row = row if number in there else first | row
        there.add(number)
        history.add(json.dumps({"t": at_ms, "task": f"T-{number}", "is": row}))
    assert history.unread == 0
    return history


MOVES = st.lists(
    st.tuples(st.integers(0, 5), st.integers(1, 3), st.sampled_from("abc")), max_size=200
)


@given(MOVES, st.lists(st.integers(0, 120), min_size=1, max_size=20))
def test_jumping_to_a_moment_shows_what_playing_to_it_shows(
    whole: History, moves: list[tuple[int, int, str]], stops: list[int]
) -> None:
    history = made(moves, whole.about)
    played, told = history.at(0), history.at(0).rows
    for stop in sorted(stops):
        before = dict(told)
        changed = history.play(played, stop)
        assert played == history.at(stop)
        told = dict(played.rows)
        different = {key for key, row in told.items() if before.get(key) != row}
        assert different <= set(changed)


@given(st.lists(st.integers(0, END_MS), min_size=1, max_size=20))
def test_that_is_so_for_a_real_hour_too(whole: History, stops: list[int]) -> None:
    history = whole
    played: Scene = history.at(0)
    for stop in sorted(stops):
        history.play(played, stop)
        assert played == history.at(stop)
        views = [(history.vehicle(s, CART)) for s in (played, history.at(stop))]
        assert views[0] == views[1]


# --- what is broken ---


@given(cut=st.integers(2, 4_000))
def test_a_run_that_was_killed_is_shown_as_far_as_it_is_there(
    lines: list[str], whole: History, cut: int
) -> None:
    text = "".join(lines[1:])
    history = History(whole.about)
    for line in text[: max(0, len(text) - cut)].splitlines(keepends=True):
        history.add(line)
    assert history.cut
    assert history.unread <= 1
    assert seen(history, history.end_ms - 1) == seen(whole, history.end_ms - 1)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "null",
        '{"t":1}',
        '{"task":"T-1","is":{}}',
        '{"t":1,"task":"T-1","is":{"state":"queued"}}',
        '{"t":1,"task":"T-1","is":[]}',
        '{"t":1,"vehicle":"nobody","is":{}}',
        '{"t":1,"pose":"nobody","is":["L1",0,0,0,0,0]}',
        '{"t":3600000,"pose":"cart-1","is":["L1",0,0]}',
        '{"t":3600000,"pose":"cart-1","is":["L1","x",0,0,0,0]}',
        '{"t":1,"vehicle":"cart-1","is":{"charge":0.5}}',
        '{"t":3600000,"vehicle":"cart-1","is":{"colour":"red"}}',
        '{"t":3600000,"vehicle":"cart-1","is":{"activity":"dancing"}}',
        '{"t":3600000,"vehicle":"cart-1","is":{"errors":[1]}}',
        '{"t":3600000,"task":"T-000001","is":{"state":"lost"}}',
        '{"t":3600000,"task":"T-000001","is":{"created":"noon"}}',
        '{"t":3600000,"task":"T-000001","is":{"spec":{}}}',
        '{"t":3600000,"alert":"A-00001","is":{"severity":"dire"}}',
    ],
)
def test_a_line_that_makes_no_sense_is_left_out(
    lines: list[str], whole: History, line: str
) -> None:
    history = History(whole.about)
    for each in (*lines[1:], line):
        history.add(each)
    assert history.unread == 1
    assert history.at(END_MS) == whole.at(END_MS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"recording": 2}, "it is of version 2, and this wardline reads 1; replay it with the"),
        ({"recording": 0}, "it is of version 0, and this wardline reads 1; run it again"),
        ({"site": "levels: 7"}, "its first line can't be used"),
        ({"timezone": "Mars/Base"}, "its first line can't be used"),
        ({"vehicles": [{"id": "x"}]}, "its first line can't be used"),
        ({"epoch": "noon"}, "its first line can't be used"),
    ],
)
def test_a_recording_of_another_kind_says_what_to_do(
    lines: list[str], change: dict[str, Any], said: str
) -> None:
    header = json.dumps(json.loads(lines[0]) | change)
    with pytest.raises(Unplayable, match=said):
        read([header, *lines[1:]])


@pytest.mark.parametrize("text", ["", "{}", '{"recording":', "[1]", '"x"'])
def test_a_file_that_is_no_recording_says_so(text: str) -> None:
    with pytest.raises(Unplayable, match="does not say what it is of"):
        read([text])


# --- the folder ---


def test_a_whole_folder_has_no_warnings_and_the_tasks_have_their_history(hour: Path) -> None:
    run = read_run(hour)
    assert run.warnings == ()
    kinds = [event.kind for event in run.timelines[next(iter(run.timelines))]]
    assert kinds == ["task_accepted", "task_assigned", "task_underway", "task_done"]


def test_a_run_broken_off_says_until_when_it_can_be_seen(tmp_path: Path) -> None:
    folder = an_hour(tmp_path / "run", until_s=1000, ends=False)
    for name in (FILE, JOURNAL):
        with (folder / name).open("a") as file:
            file.write('{"t":17,"ta')
    run = read_run(folder)
    assert run.warnings == ("the run was broken off; it can be seen until 2026-03-01 06:15:00",)
    scene = run.history.at(run.history.end_ms)
    assert [task.state for task in scene.tasks.values()] == [TaskState.UNDERWAY]
    cart = run.history.vehicle(scene, CART)
    assert cart is not None
    assert cart.activity is Activity.WORKING


def test_lines_in_the_middle_and_a_journal_may_be_missing(tmp_path: Path, hour: Path) -> None:
    text = (hour / FILE).read_text().splitlines(keepends=True)
    (tmp_path / FILE).write_text("".join([*text[:4], "broken\n", *text[4:]]))
    assert read_run(tmp_path).warnings == (
        "recording.jsonl: lines that can't be understood were left out: 1",
        "there is no journal.jsonl: tasks have no history",
    )


def test_a_folder_that_is_no_run_says_what_to_give_instead(tmp_path: Path) -> None:
    with pytest.raises(Unplayable, match=r"there is no such folder; .*run SCENARIO --report DIR"):
        read_run(tmp_path / "nowhere")
    with pytest.raises(Unplayable, match="is no report of a run"):
        read_run(tmp_path)
    (tmp_path / "summary.json").write_text("{}")
    with pytest.raises(Unplayable, match="written by an older wardline; run it again"):
        read_run(tmp_path)
    with pytest.raises(Unplayable, match="is a file; give the folder"):
        read_run(tmp_path / "summary.json")
    (tmp_path / FILE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Unplayable, match=r"recording\.jsonl: its first line does not say"):
        read_run(tmp_path)

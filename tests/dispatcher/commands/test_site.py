"""`wardline check` and `wardline import`: every mistake becomes a message, never a traceback."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer
from typer.testing import CliRunner

from dispatcher.commands import site as commands
from routing.sites.site_yaml import load
from tests.folders import CONFIGS, SHARED

CORRIDOR = CONFIGS / "sites" / "corridor.yaml"
MAPS = SHARED / "maps"

BUILDING = """
levels:
  L1:
    vertices: [[0, 0, 0, a], [100, 0, 0, b], [300, 0, 0, c], [300, 50, 0, d]]
    lanes: [[0, 1, {bidirectional: [4, true]}], [2, 3, {bidirectional: [4, true]}]]
"""


class Answer:
    """What a command said, and how it ended."""

    def __init__(self, *arguments: str | Path) -> None:
        app = typer.Typer()
        commands.register(app)
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        self.code, self.out, self.err = result.exit_code, result.stdout, result.stderr


# -- check ---------------------------------------------------------------------------------


def test_a_sound_site_is_summed_up() -> None:
    answer = Answer("check", CORRIDOR)
    assert answer.code == 0
    assert answer.err == ""
    assert "site corridor" in answer.out
    assert "no faults" in answer.out
    for word in ("levels", "places", "lanes", "lifts", "doors", "zones", "charger", "geofence"):
        assert word in answer.out


def test_every_fault_is_listed_with_its_line_and_the_code_is_1(tmp_path: Path) -> None:
    text = CORRIDOR.read_text().replace("a1, a2, a3, a4", "a1, a2, a3, b9").replace("semi", "sem")
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    answer = Answer("check", file)
    assert answer.code == 1
    assert "no node 'b9'" in answer.err
    assert "'sem'" in answer.err
    assert answer.err.count("line ") >= 2
    assert "2 faults" in answer.err


def test_warnings_alone_are_no_failure(tmp_path: Path) -> None:
    file = tmp_path / "warned.yaml"
    file.write_text(CORRIDOR.read_text().replace(", door: d-pharmacy", ""))
    answer = Answer("check", file)
    assert answer.code == 0
    assert "warning: line" in answer.err
    assert "1 warning" in answer.out


def test_the_answer_as_json_can_be_read_by_programs(tmp_path: Path) -> None:
    good = json.loads(Answer("check", CORRIDOR, "--json").out)
    assert good["ok"] is True
    assert good["summary"]["doors"] == "1"
    file = tmp_path / "bad.yaml"
    file.write_text("site: x\n")
    answer = Answer("check", file, "--json")
    bad = json.loads(answer.out)
    assert answer.code == 1
    assert bad["ok"] is False
    assert {"line", "what", "remedy"} == set(bad["faults"][0])


def test_a_site_is_drawn_and_its_graph_exported(tmp_path: Path) -> None:
    svg, graph = tmp_path / "site.svg", tmp_path / "graph.json"
    assert Answer("check", CORRIDOR, "--draw", svg, "--graph", graph).code == 0
    assert ElementTree.parse(svg).getroot().tag.endswith("svg")
    numbers = json.loads(graph.read_text())
    assert numbers["nodes"] == len(load(CORRIDOR).nodes)
    assert numbers["names"][0] == "a1"
    assert Answer("check", CORRIDOR, "--draw", svg, "--names", "zh").code == 0
    assert ">药房<" in svg.read_text(encoding="utf-8")
    assert Answer("check", CORRIDOR, "--graph", graph, "--fastest-m-s", "0.5").code == 0
    slower = json.loads(graph.read_text())
    assert slower["edges"][0][2] == 3 * numbers["edges"][0][2]


def test_what_cannot_be_written_is_a_message(tmp_path: Path) -> None:
    answer = Answer("check", CORRIDOR, "--draw", tmp_path / "none" / "x.svg")
    assert answer.code == 2
    assert "can't write" in answer.err


def test_a_broken_site_is_not_drawn(tmp_path: Path) -> None:
    file, svg = tmp_path / "bad.yaml", tmp_path / "x.svg"
    file.write_text("site: x\n")
    answer = Answer("check", file, "--draw", svg)
    assert answer.code == 1
    assert not svg.exists()


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (None, 2, "no file"),
        ("directory", 2, "is a directory"),
        (b"\x89PNG\r\n\x1a\n\x00\xff\xfe", 1, "UTF-8"),
        (b"\x00\x01\x02", 1, "not YAML"),
        (b"", 1, "no site"),
        (b"coordinate_system: wgs84\nlevels: {}\n", 1, "wardline import building"),
        (b'{"metaInformation": {}, "layouts": []}', 1, "wardline import lif"),
    ],
)
def test_check_survives_any_file(
    tmp_path: Path, content: bytes | str | None, code: int, says: str
) -> None:
    file = tmp_path / "file.yaml"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content:
        file.mkdir()
    answer = Answer("check", file)
    assert answer.code == code
    assert says in answer.err


def test_other_files_go_to_the_checker_of_their_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "probe_checker.py").write_text(
        "from dispatcher.commands.checked import Checked\n"
        "from routing.errors import Fault\n"
        "def check(path):\n"
        "    fault = Fault(3, 'no such vehicle', 'name another')\n"
        "    return Checked(what='scenario day', summary=[('tasks', '7')], faults=[fault])\n"
    )
    package = tmp_path / "probe-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: probe\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[wardline.checks]\nscenario = probe_checker:check\n")
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "day.yaml"
    file.write_text("scenario: day\nsite: corridor.yaml\n")
    answer = Answer("check", file)
    assert answer.code == 1
    assert "scenario day" in answer.out
    assert "line 3: no such vehicle; name another" in answer.err


# -- import --------------------------------------------------------------------------------


def test_a_map_becomes_a_site_file_that_loads(tmp_path: Path) -> None:
    source, output = tmp_path / "x.building.yaml", tmp_path / "site.yaml"
    source.write_text(BUILDING)
    answer = Answer("import", "building", source, "-o", output)
    assert answer.code == 0
    assert "4 places" in answer.out
    assert "c, d can't be reached" in answer.err
    assert len(load(output).places) == 4
    assert Answer("check", output).code == 0


def test_a_file_that_is_there_is_only_overwritten_by_force(tmp_path: Path) -> None:
    source, output = tmp_path / "x.building.yaml", tmp_path / "site.yaml"
    source.write_text(BUILDING)
    output.write_text("precious")
    answer = Answer("import", "building", source, "-o", output)
    assert answer.code == 2
    assert "--force" in answer.err
    assert output.read_text() == "precious"
    assert Answer("import", "building", source, "-o", output, "--force").code == 0
    assert load(output).levels


@pytest.mark.parametrize("kind", ["building", "lif"])
@pytest.mark.parametrize("content", [None, "directory", b"\xff\xfe\x00", b"", b"[1", b"a: 1"])
def test_import_survives_any_file(tmp_path: Path, kind: str, content: bytes | str | None) -> None:
    file, output = tmp_path / "file", tmp_path / "site.yaml"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content:
        file.mkdir()
    answer = Answer("import", kind, file, "-o", output)
    assert answer.code == (1 if isinstance(content, bytes) else 2)
    assert answer.err.strip()
    assert not output.exists()


def test_all_public_maps_come_in_and_pass_the_check(tmp_path: Path) -> None:
    if not MAPS.is_dir():
        pytest.skip("needs the Open-RMF demo maps in ../shared/maps")
    for name in ("hotel", "office", "campus"):
        output = tmp_path / f"{name}.yaml"
        source = MAPS / f"{name}.building.yaml"
        assert Answer("import", "building", source, "-o", output).code == 0
        assert Answer("check", output, "--draw", tmp_path / f"{name}.svg").code == 0

"""The house itself: what is packed, what is promised, and what must never slip in."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from typer.main import get_command

from dispatcher.cli import make_app

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FLOORS = ("routing", "fleet", "dispatcher", "sim")
PYTEST_PLUGINS = [
    ROOT / f"{module.replace('.', '/')}.py"
    for module in PROJECT["entry-points"]["pytest11"].values()
]
"""Only pytest loads these, so pytest is there when they are."""
BINARY = {".png", ".ico", ".woff2"}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", name, maxsplit=1)[0]).lower()


RUNTIME = sorted(canonical(text) for text in PROJECT["dependencies"])
DEV = sorted(canonical(text) for text in PROJECT["optional-dependencies"]["dev"])
OPTIONAL = sorted(canonical(text) for text in PROJECT["optional-dependencies"]["ros2-dds"])
"""What the program can do without: only those files import it that are loaded when it is used."""


@pytest.fixture(scope="session")
def tracked() -> list[str]:
    """All files of the project, as paths from its root."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    command = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="session")
def wheel(tracked: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the tracked files alone."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in tracked:
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    build = "import setuptools.build_meta, sys; setuptools.build_meta.build_wheel(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", build, str(out)], cwd=source, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (made,) = out.glob("wardline-*.whl")
    return made


def texts(tracked: list[str]) -> Iterator[tuple[str, str]]:
    for name in tracked:
        if Path(name).suffix not in BINARY:
            yield name, (ROOT / name).read_text(encoding="utf-8")


# -- the wheel -----------------------------------------------------------------------------


def test_the_wheel_holds_all_that_runs_and_nothing_else(wheel: Path, tracked: list[str]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    runs = {name for name in tracked if name.startswith((*(f"{f}/" for f in FLOORS), "configs/"))}
    assert packed == runs
    assert {"configs/outbreak-day.yaml", "dispatcher/console/static/index.html"} <= packed


def test_the_wheel_brings_its_licence_and_its_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (entries,) = (n for n in names if n.endswith("entry_points.txt"))
        assert "wardline = dispatcher.cli:main" in archive.read(entries).decode()
        assert "[pytest11]\nwardline = sim.pytest_plugin" in archive.read(entries).decode()
        assert any(name.endswith("licenses/LICENSE") for name in names)


@pytest.mark.long
def test_an_installed_wardline_runs_its_own_scenarios_from_any_folder(
    wheel: Path, tmp_path: Path
) -> None:
    """Where numba can't be had, too: compiling all anew for a short run would take far longer."""
    installed, elsewhere = tmp_path / "installed", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    script = (
        "import sys\n"
        "sys.modules['numba'] = None  # it can't be imported\n"
        "import dispatcher\n"
        f"assert dispatcher.__file__.startswith({str(installed)!r}), dispatcher.__file__\n"
        "from dispatcher.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "run", "quick", "--json"],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["scenario"] == "quick"
    assert list(elsewhere.iterdir()) == []


# -- what must never slip in -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a path of somebody's machine", r"(?<![\w.])/(home|root|Users|work|opt|mnt)/\w"),
        ("a registry's host", r"pypi\.org|pythonhosted\.org|npmjs\.(org|com)|anaconda\.org"),
        ("something left to do", r"\b(TO[D]O|FIX[M]E)\b"),
        ("a conflict that nobody solved", r"^(<{7}|>{7}) "),
    ],
)
def test_no_file_contains(what: str, pattern: str, tracked: list[str]) -> None:
    search = re.compile(pattern, re.MULTILINE)
    found = {name: hit.group() for name, text in texts(tracked) if (hit := search.search(text))}
    assert not found, f"{what} in {found}"


def test_nothing_tracked_is_made_or_large(tracked: list[str]) -> None:
    made = re.compile(r"(^|/)(node_modules|__pycache__|reports|dist|build|\.venv)/|\.sqlite")
    assert [name for name in tracked if made.search(name)] == []
    assert [name for name in tracked if (ROOT / name).stat().st_size > 2_000_000] == []


# -- dependencies ------------------------------------------------------------------------------


@pytest.mark.parametrize("dependency", sorted({*RUNTIME, *DEV}))
def test_each_dependency_has_its_decision(dependency: str) -> None:
    decisions = "".join(f.read_text().lower() for f in (ROOT / "docs/decisions").glob("*.md"))
    words = r"[-_ ]".join(map(re.escape, dependency.split("-")))
    said = decisions + decisions.replace("-", "")  # OR-Tools is ortools
    assert re.search(rf"\b{words}\b", said), f"say in docs/decisions why {dependency}"


def imported(folder: str) -> set[str]:
    """Top-level modules that the files of a folder import."""
    names: set[str] = set()
    for file in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
        if file in PYTEST_PLUGINS:
            names.discard("pytest")
    return names - set(sys.stdlib_module_names) - {*FLOORS, "configs", "tests"}


@pytest.mark.parametrize("folder", [*FLOORS, "tests"])
def test_every_import_is_declared(folder: str) -> None:
    declared = {*RUNTIME, *(DEV if folder == "tests" else OPTIONAL)}
    brought = {canonical(text) for name in declared for text in requires(name) or ()}
    owners = packages_distributions()
    undeclared = {
        module
        for module in imported(folder)
        if not {canonical(owner) for owner in owners.get(module, ())} & (declared | brought)
    }
    assert not undeclared, "declare them in pyproject.toml"


@pytest.mark.long
def test_nothing_that_runs_needs_an_optional_dependency() -> None:
    script = (
        "import sys\n"
        "sys.modules['cyclonedds'] = sys.modules['rclpy'] = None  # they can't be imported\n"
        "import dispatcher.commands.serve, sim.cli, fleet.connect\n"
        "from fleet.errors import ConfigError\n"
        "from fleet.ros2.backends import Backends\n"
        "from fleet.ros2.config import Ros2Config\n"
        "for backend in ('auto', 'dds', 'rclpy'):\n"
        "    config = Ros2Config(namespace='/r1', level='L1', backend=backend)\n"
        "    try:\n"
        "        Backends().port('R1', config)\n"
        "    except ConfigError as error:\n"
        "        print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    neither, dds, rclpy = done.stdout.splitlines()
    assert "setup.bash" in neither
    assert "wardline[ros2-dds]" in neither
    assert "wardline[ros2-dds]" in dds
    assert "setup.bash" in rclpy


@pytest.mark.parametrize("dependency", RUNTIME)
def test_every_runtime_dependency_is_used(dependency: str) -> None:
    modules = [
        module
        for module, owners in packages_distributions().items()
        if dependency in map(canonical, owners) and not module.startswith("_")
    ]
    sources = "".join(f.read_text() for floor in FLOORS for f in (ROOT / floor).rglob("*.py"))
    assert any(re.search(rf"\b{module}\b", sources) for module in modules), "drop it"


def locked(name: str) -> dict[str, set[str]]:
    """Package -> its versions in a lock file."""
    versions: dict[str, set[str]] = {}
    for line in (ROOT / name).read_text().splitlines():
        if found := re.match(r"([\w.-]+)==(\S+)", line):
            versions.setdefault(canonical(found[1]), set()).add(found[2])
        else:
            assert re.fullmatch(r"\s+--hash=sha256:[0-9a-f]{64}( \\)?", line), line
    return versions


def test_the_locks_hold_every_dependency_and_agree() -> None:
    runs, develops = locked("requirements.lock"), locked("requirements-dev.lock")
    assert set(RUNTIME) <= set(runs), "make lock"
    assert {*RUNTIME, *DEV} <= set(develops), "make lock"
    assert {name: develops[name] for name in runs} == runs


# -- promises ------------------------------------------------------------------------------------


def test_the_reference_names_every_command_and_option() -> None:
    page = (ROOT / "docs/reference/cli.md").read_text()
    program = get_command(make_app())
    commands: dict[str, object] = getattr(program, "commands", {})
    assert {"run", "live", "serve", "submit", "check", "import"} <= set(commands)
    for name, command in commands.items():
        assert f"`wardline {name}" in page, name
        for parameter in getattr(command, "params", ()):
            for option in getattr(parameter, "opts", ()):
                if option.startswith("--") and option != "--help":
                    assert option in page, f"{name} {option}"


def test_every_link_in_the_documents_leads_somewhere(tracked: list[str]) -> None:
    links = [
        (name, target)
        for name in tracked
        if name.endswith(".md")
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / name).read_text())
        if "://" not in target
    ]
    assert links
    assert [link for link in links if not (ROOT / link[0]).parent.joinpath(link[1]).exists()] == []


def test_the_changelog_knows_this_version() -> None:
    assert f"## [{PROJECT['version']}]" in (ROOT / "CHANGELOG.md").read_text()


def test_every_scenario_of_ours_says_first_what_it_shows(tracked: list[str]) -> None:
    ours = [n for n in tracked if n.startswith("configs/") and n.endswith(".yaml")]
    assert ours
    assert [name for name in ours if not re.match(r"# \w.{20}", (ROOT / name).read_text())] == []

"""What ``wardline conform`` refuses before it speaks to anybody."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dispatcher.cli import make_app
from fleet.errors import ConfigError

ROBOT = ("localhost:1883", "acme/C1")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((*ROBOT, "--version", "auto"), "write --version 2.0, 2.1 or 3.0"),
        ((*ROBOT, "--version", "1.1"), "version: Input should be '2.0', '2.1', '3.0'"),
        (("localhost", "acme/C1"), "'localhost' is no broker; write HOST:PORT"),
        (("localhost:0", "acme/C1"), "'localhost:0' is no broker"),
        (("localhost:1883", "C1"), "'C1' is no robot; write MANUFACTURER/SERIAL"),
    ],
)
def test_what_can_not_be_tried_is_told(arguments: tuple[str, ...], says: str) -> None:
    done = CliRunner().invoke(make_app(), ["conform", *arguments])
    assert done.exit_code == 2
    assert says in " ".join(done.output.replace("│", " ").split())


def test_a_certificate_that_is_not_there_is_named(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone.crt")
    done = CliRunner().invoke(make_app(), ["conform", *ROBOT, "--ca", gone])
    assert isinstance(done.exception, ConfigError)
    assert f"there is no file {gone}" in str(done.exception)

"""The pytest plug-in: a fixture that runs whole scenarios in virtual time inside a user's test.

pytest loads this module at each start, so it imports the simulator only when a test asks for it.
"""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sim.running.rehearsal import Rehearsal


class Wardline:
    """What the fixture ``wardline`` gives to a test.

    Args:
        request: of the test; paths are looked for beside its file first.
    """

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._folder = request.path.parent
        self._plugins = request.config.pluginmanager

    def scenario(
        self,
        scenario: str | Path,
        *,
        seed: int = 0,
        site: str | Path | None = None,
        set: Mapping[str, Any] | None = None,  # noqa: A002 - as the command line calls it
        allow: Collection[str] = (),
    ) -> "Rehearsal":
        """A scenario in virtual time: ``with wardline.scenario("quick") as hospital:``.

        Args:
            scenario: a scenario file, or the name of one of ours.
            seed: of all chance: the same seed and calls give the same journal.
            site: another site file than the scenario's.
            set: changes by dotted key, such as ``{"demand": [], "vehicles.0.ids": ["C1"]}``.
            allow: kinds of violation that don't fail the test, such as ``["deadlock"]``.

        Raises:
            WrongUse, ConfigFault, SiteError: it can't be used; the message says all of it.
        """
        __tracebackhide__ = True
        from dispatcher.errors import ConfigFault
        from routing.errors import SiteError
        from sim.options import WrongUse, scenario_path
        from sim.running.rehearsal import Rehearsal
        from sim.scenario.config import load_scenario

        try:
            loaded = load_scenario(
                self._beside(scenario) or scenario_path(str(scenario)),
                site=None if site is None else self._beside(site) or Path(site),
                overrides=[f"{key}={_yaml(value)}" for key, value in (set or {}).items()],
            )
        except (WrongUse, ConfigFault, SiteError) as wrong:
            raise wrong.with_traceback(None) from None
        return Rehearsal(loaded, seed=seed, allow=allow, tell=self._tell)

    def _beside(self, name: str | Path) -> Path | None:
        path = self._folder / name
        return path if path.is_file() else None

    def _tell(self, word: str) -> None:
        """Past pytest's capture, where there is a terminal: a first run compiles for minutes."""
        reporter: Any = self._plugins.get_plugin("terminalreporter")
        capture: Any = self._plugins.get_plugin("capturemanager")
        if reporter is not None and capture is not None:
            with capture.global_and_fixture_disabled():
                reporter.write_line(f"wardline: {word}")


def _yaml(value: object) -> str:
    """A value as YAML that reads as the same."""
    return json.dumps(value, default=str)


@pytest.fixture
def wardline(request: pytest.FixtureRequest) -> Wardline:
    """Wardline's simulator: ``with wardline.scenario("quick") as hospital: ...``."""
    return Wardline(request)

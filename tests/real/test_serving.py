"""What starts dispatchers for these tests leaves none behind."""

import os
from pathlib import Path

import pytest

from tests.real.serving import start

pytestmark = pytest.mark.real


def children() -> set[str]:
    """Processes that this one has begun and that have not ended."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split())


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="asks Linux for its processes")
async def test_a_dispatcher_that_does_not_answer_in_time_is_ended(tmp_path: Path) -> None:
    before = children()
    with pytest.raises(TimeoutError):
        await start(tmp_path / "no.yaml", tmp_path / "log", within_s=0.01)
    assert children() <= before

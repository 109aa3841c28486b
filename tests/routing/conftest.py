"""Tests marked ``slow`` run in `make test`, which selects nothing, and wherever they are named."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "slow: thousands of examples; not in the fast selection")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Whoever selects tests by their markers wants a fast answer, unless slow ones are named."""
    chosen: str = config.option.markexpr
    if chosen and "slow" not in chosen:
        slow = [item for item in items if any(item.iter_markers("slow"))]
        items[:] = [item for item in items if item not in slow]
        config.hook.pytest_deselected(items=slow)

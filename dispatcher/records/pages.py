"""Reading much, some rows at a time: neither the loop nor a commit waits long for it."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Column, Select

from dispatcher.records.store import Store

T = TypeVar("T")

PAGE = 50
"""Rows of one page: what is made of them is made in one piece of work."""


async def pages(
    store: Store,
    query: Select[Any],
    by: Column[Any],
    make: Callable[[Sequence[Any]], T],
    *,
    backwards: bool = False,
    cursor: int | None = None,
    limit: int | None = None,
) -> AsyncGenerator[tuple[T, int | None]]:
    """What ``make`` makes of all rows of a query, page after page.

    Args:
        by: a column of whole numbers, no two alike, by which they are sorted.
        make: called in the store's thread with up to `PAGE` rows; also once with none.
        cursor: only what comes after the row of this number.
        limit: at most so many rows; None = all.

    Yields:
        What was made, and the cursor of what comes next; None = nothing does.
    """
    sorted_ = query.order_by(by.desc() if backwards else by)
    left = limit
    while True:
        size = PAGE if left is None else min(PAGE, left)
        rest = sorted_
        if cursor is not None:
            rest = sorted_.where(by < cursor if backwards else by > cursor)
        made, cursor = await store.read(rest.limit(size + 1), _page_of(make, by.name, size))
        yield made, cursor
        if left is not None:
            left -= size
        if cursor is None or left == 0:
            return


def _page_of(
    make: Callable[[Sequence[Any]], T], by: str, size: int
) -> Callable[[Sequence[Any]], tuple[T, int | None]]:
    def page(rows: Sequence[Any]) -> tuple[T, int | None]:
        """One row more than shown says that more come."""
        shown = rows[:size]
        return make(shown), shown[-1][by] if len(rows) > size else None

    return page

"""A statement in the words of the driver: compiled once, and then handed over row by row.

SQLAlchemy works out at each execution what is the same every time, which takes longer than the
database itself.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from typing import Any

from sqlalchemy import Connection, UpdateBase
from sqlalchemy.engine import Dialect


class Prepared:
    """Writes rows of one shape.

    Args:
        statement: its parameters are the rows' keys; an insertion names every column.
        dialect: of a driver that takes values by their position, as SQLite's does; another one's
            engine is made with ``paramstyle="format"``.
    """

    def __init__(self, statement: UpdateBase, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        names, binds = compiled.positiontup, compiled.binds
        assert names is not None, "the driver takes values by their names"
        self._text = compiled.string
        self._values: list[tuple[str, Callable[[Any], Any] | None]] = [
            (name, binds[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in names
        ]

    def run(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Within the transaction of a connection; raises the driver's own errors."""
        with closing(connection.connection.cursor()) as cursor:
            cursor.executemany(self._text, [self._bound(row) for row in rows])

    def _bound(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(
            [row[name] if turn is None else turn(row[name]) for name, turn in self._values]
        )

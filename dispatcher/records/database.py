"""Opens the database: takes it for this process alone, sets it up, brings its tables up to date."""

import fcntl
import sqlite3
from functools import cache
from pathlib import Path
from typing import IO, cast

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, StaticPool, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError

from dispatcher.errors import StoreFault

MIGRATIONS = Path(__file__).parents[1] / "migrations"


class Database:
    """One connection to a database whose tables are up to date.

    SQLite for now: ``sqlite:///FILE``, or ``sqlite://`` for one in memory that dies with the
    process. A file is journalled ahead of its writes (WAL) and each transaction is forced to the
    disk (synchronous=FULL), so what is committed survives ``kill -9`` and a power cut.

    Raises:
        StoreFault: it can't be used; the message says why and what to do.
    """

    def __init__(self, url: str) -> None:
        path = _file_of(url)
        self._lock = None if path is None else _take(path)
        try:
            self._engine = create_engine(
                url, poolclass=StaticPool, connect_args={"check_same_thread": False}
            )
            self.connection = self._connect(on_file=path is not None)
        except DatabaseError as error:
            self._free()
            raise StoreFault(
                f"{path}: {error.orig}; name a database file of Wardline or a new file"
            ) from None
        except CommandError:
            self._free()
            raise StoreFault(
                f"{path}: made by a newer Wardline; install that one or name another file"
            ) from None

    def close(self) -> None:
        """Close the connection and give the file free."""
        self.connection.close()
        self._engine.dispose()
        self._free()

    def _connect(self, *, on_file: bool) -> Connection:
        connection = self._engine.connect()
        if on_file:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.exec_driver_sql("PRAGMA synchronous=FULL")
            connection.commit()
            migrate(connection)
        else:
            _empty().backup(_driven(connection))
        return connection

    def _free(self) -> None:
        if self._lock is not None:
            self._lock.close()


def migrate(connection: Connection) -> None:
    """Bring the tables up to date; on a new database, make them."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()


@cache
def _empty() -> sqlite3.Connection:
    """Tables without rows: a database in memory is a copy, made far sooner than step by step."""
    kept = sqlite3.connect(":memory:", check_same_thread=False)
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.connect() as connection:
        migrate(connection)
        _driven(connection).backup(kept)
    engine.dispose()
    return kept


def _driven(connection: Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", connection.connection.driver_connection)


def _file_of(url: str) -> Path | None:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreFault(
            f"{url!r} is no database URL; write sqlite:///wardline.sqlite or sqlite://"
        ) from None
    if parsed.get_backend_name() != "sqlite":
        raise StoreFault(
            f"database {parsed.get_backend_name()!r} is not supported yet; write sqlite:///FILE"
        )
    if parsed.database in (None, "", ":memory:"):
        return None
    path = Path(str(parsed.database))
    if not path.parent.is_dir():
        raise StoreFault(f"{path}: there is no folder {path.parent}; make it or name another file")
    return path


def _take(path: Path) -> IO[bytes]:
    """Hold the file's lock; the system frees it when this process ends, however it ends."""
    lock = path.with_name(path.name + ".lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise StoreFault(
            f"{path}: another dispatcher works on this database; stop it or name another file"
        ) from None
    return lock

"""Statements that go to the driver as they are."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Connection, UpdateBase, create_engine, select
from sqlmodel import SQLModel

from dispatcher.records.prepared import Prepared
from dispatcher.records.store import ADD_EVENT, EVENTS, FORGET_OLD, PUT_PACE

NOON = datetime(2030, 6, 1, 12, tzinfo=UTC)


def connected() -> Connection:
    connection = create_engine("sqlite://").connect()
    SQLModel.metadata.create_all(connection)
    connection.commit()
    return connection


def event(seq: int, at: datetime) -> dict[str, object]:
    return {"seq": seq, "at": at, "kind": "k", "task": None, "vehicle": None, "facts": "{}"}


def test_what_it_writes_is_read_back_the_ordinary_way() -> None:
    connection = connected()
    eastern = NOON.astimezone(timezone(timedelta(hours=8)))
    with connection.begin():
        Prepared(ADD_EVENT, connection.dialect).run(connection, [event(1, NOON), event(2, eastern)])
    found = list(connection.execute(select(EVENTS.c.at).order_by(EVENTS.c.seq)))
    assert [row.at for row in found] == [NOON, NOON]
    connection.close()


def test_it_is_undone_with_its_transaction() -> None:
    connection = connected()
    transaction = connection.begin()
    Prepared(ADD_EVENT, connection.dialect).run(connection, [event(1, NOON)])
    transaction.rollback()
    assert connection.execute(select(EVENTS)).first() is None
    connection.close()


@pytest.mark.parametrize("statement", [ADD_EVENT, PUT_PACE, FORGET_OLD])
def test_a_row_that_lacks_a_value_is_no_row(statement: UpdateBase) -> None:
    connection = connected()
    with pytest.raises(KeyError), connection.begin():
        Prepared(statement, connection.dialect).run(connection, [{}])
    connection.close()

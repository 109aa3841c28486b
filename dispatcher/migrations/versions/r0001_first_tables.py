"""The first tables: tasks, events, missions, answers."""

import sqlalchemy as sa
from alembic import op

from dispatcher.records.rows import UtcTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "tasks",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("places", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("requester", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("earliest_at", UtcTime(), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=False),
        sa.Column("eta_at", UtcTime()),
        sa.Column("ended_at", UtcTime()),
        sa.Column("vehicle", sa.String()),
        sa.Column("stops_done", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("key", sa.String(), unique=True),
    )
    _index("tasks", "number", "state", "vehicle", "ended_at")
    op.create_table(
        "events",
        sa.Column("seq", sa.Integer(), primary_key=True),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("task", sa.String()),
        sa.Column("vehicle", sa.String()),
        sa.Column("facts", sa.Text(), nullable=False),
    )
    _index("events", "task")
    op.create_table(
        "missions",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("vehicle", sa.String(), nullable=False),
        sa.Column("task", sa.String()),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("stop_index", sa.Integer(), nullable=False),
        sa.Column("mission", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
    )
    _index("missions", "number", "state")
    op.create_table(
        "answers",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("body", sa.Text()),
        sa.Column("at", UtcTime(), nullable=False),
    )


def downgrade() -> None:
    """Drop them, with all that is in them."""
    for table in ("answers", "missions", "events", "tasks"):
        op.drop_table(table)


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(f"ix_{table}_{column}", table, [column])

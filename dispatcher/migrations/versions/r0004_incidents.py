"""Incidents with their events, and the log of flights."""

import sqlalchemy as sa
from alembic import op

from dispatcher.records.rows import UtcTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(), unique=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
    )
    for column in ("number", "state", "at"):
        op.create_index(f"ix_incidents_{column}", "incidents", [column])
    op.create_table(
        "incident_events",
        sa.Column("seq", sa.Integer(), primary_key=True),
        sa.Column("incident", sa.String(), nullable=False),
    )
    op.create_index("ix_incident_events_incident", "incident_events", ["incident"])
    op.create_table(
        "flights",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("vehicle", sa.String(), nullable=False),
        sa.Column("began_at", UtcTime(), nullable=False),
        sa.Column("ended_at", UtcTime()),
        sa.Column("data", sa.Text(), nullable=False),
    )
    for column in ("number", "vehicle", "began_at", "ended_at"):
        op.create_index(f"ix_flights_{column}", "flights", [column])


def downgrade() -> None:
    """Drop them, with all that is in them."""
    for table in ("flights", "incident_events", "incidents"):
        op.drop_table(table)

"""Shifts of watches."""

import sqlalchemy as sa
from alembic import op

from dispatcher.records.rows import UtcTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "shifts",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("post", sa.Integer(), nullable=False),
        sa.Column("vehicle", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("given_at", UtcTime(), nullable=False),
        sa.Column("begun_at", UtcTime()),
        sa.Column("station_at", UtcTime()),
        sa.Column("ended_at", UtcTime()),
    )
    for column in ("number", "task", "state"):
        op.create_index(f"ix_shifts_{column}", "shifts", [column])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("shifts")

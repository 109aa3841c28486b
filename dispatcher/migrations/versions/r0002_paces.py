"""How long lanes and lifts take, by hour of the day."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "paces",
        sa.Column("road", sa.String(), primary_key=True),
        sa.Column("hour", sa.Integer(), primary_key=True),
        sa.Column("samples", sa.Float(), nullable=False),
        sa.Column("planned_s", sa.Float(), nullable=False),
        sa.Column("measured_s", sa.Float(), nullable=False),
    )

"""Which leg of a delivery a task is."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column; no task that there is has another leg."""
    op.add_column("tasks", sa.Column("leg", sa.Text()))


def downgrade() -> None:
    """Drop it: both legs go on as tasks of their own."""
    op.drop_column("tasks", "leg")

"""Events are found by kind, without a look through all of them."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_events_kind", "events", ["kind"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_events_kind", "events")

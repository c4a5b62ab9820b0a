"""Releases, and the dump objects of each: as they were before there were migrations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "releases",
        sa.Column("uri", sa.String(1024), primary_key=True),
        sa.Column("target", sa.String(1024), nullable=False, index=True),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("parent", sa.String(64)),
        sa.Column("build_id", sa.String(512), nullable=False, index=True),
        sa.Column("config_digest", sa.String(64), nullable=False),
        sa.Column("programs", sa.BigInteger, nullable=False),
        sa.Column("config", sa.JSON, nullable=False),
        sa.Column("funnel", sa.JSON, nullable=False),
        sa.Column("indexed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "ingested_objects",
        sa.Column("release_uri", sa.String(1024), primary_key=True),
        sa.Column("uri", sa.String(1024), primary_key=True),
        sa.Column("etag", sa.String(256), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
    )

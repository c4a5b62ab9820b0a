"""Builds and reports; the dump objects of a target's latest release alone.

Rows of releases are not kept: what they lack is in the manifests, and a release is indexed again
when it is next looked up, or by `c2c catalogue rebuild`. So are the objects, but for those that
held nothing new, which only the catalogue knows: they are read once more.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables of today, and enter the targets that were known."""
    targets = op.create_table(
        "targets",
        sa.Column("target_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("uri", sa.Text, nullable=False, unique=True),
        sa.Column("release_uri", sa.Text),
        sa.Column("generation", sa.BigInteger, nullable=False),
    )
    known = op.get_bind().execute(sa.text("SELECT DISTINCT target FROM releases ORDER BY target"))
    op.bulk_insert(targets, [{"uri": uri, "generation": 0} for (uri,) in known])
    op.drop_table("ingested_objects")
    op.drop_table("releases")
    op.create_table(
        "releases",
        sa.Column("uri", sa.Text, primary_key=True),
        sa.Column("target", sa.Text, nullable=False, index=True),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("parent", sa.String(64)),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("build_id", sa.Text, nullable=False, index=True),
        sa.Column("date", sa.String(10), nullable=False),
        sa.Column("config_digest", sa.String(64), nullable=False),
        sa.Column("programs", sa.BigInteger, nullable=False),
        sa.Column("samples", sa.BigInteger, nullable=False),
        sa.Column("config", sa.JSON, nullable=False),
        sa.Column("funnel", sa.JSON, nullable=False),
        sa.Column("indexed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "ingested_objects",
        sa.Column("target_id", sa.Integer, sa.ForeignKey("targets.target_id"), primary_key=True),
        sa.Column("uri", sa.Text, primary_key=True),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("since", sa.String(64)),
    )
    op.create_table(
        "builds",
        sa.Column("target_id", sa.Integer, sa.ForeignKey("targets.target_id"), primary_key=True),
        sa.Column("build_id", sa.Text, primary_key=True),
        sa.Column("date", sa.String(10), nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("message", sa.Text),
        sa.Column("config", sa.JSON, nullable=False),
        sa.Column("code_version", sa.String(64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("release_uri", sa.Text),
    )
    op.create_table(
        "reports",
        sa.Column("target_id", sa.Integer, primary_key=True),
        sa.Column("build_id", sa.Text, primary_key=True),
        sa.Column("step", sa.String(64), primary_key=True),
        sa.Column("shard", sa.Text, primary_key=True),
        sa.Column("stages", sa.JSON, nullable=False),
        sa.Column("counters", sa.JSON, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.ForeignKeyConstraint(
            ["target_id", "build_id"], ["builds.target_id", "builds.build_id"], ondelete="CASCADE"
        ),
    )

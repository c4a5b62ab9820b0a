"""Alembic's environment: the migrations run in the transaction of who opens the catalogue."""

from __future__ import annotations

from alembic import context

from c2c_tasks.catalogue.schema import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()

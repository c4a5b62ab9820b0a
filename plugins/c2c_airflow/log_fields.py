"""Fields of the lines that a step logs: build, step and shard, and the function where it is one."""

from __future__ import annotations

import logging
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

FUNCTION = "function_id"


@contextmanager
def log_fields(**fields: str) -> Iterator[None]:
    """Add fields to each line that the process logs meanwhile, whatever thread it comes from.

    Airflow's own lines get them by structlog's context variables. Those of `c2c_tasks`, which
    logs as the standard library does, take another way: threads do not inherit the variables,
    and the ``extra`` of a record (``function_id``) is not looked at by Airflow.
    """
    from structlog.contextvars import bound_contextvars
    from structlog.stdlib import ProcessorFormatter

    def add(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Any:
        event.update(fields)
        function_id = getattr(event.get("_record"), FUNCTION, None)
        if function_id is not None:
            event[FUNCTION] = function_id
        return event

    chains = [
        handler.formatter.foreign_pre_chain
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, ProcessorFormatter)
        and isinstance(handler.formatter.foreign_pre_chain, list)
    ]
    for chain in chains:
        chain.insert(0, add)  # first, so that what masks secrets sees the fields
    try:
        with bound_contextvars(**fields):
            yield
    finally:
        for chain in chains:
            chain.remove(add)

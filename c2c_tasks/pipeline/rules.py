"""The lists that options name, by what they say: opt-outs and benchmarks."""

from __future__ import annotations

import hashlib
import logging

from c2c_tasks.config import BuildConfig
from c2c_tasks.curation.benchmarks import read_benchmarks

log = logging.getLogger(__name__)


def digests_of_rules(config: BuildConfig) -> dict[str, str]:
    """Return the SHA-256 of each list's content, by the name of its option.

    Raises BenchmarkError or OptOutError where a list cannot be read.
    """
    problems = [text for uri in config.functions.benchmarks for text in read_benchmarks(uri)]
    log.info("plan: %s benchmark problems", f"{len(problems):,}")
    return {"benchmarks": hashlib.sha256("\0".join(problems).encode()).hexdigest()}

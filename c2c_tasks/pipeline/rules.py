"""The lists that options name, by what they say: opt-outs and benchmarks."""

from __future__ import annotations

import hashlib
import logging

from c2c_tasks.config import BuildConfig
from c2c_tasks.curation.benchmarks import read_benchmarks
from c2c_tasks.curation.opt_outs import OptOuts
from c2c_tasks.pipeline.build import BuildError

log = logging.getLogger(__name__)


def digests_of_rules(config: BuildConfig) -> dict[str, str]:
    """Return the SHA-256 of each list's content, by the name of its option.

    Raises BenchmarkError or OptOutError where a list cannot be read.
    """
    problems = [text for uri in config.functions.benchmarks for text in read_benchmarks(uri)]
    log.info("plan: %s benchmark problems", f"{len(problems):,}")
    return {
        "opt_outs": OptOuts.read(config.rights.opt_outs).digest,
        "benchmarks": hashlib.sha256("\0".join(problems).encode()).hexdigest(),
    }


def check_rules(config: BuildConfig, planned: dict[str, str]) -> None:
    """Raise BuildError where a list says something else than when the build was planned."""
    for name, digest in digests_of_rules(config).items():
        if digest != planned[name]:
            raise BuildError(f"{name}: changed since the build was planned; clear `plan`")

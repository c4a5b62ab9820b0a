"""The lists that options name, by what they say: opt-outs and benchmarks."""

from __future__ import annotations

from c2c_tasks.config import BuildConfig
from c2c_tasks.curation.benchmarks import benchmarks_digest
from c2c_tasks.curation.opt_outs import OptOuts
from c2c_tasks.pipeline.build import BuildError


def digests_of_rules(config: BuildConfig) -> dict[str, str]:
    """Return the SHA-256 of each list's content, by the name of its option.

    Raises BenchmarkError or OptOutError where a list cannot be read.
    """
    return {
        "opt_outs": OptOuts.read(config.rights.opt_outs).digest,
        "benchmarks": benchmarks_digest(config.functions.benchmarks),
    }


def check_rules(config: BuildConfig, planned: dict[str, str]) -> None:
    """Raise BuildError where a list says something else than when the build was planned."""
    for name, digest in digests_of_rules(config).items():
        check_rule(name, digest, planned)


def check_rule(name: str, digest: str, planned: dict[str, str]) -> None:
    """Raise BuildError where a list's digest is not the one that was planned with."""
    if digest != planned[name]:
        raise BuildError(f"{name}: changed since the build was planned; clear `plan`")

"""What a build is: a run towards a release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from c2c_tasks.config import BuildConfig, Section, SourceOptions, work_area
from c2c_tasks.pipeline.runs import Run, work_name

MappedStep = Literal["write_inputs", "execute", "curate", "compose"]


class BuildError(Exception):
    """The build cannot go on; the message says why and what to do."""


class NotReached(BuildError):
    """A step before this one has failed, and is what has to be mended."""


class NothingNew(Exception):
    """There is nothing that the latest release does not hold already; not a failure."""


class SwitchedOff(Exception):
    """The options leave the step out; not a failure."""


@dataclass(frozen=True, slots=True)
class Build(Run):
    """One run towards a release."""

    build_id: str
    """Names the work area; the same for every retry of the same run."""
    date: str
    """Logical date of the run, ``YYYY-MM-DD``: it goes into the release's version."""
    config: BuildConfig

    @property
    def source(self) -> SourceOptions:
        """Source options of this run: ``{date}`` in the dump's URI is the run's date."""
        source = self.config.source
        return source.model_copy(update={"dump": source.dump.replace("{date}", self.date)})

    def options_of(self, step: MappedStep) -> dict[str, Any]:
        """Return the options that decide what a step makes of a function shard."""
        config = self.config
        sections: dict[MappedStep, Section] = {
            "write_inputs": config.inputs,
            "execute": config.sandbox,
            "curate": config.cases,
            "compose": config.samples,
        }
        options = sections[step].model_dump(mode="json")
        if step == "curate":
            options["scan_secrets"] = config.rights.scan_secrets
        return options

    @property
    def work(self) -> str:
        """URI of the folder of the build's shards."""
        return f"{work_area()}/{work_name(self.build_id)}"

"""What an evaluation is: a run towards a report, and what its problems are of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from c2c_tasks.config import EvaluationConfig, work_area
from c2c_tasks.evaluation.results import FileSource, ReleaseSource
from c2c_tasks.pipeline.runs import EVALUATIONS, Run, ShardReference, work_name
from c2c_tasks.shards import StepReport, config_digest, read_report

PREPARE = "prepare_problems"
SOURCES = "sources.json"
"""In the folder of the problems: what they are of."""
SLUG_CHARACTERS = 48
"""Of a model's name in the name of an evaluation."""


class EvaluationError(Exception):
    """The evaluation cannot go on; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Evaluation(Run):
    """One run towards a report."""

    evaluation_id: str
    """Names the work area; the same for every retry of the same run."""
    date: str
    """Logical date of the run, ``YYYY-MM-DD``."""
    config: EvaluationConfig

    @property
    def work(self) -> str:
        """URI of the folder of the evaluation's shards."""
        return f"{work_area()}/{EVALUATIONS}/{work_name(self.evaluation_id)}"

    @property
    def shots(self) -> str:
        """URI of the shard of solved problems that prompts show first."""
        return f"{self.folder(PREPARE)}/shots.parquet"

    def prepared(self) -> StepReport:
        """Return the report of `prepare_problems`. Raises EvaluationError where there is none."""
        report = read_report(self.folder(PREPARE))
        if report is None:
            raise EvaluationError(f"{PREPARE} has not finished; clear it to try again")
        return report

    def problem_shards(self, prepared: StepReport) -> list[ShardReference]:
        """Return the references of the problem shards, by the report of `prepare_problems`."""
        return self.references(PREPARE, prepared.facts["shard_rows"])

    def name(self, model: str) -> str:
        """Return the name of the report's folder: the model, the date, and a digest.

        The digest is of run and options: another run has another name, and a retry the same.
        """
        slug = re.sub(r"[^a-z0-9.]+", "-", model.rstrip("/").rpartition("/")[2].lower())
        digest = config_digest([self.evaluation_id, self.config.model_dump(mode="json")])
        return f"{slug[:SLUG_CHARACTERS].strip('-.') or 'model'}-{self.date}-{digest[:8]}"


class Sources(BaseModel):
    """What the problems of an evaluation are of: decided once, and kept for all its tasks."""

    model_config = ConfigDict(frozen=True)

    asked: dict[str, Any]
    """The options that were decided by."""
    release: ReleaseSource | None = None
    case_file: FileSource | None = None
    mbpp_file: FileSource | None = None

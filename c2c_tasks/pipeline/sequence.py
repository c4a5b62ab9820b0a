"""A whole build or evaluation in one process, one shard after the other."""

from __future__ import annotations

from c2c_tasks.pipeline.build import Build
from c2c_tasks.pipeline.evaluating import WrittenReport, answer, grade, report
from c2c_tasks.pipeline.evaluation import Evaluation
from c2c_tasks.pipeline.extracting import extract
from c2c_tasks.pipeline.merging import merge_functions
from c2c_tasks.pipeline.planning import plan
from c2c_tasks.pipeline.problem_sets import prepare_problems
from c2c_tasks.pipeline.programs import merge_programs
from c2c_tasks.pipeline.pushing import push_to_hub
from c2c_tasks.pipeline.releasing import PublishedRelease, publish
from c2c_tasks.pipeline.staging import audit
from c2c_tasks.pipeline.steps import compose, curate, execute, write_inputs


def run_build(build: Build) -> PublishedRelease:
    """Do what the `case2code_build` DAG does, without Airflow: no retries, nothing at a time.

    Raises NothingNew where there is nothing to do.
    """
    extracted = [extract(build, shard) for shard in plan(build)]
    for shard in merge_functions(build, extracted):
        for step in (write_inputs, execute, curate):
            shard = step(build, shard)
    for shard in merge_programs(build):
        compose(build, shard)
    published = publish(build, audit(build))
    if build.config.publishing.hub_repository:
        push_to_hub(build, published)
    return published


def run_evaluation(evaluation: Evaluation) -> WrittenReport:
    """Do what the `case2code_evaluate` DAG does, without Airflow: no retries, nothing at a time."""
    for shard in prepare_problems(evaluation):
        grade(evaluation, answer(evaluation, shard))
    return report(evaluation)

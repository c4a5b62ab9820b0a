"""Builds and evaluations, step by step: one function for each task of their DAGs.

Every other package knows its own step alone; here they are joined. Nothing in this package
knows of Airflow: a run can be driven by anything that calls these functions in order.
"""

from c2c_tasks.pipeline.build import Build, BuildError, NothingNew, NotReached, SwitchedOff
from c2c_tasks.pipeline.evaluating import WrittenReport, answer, grade, report
from c2c_tasks.pipeline.evaluation import Evaluation, EvaluationError
from c2c_tasks.pipeline.extracting import extract
from c2c_tasks.pipeline.merging import merge_functions
from c2c_tasks.pipeline.planning import plan
from c2c_tasks.pipeline.problem_sets import prepare_problems
from c2c_tasks.pipeline.programs import merge_programs
from c2c_tasks.pipeline.pushing import push_to_hub
from c2c_tasks.pipeline.releasing import publish
from c2c_tasks.pipeline.runs import ShardReference
from c2c_tasks.pipeline.sequence import run_build, run_evaluation
from c2c_tasks.pipeline.staging import audit
from c2c_tasks.pipeline.steps import (
    compose,
    curate,
    execute,
    write_inputs,
)

__all__ = [
    "Build",
    "BuildError",
    "Evaluation",
    "EvaluationError",
    "NotReached",
    "NothingNew",
    "ShardReference",
    "SwitchedOff",
    "WrittenReport",
    "answer",
    "audit",
    "compose",
    "curate",
    "execute",
    "extract",
    "grade",
    "merge_functions",
    "merge_programs",
    "plan",
    "prepare_problems",
    "publish",
    "push_to_hub",
    "report",
    "run_build",
    "run_evaluation",
    "write_inputs",
]

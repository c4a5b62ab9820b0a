"""The build, step by step: one function for each task of the `case2code_build` DAG.

Every other package knows its own step alone; here they are joined. Nothing in this package
knows of Airflow: a build can be driven by anything that calls these functions in order.
"""

from c2c_tasks.pipeline.build import Build, BuildError, NothingNew, NotReached, SwitchedOff
from c2c_tasks.pipeline.extracting import extract
from c2c_tasks.pipeline.merging import merge_functions
from c2c_tasks.pipeline.planning import plan
from c2c_tasks.pipeline.programs import merge_programs
from c2c_tasks.pipeline.pushing import push_to_hub
from c2c_tasks.pipeline.releasing import publish
from c2c_tasks.pipeline.runs import ShardReference
from c2c_tasks.pipeline.sequence import run_build
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
    "NotReached",
    "NothingNew",
    "ShardReference",
    "SwitchedOff",
    "audit",
    "compose",
    "curate",
    "execute",
    "extract",
    "merge_functions",
    "merge_programs",
    "plan",
    "publish",
    "push_to_hub",
    "run_build",
    "write_inputs",
]

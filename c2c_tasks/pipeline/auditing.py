"""What the audit of a build goes by: its rules, its parent's report, its sandbox."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import Any

from pydantic import ValidationError

from c2c_tasks.config import BuildConfig
from c2c_tasks.curation.benchmarks import Problem, protected_programs
from c2c_tasks.curation.overlap import OverlapIndex
from c2c_tasks.curation.rights import Rights
from c2c_tasks.pipeline.balances import balances
from c2c_tasks.pipeline.build import Build
from c2c_tasks.pipeline.merging import problems_uri
from c2c_tasks.pipeline.planning import Plan
from c2c_tasks.pipeline.progress import Progress
from c2c_tasks.pipeline.rules import check_rule
from c2c_tasks.publishing.audit import AUDIT_REPORT, AUDIT_VERSION, AuditReport
from c2c_tasks.publishing.audit_rows import Rules
from c2c_tasks.publishing.auditing import Draw, audit
from c2c_tasks.publishing.facts import sandbox_facts
from c2c_tasks.publishing.manifest import FileEntry, Manifest, read_manifest
from c2c_tasks.publishing.release import Copy
from c2c_tasks.records import Program, arrow_schema
from c2c_tasks.samples.formats import schema_of
from c2c_tasks.samples.identity import has_its_id
from c2c_tasks.sandbox.choice import choose_launcher
from c2c_tasks.sandbox.execution import execute
from c2c_tasks.sandbox.launchers import AUDIT
from c2c_tasks.shards import StepReport, code_version, read_shard
from c2c_tasks.store import ObjectNotFound, read


def audit_staged(
    build: Build,
    release: str,
    files: Sequence[FileEntry],
    copies: Sequence[Copy],
    client: Any,
    labels: dict[str, str],
) -> AuditReport:
    """Audit what a build has staged: all files of the release, `copies` its parent's.

    Raises BuildError where a list that options name says something else than when the build was
    planned.
    """
    config = build.config
    plan = Plan.of(build)
    options = config.publishing
    parent = read_manifest(plan.parent) if plan.parent else None
    passed = parent is not None and _passed(build, plan, parent)
    ran = StepReport("audit", release)
    sandbox = config.sandbox.model_copy(
        update={"refine_rounds": 0, "coverage": False, "determinism_runs": False, "probe_inputs": 0}
    )
    report = audit(
        release,
        files,
        exempt={copy.entry.path for copy in copies} if passed else set(),
        parent=parent.version if parent and passed else None,
        schemas={
            "programs": arrow_schema(Program),
            **{str(format_): schema_of(format_) for format_ in config.samples.formats},
        },
        balances=[*balances(build, plan, Progress.of(build), files, copies)],
        rules=_rules(build, plan),
        has_its_id=has_its_id,
        draw=Draw(options.audit_programs, options.audit_share, build.build_id),
        execute=partial(
            execute,
            options=sandbox,
            report=ran,
            launcher=choose_launcher(sandbox, client, labels),
            surroundings=AUDIT,
        ),
    )
    if report.re_executed and "sandbox" in ran.facts:
        report.sandbox = sandbox_facts([ran.facts["sandbox"]])
    return report


def _rules(build: Build, plan: Plan) -> Rules:
    rights = Rights.read(build.config.rights)
    check_rule("opt_outs", rights.opt_outs.digest, plan.rules)
    # Those that functions were compared with; a worker of sandboxes need not reach the lists.
    problems = read_shard(problems_uri(build), Problem)
    unread = StepReport("audit", "")  # the report of `merge_functions` has named them
    index = OverlapIndex(
        protected_programs(problems, unread), build.config.functions.benchmark_overlap_threshold
    )
    return Rules(build.config, rights, index)


def _passed(build: Build, plan: Plan, parent: Manifest) -> bool:
    """Tell whether the parent's rows passed the same checks, under the same rules."""
    listed = {entry.sha256 for entry in parent.files if entry.path == AUDIT_REPORT}
    try:
        text = read(f"{plan.parent}/{AUDIT_REPORT}")
        report = AuditReport.model_validate_json(text)
    except (ObjectNotFound, ValidationError):  # audited by a version that left no such report
        return False
    theirs = BuildConfig.model_validate(parent.config).content_options()
    return (
        listed == {hashlib.sha256(text).hexdigest()}
        and report.passed
        and report.audit_version == AUDIT_VERSION
        and parent.code_version == code_version()
        and parent.rules == plan.rules
        and theirs == build.config.content_options()
    )

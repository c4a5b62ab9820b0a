"""`c2c evaluate`: a whole evaluation in this process, without Airflow."""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from c2c_tasks.cli.running import one_line_errors, print_json

if TYPE_CHECKING:
    from c2c_tasks.config import EvaluationConfig

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def evaluate(
    release: Annotated[
        str | None,
        typer.Argument(
            metavar="[RELEASE]",
            help="Whose programs are asked for: a version, `latest` (the default), a path or URI.",
            show_default=False,
        ),
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(
            "--task", help="induction (the default), humaneval, mbpp; may be given several times."
        ),
    ] = None,
    target: Annotated[
        str,
        typer.Option(
            "--target",
            envvar="C2C_TARGET",
            help="Where `latest` is looked up, and the report goes: a path or URI.",
        ),
    ] = "",
    solver: Annotated[
        str, typer.Option(help="vllm (the default), answers, reference, lookup.")
    ] = "",
    model: Annotated[
        str, typer.Option(help="Model of the endpoint; empty: its first one. In process: a folder.")
    ] = "",
    endpoint: Annotated[
        str, typer.Option(help="Base URL of the endpoint. Empty: C2C_VLLM_ENDPOINT.")
    ] = "",
    samples_per_problem: Annotated[
        int | None, typer.Option(min=1, help="Answers to each problem.", show_default="1")
    ] = None,
    max_problems: Annotated[
        int | None, typer.Option(min=0, help="Problems of each task.", show_default="all")
    ] = None,
    few_shot: Annotated[
        int | None, typer.Option(min=0, help="Solved problems shown first.", show_default="0")
    ] = None,
    case_file: Annotated[
        str, typer.Option(help="In place of a release: a file as the paper's test set.")
    ] = "",
    launcher: Annotated[
        str, typer.Option(help="How answers are run: auto (the default), docker, process.")
    ] = "",
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option",
            metavar="NAME=VALUE",
            help="Any option of an evaluation, as `pass_at=[1,5]`; may be given several times.",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="A JSON object of options; what the command line names wins.",
        ),
    ] = None,
    run: Annotated[
        str, typer.Option("--id", help="Go on with the evaluation of this id, where it ended.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON, for machines.")] = False,
) -> None:
    """Ask a model for programs, grade its answers in the sandbox, write a report, print it.

    The same as the DAG `case2code_evaluate` does, one shard after the other. Without a Docker
    engine, answers run in child processes of this user: `--launcher docker` refuses that.
    Solvers `reference` and `lookup` need no model: they show what can be reached, and what the
    cases shown are worth alone. Options are those of the DAG's form: docs/evaluation.md.
    """
    named = {
        "release": release,
        "tasks": task,
        "target": target,
        "solver": solver,
        "model": model,
        "endpoint": endpoint,
        "samples_per_problem": samples_per_problem,
        "max_problems": max_problems,
        "few_shot": few_shot,
        "case_file": case_file,
        "launcher": launcher,
    }
    given = {name: value for name, value in named.items() if value not in (None, "", [])}
    options = _config_of(_read(config) | _parsed(option or []) | given)
    _run(options, run or _new_id(), as_json=as_json)


def _run(config: EvaluationConfig, evaluation_id: str, *, as_json: bool) -> None:
    from c2c_tasks.cli.evaluation_tables import print_evaluation
    from c2c_tasks.consuming.printing import console
    from c2c_tasks.evaluation.errors import ProblemError
    from c2c_tasks.evaluation.report import EvaluationExists
    from c2c_tasks.evaluation.results import read_result
    from c2c_tasks.inputs.errors import InputError
    from c2c_tasks.pipeline import Evaluation, EvaluationError, run_evaluation
    from c2c_tasks.sandbox.launchers import RunnerError, SandboxError

    errors = (
        *(EvaluationError, EvaluationExists, InputError, ProblemError, RunnerError, SandboxError),
        OSError,
    )
    found = _DATE.search(evaluation_id)  # its name holds the date: another day changes nothing
    date = found[0] if found else f"{datetime.now(UTC):%Y-%m-%d}"
    _log_to_standard_error()
    say = logging.getLogger("c2c_tasks.cli").info
    say("evaluation %s: %s", evaluation_id, _who_answers(config))
    say("if it is cut off: the same command with --id %s goes on", evaluation_id)
    with one_line_errors(*errors):
        written = run_evaluation(Evaluation(evaluation_id, date, config))
        result = read_result(written["uri"])
    if as_json:
        print_json({"uri": written["uri"], **result.model_dump(mode="json", exclude_none=True)})
    else:
        print_evaluation(result, written["uri"], console())


def _config_of(options: dict[str, Any]) -> EvaluationConfig:
    from c2c_tasks.config import ConfigError, EvaluationConfig

    try:
        return EvaluationConfig.from_flat(options)
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from None


def _read(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        options = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise typer.BadParameter(f"{path}: no JSON: {error}", param_hint="--config") from None
    if not isinstance(options, dict):
        raise typer.BadParameter(f"{path}: must be a JSON object", param_hint="--config")
    return options


def _parsed(options: list[str]) -> dict[str, Any]:
    """Return options of the command line: texts as they are, all others as JSON."""
    from c2c_tasks.config import EvaluationConfig

    schemas = {
        name: schema
        for section in EvaluationConfig.sections().values()
        for name, schema in section.model_json_schema()["properties"].items()
    }
    parsed: dict[str, Any] = {}
    for text in options:
        name, separator, value = text.partition("=")
        if not separator:
            raise typer.BadParameter(f"{text}: must be NAME=VALUE", param_hint="--option")
        parsed[name] = value
        if schemas.get(name, {}).get("type") != "string":
            with suppress(ValueError):  # what is no JSON is refused with the option's name
                parsed[name] = json.loads(value)
    return parsed


def _who_answers(config: EvaluationConfig) -> str:
    options = config.model
    match options.solver:
        case "vllm" if options.engine == "in_process":
            return f"model {options.model} in this process answers"
        case "vllm":
            model = options.model or "the first model"
            return f"{model} of {options.endpoint or 'C2C_VLLM_ENDPOINT'} answers"
        case "answers":
            return f"answers are read from {options.answers_file}"
        case _:
            return f"the solver {options.solver} answers: a bound, no model"


def _new_id() -> str:
    return f"shell-{datetime.now(UTC):%Y-%m-%d-%H%M%S}-{secrets.token_hex(2)}"


def _log_to_standard_error() -> None:
    """Have what steps log shown on standard error: a line each, the same one once."""
    handler = logging.StreamHandler(sys.stderr)
    said: set[str] = set()

    def is_new(record: logging.LogRecord) -> bool:
        message = record.getMessage()
        return not (message in said or said.add(message))  # type: ignore[func-returns-value]

    handler.addFilter(is_new)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("c2c_tasks")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)

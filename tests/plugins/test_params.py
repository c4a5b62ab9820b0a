"""The trigger form takes what `c2c_tasks.config` takes, and can be left as it is."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk.exceptions import ParamValidationError

from c2c_airflow.params import (
    build_params,
    evaluation_params,
    retention_params,
    retry_seconds,
)
from c2c_tasks.config import BuildConfig, ConfigError, EvaluationConfig
from c2c_tasks.presets import preset_options


def schema_of(option: str) -> dict[str, Any]:
    return build_params()[option].schema


def test_what_is_changed_most_comes_first_and_the_rest_as_data_flows() -> None:
    params = build_params()
    sections = list(dict.fromkeys(param.schema["section"] for param in params.values()))
    # Airflow opens the section of this name, and no other.
    assert sections == ["Run Parameters", *(name.capitalize() for name in BuildConfig.sections())]
    first = [name for name in params if schema_of(name)["section"] == "Run Parameters"]
    assert first[:4] == ["preset", "dump", "target", "mode"]
    rest = [name for model in BuildConfig.sections().values() for name in model.model_fields]
    assert list(params) == [*first, *(name for name in rest if name not in first)]


def test_a_field_is_called_as_its_option_is_in_errors_and_in_the_manifest() -> None:
    for name, param in build_params().items():
        assert param.schema["title"] == name


def test_an_option_that_may_be_empty_is_not_required() -> None:
    for name, param in build_params().items():
        assert param.resolve() != "", name  # the form would not be submitted
        if param.resolve() is None:
            assert param.schema["type"][0] == "null", name


def test_what_presets_give_is_empty_in_the_form_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("C2C_PRESET", "full")
    monkeypatch.setenv("C2C_OPTIONS", '{"max_cases": 30}')
    monkeypatch.setenv("C2C_TARGET", "s3://bucket")
    params = build_params()
    assert params["preset"].resolve() == "full"
    assert {params[name].resolve() for name in preset_options()} == {None}
    assert params["min_cases"].resolve() == 5
    text = schema_of("audit_programs")["description_md"]
    assert text.endswith("\n\nLeft empty: **50** (demo and nightly), **500** (full).")
    assert schema_of("max_cases")["description_md"] == (
        "Cases kept of a program. From 1 to 500.\n\n"
        "Left empty: **20** (demo), **30** (nightly and full)."
    )
    assert "one case. Above 0, up to 60." in schema_of("case_seconds")["description_md"]
    assert "**s3://bucket-demo** (demo)" in schema_of("target")["description_md"]
    assert params["audit_programs"].resolve(7) == 7
    mode = schema_of("mode")
    assert mode["enum"] == [None, "incremental", "full"] and mode["values_display"]["null"]


def test_bounds_and_choices_are_those_of_the_option() -> None:
    bounds = schema_of("near_duplicate_threshold")
    assert (bounds["type"], bounds["minimum"], bounds["maximum"]) == ("number", 0.5, 1.0)
    assert schema_of("launcher")["enum"] == [None, "auto", "docker", "process"]
    assert schema_of("preset")["enum"] == ["demo", "nightly", "full"]
    assert schema_of("formats")["examples"] == ["sft", "instruct", "pretrain"]
    assert "s3://bucket/case2code" in schema_of("target")["examples"]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("max_cases", 0),
        ("max_cases", "many"),
        ("launcher", "podman"),
        ("formats", []),
        ("formats", ["csv"]),
        ("max_cases", None),
        ("preset", "daily"),
        ("preset", None),
        ("dump", ""),
    ],
)
def test_what_is_out_of_bounds_is_refused_before_a_run_is_made(option: str, value: Any) -> None:
    with pytest.raises(ParamValidationError):
        build_params()[option].resolve(value)


def test_an_evaluation_asks_first_for_what_and_whom() -> None:
    params = evaluation_params()
    in_front = [name for name in params if params[name].schema["section"] == "Run Parameters"]
    assert in_front == [*list(params)[: len(in_front)]]
    assert in_front[:5] == ["tasks", "release", "model", "solver", "samples_per_problem"]
    assert params["tasks"].schema["examples"] == ["induction", "humaneval", "mbpp"]
    assert params["model"].resolve() is None  # may be left empty
    options = {name: param.resolve() for name, param in params.items()}
    assert EvaluationConfig.from_flat(options) == EvaluationConfig()
    with pytest.raises(ParamValidationError):
        params["samples_per_problem"].resolve(0)


def test_what_the_deployment_says_of_evaluations_is_in_their_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("C2C_EVALUATION_OPTIONS", '{"model": "qwen", "max_problems": 100}')
    params = evaluation_params()
    assert (params["model"].resolve(), params["max_problems"].resolve()) == ("qwen", 100)
    monkeypatch.setenv("C2C_EVALUATION_OPTIONS", '{"max_problems": -1}')
    with pytest.raises(ConfigError, match=r"^C2C_EVALUATION_OPTIONS: option 'max_problems'"):
        evaluation_params()


def test_the_target_of_retention_is_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("C2C_TARGET", "s3://bucket/prefix/")
    assert retention_params()["target"].resolve() == "s3://bucket/prefix"


def test_seconds_before_a_retry_are_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("C2C_RETRY_SECONDS", raising=False)
    assert retry_seconds() == 30
    monkeypatch.setenv("C2C_RETRY_SECONDS", "2")
    assert retry_seconds() == 2
    monkeypatch.setenv("C2C_RETRY_SECONDS", "soon")
    with pytest.raises(ConfigError, match="C2C_RETRY_SECONDS='soon': must be a whole number"):
        retry_seconds()

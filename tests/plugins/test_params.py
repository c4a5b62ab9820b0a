"""The trigger form takes what `c2c_tasks.config` takes, and can be left as it is."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk.exceptions import ParamValidationError

from c2c_airflow.params import build_params, retry_seconds
from c2c_tasks.config import ConfigError, section_models


def schema_of(option: str) -> dict[str, Any]:
    return build_params()[option].schema


def test_options_keep_their_order_and_their_sections() -> None:
    expected = [
        (name, section.capitalize())
        for section, model in section_models().items()
        for name in model.model_fields
    ]
    found = [(name, param.schema["section"]) for name, param in build_params().items()]
    assert found == expected


def test_an_option_that_may_be_empty_is_not_required() -> None:
    for name, param in build_params().items():
        assert param.resolve() != "", name  # the form would not be submitted
        if param.resolve() is None:
            assert param.schema["type"] == ["null", "string"], name


def test_bounds_and_choices_are_those_of_the_option() -> None:
    bounds = schema_of("near_duplicate_threshold")
    assert (bounds["type"], bounds["minimum"], bounds["maximum"]) == ("number", 0.5, 1.0)
    assert schema_of("launcher")["enum"] == ["auto", "docker", "process"]
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
        ("dump", None),
        ("dump", ""),
    ],
)
def test_what_is_out_of_bounds_is_refused_before_a_run_is_made(option: str, value: Any) -> None:
    with pytest.raises(ParamValidationError):
        build_params()[option].resolve(value)


def test_the_target_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("C2C_TARGET", "s3://bucket/prefix/")
    assert build_params()["target"].resolve() == "s3://bucket/prefix"


def test_seconds_before_a_retry_are_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("C2C_RETRY_SECONDS", raising=False)
    assert retry_seconds() == 30
    monkeypatch.setenv("C2C_RETRY_SECONDS", "2")
    assert retry_seconds() == 2
    monkeypatch.setenv("C2C_RETRY_SECONDS", "soon")
    with pytest.raises(ConfigError, match="C2C_RETRY_SECONDS='soon': must be a whole number"):
        retry_seconds()

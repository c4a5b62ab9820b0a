"""Options: described, bounded, and refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from c2c_tasks.config import BuildConfig, ConfigError, default_target


def test_every_option_is_described_and_named_once() -> None:
    names = [
        (option, field.description)
        for model in BuildConfig.sections().values()
        for option, field in model.model_fields.items()
    ]
    assert len({name for name, _ in names}) == len(names)
    assert all(description and description.endswith(".") for _, description in names)


def test_every_number_has_bounds() -> None:
    for model in BuildConfig.sections().values():
        for option, schema in model.model_json_schema()["properties"].items():
            if schema["type"] in ("integer", "number"):
                assert {"minimum", "exclusiveMinimum"} & set(schema), option
                assert "maximum" in schema, option


def test_flat_options_find_their_section() -> None:
    config = BuildConfig.from_flat({"dump": "file:///d", "max_cases": 7, "model": None})
    assert (config.source.dump, config.cases.max_cases, config.inputs.model) == ("file:///d", 7, "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_cases": 0}, r"option 'max_cases': input should be greater than or equal to 1"),
        ({"test_share": "a"}, r"option 'test_share': .*number"),
        (
            {"engine_arguments": {"model": "m"}},
            r"engine_arguments': .*model has an option of its own",
        ),
        ({"answers_per_function": 2, "temperature": 0}, r"temperature must not be 0"),
        ({"writer": "gpt"}, r"option 'writer': input should be 'synthesis', 'vllm' or 'none'"),
        ({"formats": []}, r"option 'formats'"),
        ({"max_case": 3}, r"unknown option: max_case"),
        ({"max_cases": 4}, r"options: min_cases is more than max_cases, 4"),
        ({"min_held_cases": 20}, r"options: min_held_cases leaves no case to show of max_cases"),
        ({"test_share": 0.5, "validation_share": 0.5}, r"options: .*nothing to train on"),
    ],
)
def test_bad_option_is_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BuildConfig.from_flat(options)


@pytest.mark.parametrize(
    ("option", "uri", "instead"),
    [
        ("endpoint", "http://user:hunter2@host:8000/v1", "C2C_VLLM_API_KEY"),
        ("endpoint", "http://hunter2@host/v1", "C2C_VLLM_API_KEY"),
        ("dump", "s3://key:hunter2/x@bucket/dump", "AWS_ACCESS_KEY_ID"),
        ("target", "s3://key:hunter2@bucket/prefix", "AWS_ACCESS_KEY_ID"),
        ("opt_outs", "https://user:hunter2@host/list", "AWS_ACCESS_KEY_ID"),
        ("benchmarks", ["humaneval:", "s3://key:hunter2@bucket"], "AWS_ACCESS_KEY_ID"),
    ],
)
def test_a_password_in_a_uri_is_refused_and_not_repeated(
    option: str, uri: object, instead: str
) -> None:
    with pytest.raises(ConfigError, match=f"option '{option}': .*{instead}") as failure:
        BuildConfig.from_flat({option: uri})
    assert "hunter2" not in str(failure.value)


def test_a_token_of_the_hub_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match=r"holds hf_token.*set HF_TOKEN") as failure:
        BuildConfig.from_flat({"engine_arguments": {"hf_token": "hunter2"}})
    assert "hunter2" not in str(failure.value)


def test_what_only_looks_like_a_user() -> None:
    uris = {"dump": "s3://bucket/a@b", "target": "/data/a@b:c", "endpoint": "http://[::1]:80/v1"}
    BuildConfig.from_flat(uris | {"benchmarks": ["hf:a/b", "humaneval:"], "opt_outs": ""})


def test_where_and_how_do_not_count_as_content() -> None:
    here = BuildConfig.from_flat({"target": "file:///a", "functions_per_shard": 10, "dump": "x"})
    there = BuildConfig.from_flat({"target": "s3://b", "functions_per_shard": 99, "dump": "y"})
    contained = BuildConfig.from_flat({"cpus": 2, "pids": 99, "tmp_megabytes": 1, "image": "x"})
    assert here.content_options() == there.content_options() == contained.content_options()
    for option in ({"min_cases": 6}, {"memory_megabytes": 64}, {"function_seconds": 1}):
        other = BuildConfig.from_flat(option)
        assert here.content_options() != other.content_options(), option


def test_releases_of_before_an_option_have_its_default() -> None:
    old = BuildConfig.from_flat({"max_cases": 7}).model_dump(mode="json")
    del old["samples"]["prompt_templates"]  # as a manifest of before it has no such option
    config = BuildConfig.model_validate(old)
    assert config.samples.prompt_templates == "all"
    here = BuildConfig.from_flat({"max_cases": 7})
    assert config.content_options() == here.content_options()
    for option in ({"prompt_templates": "one"}, {"writer": "none", "refine_rounds": 0}):
        other = BuildConfig.from_flat({"max_cases": 7} | option)
        assert here.content_options() != other.content_options()


def test_target_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("C2C_TARGET", "s3://bucket/prefix/")
    assert default_target() == "s3://bucket/prefix"


def test_a_format_counts_once() -> None:
    config = BuildConfig.from_flat({"formats": ["sft", "pretrain", "sft"]})
    assert config.samples.formats == ["sft", "pretrain"]


def test_a_target_may_be_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for target in ("a folder", f"{tmp_path}/a folder/", f"file://{tmp_path}/a%20folder"):
        config = BuildConfig.from_flat({"target": target})
        assert config.publishing.target == f"file://{tmp_path}/a%20folder"

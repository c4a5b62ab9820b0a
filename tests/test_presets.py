"""Presets: what they give, and that what a person gives wins over it."""

from __future__ import annotations

import pytest

from c2c_tasks.config import BuildConfig, ConfigError
from c2c_tasks.presets import default_preset, describe, fill, preset_options, presets


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment that has a target and says nothing else."""
    for name in ("C2C_PRESET", "C2C_OPTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("C2C_TARGET", "s3://bucket/case2code")


def config_of(preset: str, **options: object) -> BuildConfig:
    return BuildConfig.from_flat(fill({"preset": preset, **options})[1])


def test_nights_can_add_to_what_any_preset_has_published() -> None:
    contents = [config_of(name).content_options() for name in presets()]
    assert contents == [BuildConfig().content_options()] * 3


def test_a_demo_needs_nothing_and_stays_out_of_the_deployment_s_dataset() -> None:
    config = config_of("demo")
    assert (config.source.dump, config.inputs.writer) == ("stdlib:", "synthesis")
    assert config.publishing.target == "s3://bucket/case2code-demo"
    assert config.publishing.hub_repository == ""


def test_a_demo_on_a_laptop_goes_where_make_demo_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("C2C_TARGET")
    assert config_of("demo").publishing.target == BuildConfig().publishing.target


def test_a_full_build_is_audited_more_and_cut_into_fewer_tasks() -> None:
    night, full = config_of("nightly"), config_of("full")
    assert (night.source.mode, full.source.mode) == ("incremental", "full")
    assert night.sandbox.launcher == full.sandbox.launcher == "docker"
    assert full.publishing.audit_share > night.publishing.audit_share
    assert full.functions.functions_per_shard > night.functions.functions_per_shard


def test_what_is_given_wins_even_where_it_is_the_option_s_default() -> None:
    given = config_of("full", audit_share=0.01, mode="incremental", launcher=None)
    assert given.publishing.audit_share == BuildConfig().publishing.audit_share
    assert given.source.mode == "incremental"
    assert given.sandbox.launcher == "docker"


def test_scheduled_runs_take_the_preset_of_the_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_preset() == fill({})[0] == "nightly"
    monkeypatch.setenv("C2C_PRESET", "full")
    assert fill({"preset": None})[0] == "full"
    assert fill({"preset": "demo"})[0] == "demo"


def test_the_deployment_s_options_are_those_of_its_own_builds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("C2C_OPTIONS", '{"dump": "s3://dumps/{date}", "launcher": "process"}')
    for name in ("nightly", "full"):
        config = config_of(name)
        assert (config.source.dump, config.sandbox.launcher) == ("s3://dumps/{date}", "process")
    assert config_of("nightly", dump="/data").source.dump == "/data"
    assert config_of("demo").source.dump == "stdlib:"
    assert "dump" in preset_options()


def test_an_unknown_preset_is_named_with_those_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    there_are = "no preset 'daily'; there are demo, nightly, full"
    with pytest.raises(ConfigError, match=f"^option 'preset': {there_are}$"):
        fill({"preset": "daily"})
    monkeypatch.setenv("C2C_PRESET", "daily")
    with pytest.raises(ConfigError, match=f"^C2C_PRESET: {there_are}$"):
        fill({})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "^C2C_OPTIONS: no JSON: "),
        ('["dump"]', "^C2C_OPTIONS: must be a JSON object of options"),
        ('{"dumps": "/data"}', "^C2C_OPTIONS: unknown option: dumps$"),
        ('{"max_cases": 0}', "^C2C_OPTIONS: option 'max_cases': "),
    ],
)
def test_bad_options_of_the_deployment_are_one_line(
    text: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("C2C_OPTIONS", text)
    with pytest.raises(ConfigError, match=message) as failure:
        fill({"preset": "nightly"})
    assert "\n" not in str(failure.value)


def test_a_line_says_what_the_preset_gave_and_what_the_run_set() -> None:
    name, options = fill({"preset": "nightly", "max_cases": 7, "min_cases": 5, "dump": "/data"})
    assert describe(name, options) == (
        "preset nightly: mode=incremental, launcher=docker; set by the run: max_cases=7, dump=/data"
    )

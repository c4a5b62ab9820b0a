"""Files of ablations: what is refused, and what a variant's build is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from c2c_tasks.config import BuildConfig
from c2c_tasks.pipeline.ablations.variants import Ablation, AblationError, read_ablation
from c2c_tasks.presets import fill, presets

ROOT = Path(__file__).resolve().parents[3]
READY = sorted((ROOT / "ablations").glob("*.yaml"))
SOUND: dict[str, Any] = {
    "title": "Case counts",
    "question": "Do more cases help?",
    "base": {"dump": "/data/code", "max_shown_cases": 4},
    "variants": {
        "few": {"description": "Few.", "options": {"max_cases": 6}},
        "many": {"description": "Many.", "options": {"max_cases": 30}},
    },
}


def ablation_of(folder: Path, content: Any, *changes: str) -> Ablation:
    path = folder / "case-counts.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return read_ablation(path, changes)


def with_variant(options: dict[str, Any], name: Any = "many") -> dict[str, Any]:
    variant = {"description": "Another.", "options": options}
    return SOUND | {"variants": {"few": SOUND["variants"]["few"], name: variant}}


def test_a_variant_is_the_base_and_its_own_options(tmp_path: Path) -> None:
    ablation = ablation_of(tmp_path, SOUND, "dump=s3://bucket/code", "min_cases=3")
    assert (ablation.name, ablation.varied) == ("case-counts", {"max_cases"})
    build = ablation.build("many", "s3://bucket/runs", "2026-11-24")
    config = build.config
    assert (config.source.dump, config.publishing.target) == (
        "s3://bucket/code",
        "s3://bucket/runs/many",
    )
    assert (config.samples.max_shown_cases, config.cases.max_cases) == (4, 30)
    assert config.cases.min_cases == 3
    assert ablation.build("many", "s3://bucket/runs", "2026-11-25").build_id == build.build_id
    ids = {ablation.build(n, i, "2026-11-24").build_id for n in ablation.variants for i in "ab"}
    assert len(ids | {build.build_id}) == 5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [", "no YAML: .* line 1"),
        ("[]", "the file: must be a mapping"),
        ({**SOUND, "option": 1}, "the file: option is unknown; there are base, question, title"),
        ({"title": "x", "variants": {}}, "the file: has no base"),
        (SOUND | {"title": 3}, "title: must be a text"),
        (SOUND | {"base": {"max_case": 3}}, "base: unknown option: max_case"),
        (SOUND | {"base": {"target": "/x"}}, "base: target cannot be given: --into says"),
        (SOUND | {"variants": {"few": SOUND["variants"]["few"]}}, "there must be two at least"),
        (SOUND | {"variants": {"few": {}, "many": {}}}, "variant 'few': has no description"),
        (with_variant({"max_cases": 30}, "Many"), "variant 'Many': a name must be of small"),
        (with_variant({"max_cases": 30}, 3), "variant 3: a name must be"),
        (with_variant({"mode": "full"}), "variant 'many': mode cannot be given"),
        (with_variant({"max_cases": 0}), "variant 'many': option 'max_cases': input should be"),
        (with_variant({"max_cases": 6}), "variants 'few' and 'many' differ in nothing"),
        (with_variant({"max_cases": 6, "max_shown_cases": 4}), "differ in nothing"),
        (with_variant({"model": "$HOME and ${HOME}"}), r"model: \$\{HOME\} is no \$\{C2C_NAME\}"),
        (with_variant({"model": "${C2C_MODEL"}), r"model: \$\{C2C_MODEL"),
    ],
)
def test_what_is_wrong_is_named_with_the_file(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(AblationError, match=f"case-counts.yaml: .*{message}") as failure:
        ablation_of(tmp_path, content)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("max_cases=7", "max_cases: is studied, so variants give it"),
        ("min_cases", "min_cases: must be OPTION=VALUE"),
        ("min_case=3", "base: unknown option: min_case"),
    ],
)
def test_a_change_that_will_not_do_is_named(tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(AblationError, match=message):
        ablation_of(tmp_path, SOUND, change)


def test_no_such_file_and_no_such_variant(tmp_path: Path) -> None:
    with pytest.raises(AblationError, match=r"none.yaml: cannot be read: No such file"):
        read_ablation(tmp_path / "none.yaml")
    with pytest.raises(AblationError, match=r"no variant 'x'; there are few, many"):
        ablation_of(tmp_path, SOUND).config("x")


def test_the_environment_is_read_where_a_variant_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("C2C_SOME_ENDPOINT", raising=False)
    options = {"writer": "vllm", "endpoint": "${C2C_SOME_ENDPOINT}", "model": "${C2C_M:-m/1}"}
    ablation = ablation_of(tmp_path, with_variant(options))
    assert ablation.config("few").cases.max_cases == 6  # needs no endpoint
    with pytest.raises(AblationError, match="'many' needs the environment variable C2C_SOME_END"):
        ablation.config("many")
    monkeypatch.setenv("C2C_SOME_ENDPOINT", "http://127.0.0.1:1/v1")
    inputs = ablation.config("many").inputs
    assert (inputs.endpoint, inputs.model) == ("http://127.0.0.1:1/v1", "m/1")
    monkeypatch.setenv("C2C_SOME_ENDPOINT", "http://me:hunter2@host/v1")
    with pytest.raises(AblationError, match="'endpoint': holds a user name") as failure:
        ablation.config("many")
    assert "hunter2" not in str(failure.value)


def test_two_models_are_two_though_no_endpoint_is_set(tmp_path: Path) -> None:
    variants = {
        name: {"description": ".", "options": {"writer": "vllm", "endpoint": endpoint}}
        for name, endpoint in (("a", "${C2C_LLM_A}"), ("b", "${C2C_LLM_B}"))
    }
    assert set(ablation_of(tmp_path, SOUND | {"variants": variants}).variants) == {"a", "b"}


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_a_ready_ablation_is_sound_and_every_preset_builds_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in ("SMALL", "LARGE"):
        monkeypatch.setenv(f"C2C_{size}_LLM_ENDPOINT", f"http://127.0.0.1/{size}")
    ablation = read_ablation(path)
    for name, variant in ablation.variants.items():
        conf = ablation.configuration(name, "file:///runs")
        assert conf["target"] == f"file:///runs/{name}"
        assert (
            conf.items() >= {k: v for k, v in variant.options.items() if "$" not in str(v)}.items()
        )
        assert "target" not in ablation.configuration(name)
        mine = ablation.build(name, "file:///runs", "2026-11-24").config
        for preset in presets():
            assert BuildConfig.from_flat(fill(conf | {"preset": preset})[1]) == mine


def test_the_file_that_the_documentation_shows_is_sound(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "ablations.md").read_text()
    (shown,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert set(ablation_of(tmp_path, shown).variants) == {"few", "many"}
    for path in READY:
        assert path.relative_to(ROOT).as_posix() in page
        assert all(f"`{name}`" in page for name in read_ablation(path).variants)
        assert set(re.findall(r"\$\{(C2C_\w+)", path.read_text())) <= set(
            re.findall(r"`(C2C_\w+)`", page)
        )


def test_the_papers_two_studies_are_there() -> None:
    assert [path.stem for path in READY] == ["input-writers", "prompt-diversity"]
    writers, prompts = map(read_ablation, READY)
    assert {"none", "synthesis", "small_llm", "large_llm"} <= set(writers.variants)
    assert prompts.varied == {"prompt_templates"}

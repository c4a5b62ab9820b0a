"""An ablation from file to report, on a few real functions in the real sandbox."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pytest
from typer.testing import CliRunner

from c2c_tasks.cli import app
from c2c_tasks.pipeline import BuildError, sequence
from c2c_tasks.pipeline.ablations import running
from c2c_tasks.pipeline.ablations.comparing import Content, compare
from c2c_tasks.pipeline.ablations.page import render
from c2c_tasks.pipeline.ablations.report import AblationReport, report_on, write_report
from c2c_tasks.pipeline.ablations.running import Built, build_variants
from c2c_tasks.pipeline.ablations.variants import Ablation, AblationError, read_ablation
from c2c_tasks.publishing.data_files import read_programs
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.shards import watching
from tests.inputs.stand_in import Answer, StandIn, asked, completion
from tests.pipeline.nights import environment

ROOT = Path(__file__).resolve().parents[3]
PROMPTS = ROOT / "ablations" / "prompt-diversity.yaml"
DATE = "2026-11-24"
QUICK = [
    *("launcher=process", "benchmarks=[]", "audit_programs=1", "inputs_per_function=12"),
    *("refine_rounds=0", "formats=[sft]"),
]
WRITERS = """
title: Writers
base:
  licences: any
  # Two modules are few, and of most of their functions nobody's inputs make no program.
  min_cases: 1
  min_distinct_outputs: 1
  max_raised_share: 0.9
variants:
  away:
    description: A model that is away.
    options: {writer: vllm, endpoint: "http://127.0.0.1:9/v1", outage_seconds: 0}
  none:
    description: Nobody.
    options: {writer: none}
  model:
    description: A model that is there.
    options: {writer: vllm, endpoint: "${C2C_STAND_IN}", prompt_token_price: 1000000}
"""


class Prompts(NamedTuple):
    """The study of prompts, of two modules: where it was built, and what came of it."""

    folder: Path
    cut_off: Built
    """Of an attempt that ended in the audit of the first variant."""
    built: Built
    """Of the next one."""
    steps: Counter[str]
    """Shards that the next one made, by step."""


def cut_off(*_: object) -> NoReturn:
    raise BuildError("cut off")


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory, small_dump: Path) -> Prompts:
    """Both variants of the study of prompts."""
    folder = tmp_path_factory.mktemp("ablations") / "here"
    dump = folder / "dump"
    dump.mkdir(parents=True)
    for module in ("colorsys", "textwrap"):
        shutil.copy(small_dump / f"{module}.py", dump)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(folder).items():
            patch.setenv(name, value)
        into = (folder / "runs").as_uri()
        with patch.context() as cut:
            cut.setattr(sequence, "audit", cut_off)
            first = build_variants(ablation(folder), into, DATE, ["one_template"])
        steps: Counter[str] = Counter()
        with watching(lambda report: steps.update([report.step])):
            built = build_variants(ablation(folder), into, "2026-11-25")
    return Prompts(folder, first, built, steps)


@pytest.fixture
def here(prompts: Prompts, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That folder, in the environment that it was made in."""
    for name, value in environment(prompts.folder).items():
        monkeypatch.setenv(name, value)
    return prompts.folder


@pytest.fixture
def copy_of(here: Path, tmp_path: Path) -> Callable[[], Path]:
    """Makes a copy of the datasets, to be changed."""

    def make() -> Path:
        return Path(shutil.copytree(here / "runs", tmp_path / "runs"))

    return make


def ablation(folder: Path, *changes: str) -> Ablation:
    return read_ablation(PROMPTS, [f"dump={folder}/dump", *QUICK, *changes])


def test_variants_differ_in_what_is_studied_and_in_nothing_else(
    prompts: Prompts, here: Path, tmp_path: Path
) -> None:
    built = prompts.built
    assert (list(built.releases), built.failures) == (["one_template", "all_templates"], {})
    report = report_on(ablation(here), built)
    one, all_ = report.figures.values()
    compared = report.variants["all_templates"].compared
    assert compared is not None and compared.deviations == [] and report.deviations == {}
    assert {"programs and their cases", "cases that each sample shows and holds back"} <= {
        check.name for check in compared.checks
    }
    assert compared.common == compared.same_cases == one.programs == all_.programs > 3
    assert [s.templates for s in one.samples.values()] == [1]
    assert all_.samples["sft"].templates > 3
    programs = list(read_programs(one.release))
    assert one.cases == sum(len(program.cases) for program in programs)
    assert one.coverage == pytest.approx(sum(p.coverage for p in programs) / len(programs))
    steps = list(one.seconds)
    assert (steps[0], steps[-1]) == ("extract", "audit")
    assert one.counters["inputs_written"] > one.functions

    write_report(report, tmp_path.as_uri())
    assert AblationReport.model_validate_json((tmp_path / "ablation.json").read_text()) == report
    page = (tmp_path / "ablation.md").read_text()
    assert "| programs and their cases | the same |" in page
    assert f"| functions | {one.functions} | {one.functions} (1.00) |" in page
    for plot in report.plots:
        assert f"]({plot})" in page and (tmp_path / plot).read_bytes()[:4] == b"\x89PNG"
    assert len(report.plots) == 2


def test_a_variant_that_was_cut_off_goes_on_where_it_was(prompts: Prompts) -> None:
    assert prompts.cut_off == Built(failures={"one_template": "cut off"})
    assert prompts.steps == {
        **dict.fromkeys(("extract", "merge_functions", "write_inputs", "execute"), 1),
        **dict.fromkeys(("curate", "merge_programs", "compose"), 1),
        "audit": 2,
    }
    versions = [release.rpartition("/")[2] for release in prompts.built.releases.values()]
    assert versions == ["2026.11.24-1"] * 2  # the date is that of the first attempt


def test_what_is_there_is_not_built_again(
    here: Path, monkeypatch: pytest.MonkeyPatch, copy_of: Callable[[], Path]
) -> None:
    monkeypatch.setattr(running, "run_build", lambda build: pytest.fail(build.build_id))
    options = [word for change in QUICK for word in ("--set", change)]
    into = str(here / "runs")
    command = ["ablate", str(PROMPTS), "--into", into, "--set", f"dump={here}/dump", *options]
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 0, again.output
    assert again.stdout.startswith("# Prompt diversity")
    assert (here / "runs" / "ablation.json").is_file()

    other = CliRunner().invoke(app, [*command, "--set", "max_cases=7"])
    assert other.exit_code == 1
    assert "holds a dataset of other options (max_cases); take another folder" in other.stderr

    changed = copy_of()
    manifest = next((changed / "all_templates").glob("releases/*/manifest.json"))
    manifest.write_text(
        manifest.read_text().replace('"code_version": "', '"code_version": "elder than ')
    )
    deviating = CliRunner().invoke(app, [*command[:3], str(changed), *command[4:], "--json"])
    assert deviating.exit_code == 3, deviating.output
    report = AblationReport.model_validate_json(deviating.stdout)
    assert [line.partition(":")[0] for line in report.deviations["all_templates"]] == ["code"]
    assert "all_templates: differs in more: code: " in deviating.stderr
    assert "**differs**: " in render(report)


def test_what_a_build_cost_is_known_without_its_work_area_and_not_made_up(
    here: Path, copy_of: Callable[[], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    into = copy_of()
    costs = into / "one_template" / "costs.json"
    told = costs.read_text()
    costs.unlink()
    build_variants(ablation(here), into.as_uri(), DATE, ["all_templates"])
    assert costs.read_text() == told  # found in the work area, by whatever it was built

    costs.unlink()
    monkeypatch.setenv("C2C_WORK", str(tmp_path / "elsewhere"))
    built = build_variants(ablation(here), into.as_uri(), DATE)
    report = report_on(ablation(here), built)
    one, all_ = report.figures.values()
    assert one.seconds == {} and sum(all_.seconds.values()) > 0
    (line,) = (row for row in render(report).splitlines() if row.startswith("| seconds: all "))
    assert line.split(" | ")[1] == "-"


def test_a_folder_holds_one_ablation(here: Path) -> None:
    other = here / "other.yaml"
    other.write_text(PROMPTS.read_text())
    with pytest.raises(AblationError, match="holds the ablation 'prompt-diversity'; take another"):
        build_variants(read_ablation(other), (here / "runs").as_uri(), DATE)


def colours(request: dict[str, Any]) -> Answer:
    """What a model says that takes every function for one of colorsys."""
    # The first request is a trial of grammars, and about no function.
    name = ["f", *re.findall(r"def (\w+)\(", asked(request))][-1]
    calls = "\n".join(f"{name}({a / 10}, 0.4, {1 - a / 10})" for a in range(10))
    return completion(calls, prompt_tokens=70, tokens=50)


def test_a_variant_that_fails_does_not_keep_the_others(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = StandIn()
    server.answer = colours
    monkeypatch.setenv("C2C_STAND_IN", server.url)
    path = tmp_path / "writers.yaml"
    path.write_text(WRITERS)
    writers = read_ablation(path, [f"dump={here}/dump", *QUICK])
    built = build_variants(writers, (tmp_path / "runs").as_uri(), "2026-11-25")
    server.stop()
    assert list(built.failures) == ["away"]
    assert "127.0.0.1:9/v1 does not answer" in built.failures["away"]
    assert list(built.releases) == ["none", "model"]
    report = report_on(writers, built)
    assert "does not answer" in render(report)
    none, model = report.figures.values()
    assert (none.writer, none.version, none.cost) == ({"name": "none"}, "2026.11.25-1", 0)
    # Each function costs a prompt, in a currency that a token is a unit of.
    assert model.programs and model.functions == none.functions
    assert (model.prompt_tokens, model.completion_tokens) == tuple(
        n * model.functions for n in (70, 50)
    )
    assert model.per_program(model.cost) == 70 * model.functions / model.programs
    assert report.deviations == {}

    # Nothing of it is in common with the study of prompts but the functions, as it says.
    prompts_release = next((here / "runs" / "one_template" / "releases").iterdir()).as_uri()
    contents = [Content.of(r, read_manifest(r)) for r in (prompts_release, built.releases["none"])]
    compared = compare(contents[0], contents[1], {"prompt_templates"})
    deviating = {check.name: check.detail for check in compared.deviations}
    assert "max_raised_share, min_cases" in deviating["options but the studied ones"]
    assert "programs and their cases" in deviating and "functions after merging" not in deviating
    fewer = Content(contents[0].manifest, set(), contents[0].programs, contents[0].shown)
    (lost,) = compare(contents[0], fewer, {"prompt_templates"}).deviations
    assert lost.name == "functions after merging" and lost.detail.endswith("0 only here")


def test_a_page_of_nothing_says_why() -> None:
    built = Built(failures={"one_template": "no | such dump"})
    page = render(report_on(read_ablation(PROMPTS), built))
    assert "| no \\| such dump |" in page and "not built yet" in page
    assert json.loads(report_on(read_ablation(PROMPTS), built).model_dump_json())["plots"] == []

"""The vllm writer through the real engine: a tiny model with random weights, on the CPU.

What it writes is noise, but where the grammar holds it, noise that parses.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks import pipeline
from c2c_tasks.config import BuildConfig
from c2c_tasks.config.evaluation import ModelOptions, ProblemOptions
from c2c_tasks.evaluation.answering import solver_for
from c2c_tasks.evaluation.humaneval import humaneval_problems
from c2c_tasks.evaluation.prompting import Shot
from c2c_tasks.evaluation.records import Answer
from c2c_tasks.inputs import in_process
from c2c_tasks.inputs.errors import EngineDown, InputError
from c2c_tasks.inputs.json_lines_process import JsonLinesProcess
from c2c_tasks.pipeline.build import Build
from c2c_tasks.pipeline.runs import ShardReference
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.records import Function, Inputs
from c2c_tasks.shards import StepReport, read_report, read_shard
from c2c_tasks.store import normalise
from tests.end_to_end.vllm.proxy import FREE_FORM, TRANSPORT, FaultyProxy
from tests.end_to_end.vllm.server import VllmServer
from tests.evaluation.programs import problem

pytestmark = [pytest.mark.vllm, pytest.mark.slow, pytest.mark.timeout(900)]

MAKE_MODEL = Path(__file__).with_name("make_model.py")
MakeShard = Callable[..., tuple[Build, ShardReference]]


@pytest.fixture(scope="module", autouse=True)
def cpu_engine() -> Iterator[None]:
    """Settings of vLLM on a CPU, and nothing to be fetched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


@pytest.fixture(scope="module")
def model(vllm_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny model."""
    folder = tmp_path_factory.mktemp("model")
    made = subprocess.run(
        [vllm_python, MAKE_MODEL, folder], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture(scope="module")
def server(
    vllm_python: Path, model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VllmServer]:
    running = VllmServer(vllm_python, model, tmp_path_factory.mktemp("server") / "log")
    yield running
    running.kill()


@pytest.fixture
def proxy(server: VllmServer) -> Iterator[FaultyProxy]:
    running = FaultyProxy(server.url)
    yield running
    running.stop()


@pytest.fixture
def make_shard(workspace: Path, small_dump: Path) -> MakeShard:
    """Makes a build up to its one shard of functions, some fifty of them."""

    def make(build_id: str = "build-1", **options: Any) -> tuple[Build, ShardReference]:
        defaults = {
            "dump": str(small_dump),
            "launcher": "process",
            "licences": "any",
            "writer": "vllm",
            "inputs_per_answer": 8,
            "max_tokens": 600,
            "refine_rounds": 1,
            "audit_programs": 3,
        }
        build = Build(build_id, "2026-11-24", BuildConfig.from_flat(defaults | options))
        extracted = [pipeline.extract(build, shard) for shard in pipeline.plan(build)]
        (shard,) = pipeline.merge_functions(build, extracted)
        return build, shard

    return make


def write(build: Build, shard: ShardReference) -> tuple[list[Inputs], StepReport]:
    """Run the step; every function is in the rows or among the dropped, in order."""
    written = pipeline.write_inputs(build, shard)
    rows = list(read_shard(written["uri"], Inputs))
    report = read_report(written["uri"])
    assert report is not None
    (stage,) = report.stages
    ids = [function.function_id for function in read_shard(shard["uri"], Function)]
    assert stage.rows_in == len(ids) > 40
    assert stage.rows_out == len(rows) == stage.rows_in - sum(stage.dropped.values())
    known = {row.function_id for row in rows}
    assert [row.function_id for row in rows] == [i for i in ids if i in known]
    return rows, report


def refusals(report: StepReport) -> set[str]:
    return {name for name in report.counters if name.startswith("inputs_refused_")}


@contextmanager
def in_the_middle(build: Build, fail: Callable[[], object]) -> Iterator[None]:
    """Do something once the first answers are kept."""
    ended = threading.Event()

    def wait() -> None:
        while not list(Path(build.work.removeprefix("file://")).rglob("*.answers/*")):
            if ended.wait(0.05):
                return
        fail()

    waiting = threading.Thread(target=wait)
    waiting.start()
    try:
        yield
    finally:
        ended.set()
        waiting.join()


def test_what_a_grammar_holds_parses(make_shard: MakeShard, server: VllmServer) -> None:
    rows, report = write(*make_shard(endpoint=server.url))
    assert report.stages[0].dropped == {}
    assert refusals(report) <= {"inputs_refused_repeated", "inputs_refused_truncated"}
    assert "answers_unconstrained" not in report.counters
    assert {row.writer for row in rows} == {"vllm:tiny"}
    assert all(row.prompt_tokens > 300 and row.completion_tokens for row in rows)
    facts = report.facts["writer"]
    assert facts["engine_version"].startswith("vllm 0.")
    assert facts["context_tokens"] == 4096


def test_a_release_through_the_server(
    make_shard: MakeShard, server: VllmServer, workspace: Path
) -> None:
    build, _ = make_shard(
        "release",
        endpoint=server.url,
        revision="main",
        answers_per_function=2,
        prompt_token_price=0.1,
        completion_token_price=0.4,
        engine_hour_price=3.6,
        min_distinct_outputs=1,
        min_cases=2,
        max_raised_share=1.0,
    )
    release = pipeline.run_build(build)
    manifest = read_manifest(release["uri"])
    assert manifest.writer.model == "tiny"
    assert manifest.writer.revision == "main"
    assert manifest.writer.answers_per_function == 2
    cost = manifest.writing
    assert cost is not None
    assert cost.cost == pytest.approx(
        (cost.prompt_tokens * 0.1 + cost.completion_tokens * 0.4) / 1e6 + cost.seconds / 1_000
    )
    assert cost.cost_per_program == pytest.approx(cost.cost / cost.programs)


@pytest.mark.nightly
def test_without_a_grammar_noise_is_dropped_and_named(
    make_shard: MakeShard, server: VllmServer
) -> None:
    build, shard = make_shard(endpoint=server.url, constrained="off")
    rows, report = write(build, shard)
    assert report.stages[0].dropped.keys() <= {"no_parseable_inputs", "empty_answer"}
    assert len(report.problems) == report.MAX_PROBLEMS
    assert len(rows) < shard["rows"] / 10

    rows, report = write(*make_shard(endpoint=server.url, constrained="off", fallback="synthesis"))
    assert report.stages[0].dropped.keys() <= {"unsupported_parameters"}
    assert Counter(row.writer for row in rows)["synthesis"] > shard["rows"] * 0.8
    assert report.facts["writer"]["fallback"] == "synthesis"


def test_a_text_for_a_base_model(make_shard: MakeShard, server: VllmServer) -> None:
    rows, report = write(*make_shard(endpoint=server.url, prompt_style="text"))
    assert report.stages[0].dropped == {}
    assert refusals(report) <= {"inputs_refused_repeated", "inputs_refused_truncated"}
    assert rows


@pytest.mark.parametrize("style", ["chat", "text"])
def test_problems_of_an_evaluation(server: VllmServer, style: str, tmp_path: Path) -> None:
    problems = list(humaneval_problems(ProblemOptions(max_problems=3), StepReport("plan", "-")))
    problems += [problem(number) for number in range(3)]
    shots = [Shot(problem(9).prompt, problem(9).program)]
    options = ModelOptions.model_validate(
        {
            "endpoint": server.url,
            "prompt_style": style,
            "samples_per_problem": 4,
            "max_tokens": 32,
        }
    )
    folder = normalise(str(tmp_path / "answers"))

    def answer() -> tuple[list[Answer], StepReport]:
        report = StepReport("answer", "-")
        return list(solver_for(options, shots, answers=folder).answer(problems, report)), report

    answers, report = answer()
    assert [(a.problem_id, a.sample) for a in answers] == [
        (one.problem_id, sample) for one in problems for sample in range(4)
    ]
    assert sum(a.truncated for a in answers) == report.counters["answers_truncated"] > 0
    assert report.counters["completion_tokens"] > 32
    assert report.facts["solver"]["few_shot"] == 1
    again, report = answer()
    assert again == answers
    assert report.counters["answers_resumed"] == len(answers)


@pytest.mark.nightly
def test_a_network_that_spoils_answers_loses_none(
    make_shard: MakeShard, proxy: FaultyProxy
) -> None:
    proxy.faults = [step for fault in TRANSPORT for step in (fault, "pass", "pass", "pass", "pass")]
    build, shard = make_shard(
        endpoint=proxy.url, request_seconds=12, outage_seconds=60, concurrency=8
    )
    rows, report = write(build, shard)
    assert report.stages[0].dropped == {}
    assert set(proxy.seen) == {*TRANSPORT, "pass"}
    faults = proxy.seen.total() - proxy.seen["pass"]
    assert report.counters["request_retries"] >= faults
    assert len(rows) == shard["rows"]


@pytest.mark.nightly
def test_malformed_and_truncated_answers(make_shard: MakeShard, proxy: FaultyProxy) -> None:
    proxy.faults = ["pass", *FREE_FORM]
    _, report = write(*make_shard(endpoint=proxy.url, concurrency=8))
    (stage,) = report.stages
    assert stage.dropped["empty_answer"] == proxy.seen["empty"]
    assert stage.dropped["no_parseable_inputs"] >= proxy.seen["prose"]
    # Of an answer cut off at two thirds, most have a whole item; fences and a lambda lose none.
    assert sum(stage.dropped.values()) < proxy.seen["empty"] + 2 * proxy.seen["prose"]
    assert report.counters["inputs_refused_not_a_literal"] >= proxy.seen["lambda"] / 2
    assert report.counters["inputs_refused_truncated"] >= proxy.seen["unclosed"] / 2


def test_a_program_longer_than_the_context(
    make_shard: MakeShard, server: VllmServer, tmp_path: Path
) -> None:
    lines = "".join(f"    total = (total * {i} + offset) % 1000003\n" for i in range(900))
    dump = tmp_path / "long"
    dump.mkdir()
    (dump / "long.py").write_text(
        f"def fold(total, offset):\n{lines}    return total\n\n\n"
        "def double(number):\n    doubled = number * 2\n    return doubled\n"
    )
    build, shard = make_shard(
        "long", endpoint=server.url, dump=str(dump), max_program_characters=100_000
    )
    written = pipeline.write_inputs(build, shard)
    rows = {row.entry_point: row for row in read_shard(written["uri"], Inputs)}
    report = read_report(written["uri"])
    assert set(rows) == {"fold", "double"}
    assert report is not None
    assert report.counters["programs_trimmed"] == 1
    assert rows["fold"].prompt_tokens < 4096 - 80


@pytest.mark.nightly
def test_a_server_that_is_killed_and_started_again(
    make_shard: MakeShard, server: VllmServer
) -> None:
    build, shard = make_shard(
        endpoint=server.url, concurrency=2, answers_per_function=6, outage_seconds=300
    )

    def fail() -> None:
        server.kill()
        server.start()

    with in_the_middle(build, fail):
        rows, report = write(build, shard)
    assert report.stages[0].dropped == {}
    assert report.counters["engine_outages"] >= 1
    assert report.counters["request_retries"] >= 1
    assert len(rows) == shard["rows"]


class Killed(Exception):
    """A task that was ended in the middle."""


@pytest.mark.nightly
def test_a_task_that_was_ended_does_not_ask_again(
    make_shard: MakeShard, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    build, shard = make_shard(endpoint=proxy.url, concurrency=2)

    def ended(rows: Any, report: Any, source: Any) -> Iterator[Any]:
        for number, row in enumerate(rows):
            if number == 20:
                raise Killed
            yield row

    with monkeypatch.context() as patch:
        patch.setattr(pipeline.steps, "follow", ended)
        with pytest.raises(Killed):
            pipeline.write_inputs(build, shard)
    before = proxy.prompts.total()
    rows, report = write(build, shard)
    assert len(rows) == shard["rows"] == len(proxy.prompts)
    assert report.counters["answers_resumed"] >= 20
    # Only what was under way when the task ended may be asked a second time.
    assert sum(count > 1 for count in proxy.prompts.values()) <= 2
    assert proxy.prompts.total() - before <= shard["rows"] - 20


def running(group: int) -> list[str]:
    """The processes of a group that have not ended; those that nobody waited for have."""
    listed = subprocess.run(
        ["ps", "-e", "-o", "pgid=,stat=,pid="], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in listed.stdout.splitlines()]
    return [pid for pgid, state, pid in rows if pgid == str(group) and state[0] != "Z"]


@pytest.mark.nightly
def test_in_process(
    make_shard: MakeShard, model: Path, vllm_python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine is killed in mid-shard; the next attempt goes on with what was answered."""
    monkeypatch.setenv("C2C_VLLM_PYTHON", str(vllm_python))
    build, shard = make_shard(
        engine="in_process",
        model=str(model),
        context_tokens=3_072,
        engine_arguments={"enforce_eager": True},
        concurrency=4,
        answers_per_function=6,
    )
    engines: list[int] = []
    receive = in_process.InProcessEngine._receive

    async def noting(engine: in_process.InProcessEngine, process: JsonLinesProcess) -> None:
        engines.append(process.group)
        await receive(engine, process)

    monkeypatch.setattr(in_process.InProcessEngine, "_receive", noting)

    def kill() -> None:
        os.kill(engines[0], signal.SIGKILL)  # and not those that it has started

    with in_the_middle(build, kill), pytest.raises(EngineDown, match=rf"engine of {model} ended"):
        pipeline.write_inputs(build, shard)

    rows, report = write(build, shard)
    assert report.stages[0].dropped == {}
    assert report.counters["answers_resumed"] >= 6, "of at least one function"
    assert refusals(report) <= {"inputs_refused_repeated", "inputs_refused_truncated"}
    assert {row.writer for row in rows} == {f"vllm:{model}"}
    assert report.facts["writer"]["engine"] == "in_process"
    assert report.facts["writer"]["context_tokens"] == 3_072
    assert not [pid for engine in engines for pid in running(engine)]


def test_in_process_without_vllm_or_without_the_model(
    make_shard: MakeShard, vllm_python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build, shard = make_shard(engine="in_process", model=str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=r"nowhere is no folder of this worker"):
        pipeline.write_inputs(build, shard)
    (tmp_path / "nowhere").mkdir()
    monkeypatch.delenv("C2C_VLLM_PYTHON", raising=False)
    with pytest.raises(InputError, match=r"has no vLLM; install .*C2C_VLLM_PYTHON"):
        pipeline.write_inputs(build, shard)
    monkeypatch.setenv("C2C_VLLM_PYTHON", str(tmp_path / "python"))
    with pytest.raises(InputError, match=r"which cannot be run \(No such file"):
        pipeline.write_inputs(build, shard)
    monkeypatch.setenv("C2C_VLLM_PYTHON", str(vllm_python))
    with pytest.raises(InputError, match=r"nowhere cannot be loaded: "):
        pipeline.write_inputs(build, shard)

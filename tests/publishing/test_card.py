"""The card says what the release is, and nothing from the dump can break out of it."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.publishing.audit import AuditReport, Check
from c2c_tasks.publishing.card import SAMPLES, render_card
from c2c_tasks.publishing.facts import SandboxFacts, WriterFacts
from c2c_tasks.publishing.manifest import FunnelStage, Manifest, read_manifest
from c2c_tasks.publishing.previews import Preview
from c2c_tasks.publishing.statistics import Statistics
from c2c_tasks.records import FORMATS, Program
from c2c_tasks.store import file_path, read

MakeProgram = Callable[[int], Program]
Render = Callable[..., str]


@pytest.fixture(scope="module")
def release(
    tmp_path_factory: pytest.TempPathFactory, publish: Any, make_program: MakeProgram
) -> str:
    target = tmp_path_factory.mktemp("target").as_uri()
    return str(publish(target, [make_program(n) for n in range(40)]))


@pytest.fixture(scope="module")
def manifest(release: str) -> Manifest:
    return read_manifest(release)


@pytest.fixture
def render(manifest: Manifest, schemas: Any) -> Render:
    """Renders the card of a manifest with some fields changed."""

    def rendered(
        statistics: Statistics | None = None,
        previews: Any = (),
        *,
        audit: AuditReport | None = None,
        parent: Manifest | None = None,
        options: dict[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        config = {section: dict(values) for section, values in manifest.config.items()}
        for name, value in (options or {}).items():
            section, _, option = name.partition(".")
            config[section][option] = value
        return render_card(
            manifest.model_copy(update={"config": config, **changes}),
            statistics or Statistics(),
            previews,
            schemas=schemas,
            audit=audit,
            parent=parent,
        )

    return rendered


def page(card: str) -> str:
    """The card as HTML, by CommonMark with the tables of GitHub and the Hub."""
    from markdown_it import MarkdownIt

    _, _, text = card.partition("\n---\n")
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return str(reader.render(text))


def preview(text: str, **changes: str) -> Preview:
    fields = {"sample_id": "id", "function_id": "f", "repository": "o/r", "path": "p.py"}
    return Preview(format="pretrain", parts=[("text", text)], **(fields | changes))


@pytest.fixture
def snippets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], list[str]]:
    """Gives the blocks of Python of a released card, with its places filled in."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))

    def found(card: str, place: str) -> list[str]:
        loading = card.partition("## Samples")[0]
        shown = re.compile(r"OWNER/NAME|path/to/[\d.-]+|s3://BUCKET/PREFIX/releases/[\d.-]+")
        return [
            shown.sub(place, block)
            for block in re.findall(r"```python\n(.*?)```", loading, re.DOTALL)
        ]

    return found


def test_what_it_says_of_loading_is_true(release: str, snippets: Any, capfd: Any) -> None:
    folder = str(file_path(release))
    blocks = snippets(read(f"{release}/README.md").decode(), folder)
    assert len(blocks) == 7  # that of S3 too: its folder may be a local one
    for block in blocks:
        exec(block, {})
        assert capfd.readouterr().out, block


@pytest.mark.s3
def test_what_it_says_of_loading_from_s3_is_true(
    s3_bucket: str, publish: Any, make_program: MakeProgram, snippets: Any
) -> None:
    release = publish(s3_bucket, [make_program(n) for n in range(12)])
    blocks = snippets(read(f"{release}/README.md").decode(), release)
    (block,) = [block for block in blocks if "pyarrow.dataset.dataset(files" in block]
    namespace: dict[str, Any] = {}
    exec(block, namespace)
    samples, stream = namespace["samples"], namespace["stream"]
    assert samples.num_rows == read_manifest(release).splits["sft"]["train"]
    assert list(samples) == list(stream)


def test_places_that_are_known_are_named(render: Render) -> None:
    card = render(options={"publishing.target": "s3://b/p", "publishing.hub_repository": "me/set"})
    assert 'pyarrow.dataset.dataset("s3://b/p/releases/2026.11.24-1/sft")' in card
    assert 'load_dataset("me/set", "sft", split="train")' in card
    assert "BUCKET" not in card and "OWNER" not in card
    assert "if it was pushed there as `OWNER/NAME`" in render()


def test_a_release_of_one_format(render: Render, manifest: Manifest) -> None:
    assert "The samples of `sft`, `instruct`, `pretrain` are made of the same" in render()
    splits = {config: manifest.splits[config] for config in ("programs", "pretrain")}
    card = render(splits=splits)
    assert "are made of the same" not in card and "`sft`" not in card
    assert 'load_dataset("OWNER/NAME", "pretrain", split="train")' in card


def test_all_columns_are_described(render: Render, schemas: Any) -> None:
    card = render()
    for schema in schemas.values():
        for name in schema.names:
            assert re.search(rf"\| `{name}` \| [\w ]+ \| .{{10,}} \|", card), name


def test_samples_are_of_all_formats_and_folded(release: str) -> None:
    shown = page(read(f"{release}/README.md").decode())
    samples = shown.partition("<h2>Samples<")[2].partition("<h2>Data fields<")[0]
    assert samples.count("sample_id") == SAMPLES == 10
    assert samples.count("<details>") == samples.count("</details>") == 7
    for format_ in FORMATS:
        assert f"<h3><code>{format_}</code>" in samples


HOSTILE = [
    "````\n# no heading\n````",
    "</details></summary><script>alert(1)</script>",
    "| a | b |\n| --- | --- |",
    "nul \0 escape \x1b[31m return \r feed \f",
    "x" * 100_000,
    "~~~\n```\n`````````",
    "![image](http://example.org/x.png) <!-- $x$",
    "\u2028 \u202e \ud7ff",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_the_dump_stays_where_it_belongs(render: Render, text: str) -> None:
    plain = page(render(previews=[preview("plain")] * 4))
    first = page(render(previews=[preview(text)] * 4))
    assert re.findall(r"<(?!code|/code)[^>]*>", first) == re.findall(
        r"<(?!code|/code)[^>]*>", plain
    )
    blocks = re.findall(r'<code class="language-text">(.*?)</code>', first, re.DOTALL)
    assert len(blocks) == 4
    assert html.unescape(blocks[0]).startswith(text[:8].replace("\0", "␀"))
    assert not re.search(r"[\x00-\x08\x0b-\x1f]", first)
    assert len(first) < len(plain) + 60_000


@pytest.mark.parametrize("text", HOSTILE)
def test_names_of_the_dump_are_text(render: Render, text: str) -> None:
    def rendered(name: str) -> str:
        statistics = Statistics(
            repositories=Counter({name: 5, "other": 1}), licences=Counter({name: 5})
        )
        previews = [preview("plain", repository=name, path=name)] * 4
        return page(render(statistics, previews, problems=[name]))

    tags = re.compile(r"<[^>]*>")
    assert tags.findall(rendered(text)) == tags.findall(rendered("plain"))


def test_a_sandbox_without_a_container_is_said_loudly(render: Render) -> None:
    assert "**Warning: no container.**" in render()
    card = render(sandbox=SandboxFacts(launcher="docker", image="x:1", missing=[]))
    assert "no container" not in card
    assert "| image | `x:1` |" in card
    assert "could not be set up" not in card and "| hardened containers" in card


def test_a_build_that_ran_nothing_has_no_writer_and_no_sandbox(
    render: Render, manifest: Manifest, schemas: Any
) -> None:
    nothing: dict[str, Any] = {"writer": WriterFacts(), "sandbox": SandboxFacts(), "funnel": []}
    added = manifest.model_copy(update={"parent": "2026.11.23-1", **nothing})
    card = render_card(added, Statistics(), (), schemas=schemas)
    assert "This build ran no function: all rows are those of release 2026.11.23-1," in card
    assert "This build ran no function." in render(**nothing)
    assert "ran no function" not in render()
    assert "| inputs |" not in card and "| sandbox |" not in card and "twice" not in card
    assert "container" not in card and "as the sandbox has it" not in card
    assert "No language model" not in card and "A language model" not in card


@pytest.mark.parametrize(
    ("options", "changes", "said"),
    [
        ({"rights.licences": "permissive_or_unknown"}, {}, "no licence is known is included"),
        ({"functions.benchmarks": []}, {}, "No benchmark was kept out"),
        ({"sandbox.coverage": False}, {}, "Lines were not recorded"),
        ({"sandbox.determinism_runs": False}, {}, "Functions ran once"),
        ({"rights.scan_secrets": False}, {}, "Nobody looked for secrets"),
        ({"cases.drop_behavioural_duplicates": False}, {}, "under several texts"),
        ({}, {"failed_shards": ["2 of 9"]}, "1 function shards failed"),
        ({}, {"writer": WriterFacts(name="vllm", model="a/b")}, "wrote the first inputs (a/b)"),
    ],
)
def test_limits_are_those_of_this_build(
    render: Render, options: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    assert said in render(options=options, **changes)
    assert said not in render()


def test_one_repository_that_much_comes_from_is_a_limit(render: Render) -> None:
    many = Statistics(repositories=Counter({f"o/{n}": 1 for n in range(10)}))
    assert "come from one repository" not in render(many)
    one = Statistics(repositories=Counter({"o/a": 3, "o/b": 1}))
    assert "75% of the programs come from one repository, o/a." in render(one)


def test_what_was_skipped_is_named(render: Render) -> None:
    assert "Skipped" not in render()
    card = render(problems=[f"a|b.jsonl: line {number}: not JSON" for number in range(25)])
    assert "- a\\|b.jsonl: line 19: not JSON\n" in card
    assert "line 20" not in card and "the first 20" in card


def test_reasons_are_explained(render: Render) -> None:
    dropped = {"impure_module": 3, "near_duplicate_of_earlier_release": 7, "unheard_of": 1}
    funnel = [
        FunnelStage(name="functions", unit="functions", rows_in=20, rows_out=9, dropped=dropped)
    ]
    card = render(funnel=funnel)
    assert "| functions | 7 | `near_duplicate_of_earlier_release` | its tokens are" in card
    assert "(in an earlier release) |\n|  | 3 | `impure_module` | it uses a module" in card
    assert "|  | 1 | `unheard_of` | unheard of |" in card


def test_the_audit_is_shown(render: Render) -> None:
    checks = [
        Check(name="ids are unique", unit="samples", examined=1_200, exempt=34),
        Check(name="b|c", unit="files", examined=3, faults=2),
    ]
    report = AuditReport(release="2026.11.24-1", seed="build", re_executed=50, checks=checks)
    card = render(audit=report)
    assert "| ids are unique | 1,200 samples | 34 | 0 |\n| b\\|c | 3 files | 0 | 2 |" in card


def test_what_the_audit_ran_again(render: Render) -> None:
    some = AuditReport(release="2026.11.24-1", seed="build", re_executed=39)
    assert "Of its programs 39, drawn at random, were run again." in render(audit=some)
    everything = some.model_copy(update={"re_executed": 40})
    assert "All its 40 programs were run again." in render(audit=everything)


def test_benchmarks_are_named(render: Render) -> None:
    card = render(options={"functions.benchmarks": ["humaneval:", "hf:a/mbpp", "s3://b/x"]})
    assert "benchmarks (HumanEval, `a/mbpp` of the Hub, `s3://b/x`)" in card
    assert "by a digest of its `cluster`" in card


def test_what_changed_since_the_parent(render: Render, manifest: Manifest) -> None:
    assert "## Changes" not in render()
    options = {**manifest.config, "cases": {**manifest.config["cases"], "max_cases": 7}}
    parent = manifest.model_copy(
        update={"version": "2026.11.23-1", "config": options, "splits": {"programs": {"train": 9}}}
    )
    dropped = {"source_gone": 2}
    carried = FunnelStage(
        name="programs carried over", unit="programs", rows_in=9, rows_out=7, dropped=dropped
    )
    card = render(parent=parent, funnel=[carried])
    assert "Since release 2026.11.23-1: 33 programs are new." in card
    assert "| `programs` | 9 | 40 |" in card
    assert "| 2 | its source file is gone from the dump |" in card
    assert "| `cases.max_cases` | 7 | 20 |" in card


def test_the_release_can_be_cited(render: Render) -> None:
    card = render(dataset_name='My "set" {1}\\', build_id="a}b")
    assert "@misc{case2code_2026_11_24_1," in card
    assert "title   = {My set 1}," in card
    assert "build ab; cite it" in card
    assert "arXiv:2407.12504" in card


def test_a_published_card_shows_funnel_plots_and_samples(
    target: str, publish: Any, make_program: MakeProgram
) -> None:
    release = publish(target, [make_program(n) for n in range(12)], plots=True)
    card = read(f"{release}/README.md").decode()
    assert "| functions | functions at the top level" in card
    plots = re.findall(r"\]\((report/\w+\.png)\)", card)
    assert len(plots) == len(set(plots)) == 8
    for path in plots:
        assert read(f"{release}/{path}").startswith(b"\x89PNG")
    assert "| not stated | 6 |" in card

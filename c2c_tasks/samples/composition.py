"""From a program to its training rows: what is shown, what is held back, and how it is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random

from c2c_tasks.config import SampleOptions
from c2c_tasks.records import Case, Function, Program, Sample, SampleFormat
from c2c_tasks.samples.documents import Document, draw_document
from c2c_tasks.samples.examples import Example, example_of
from c2c_tasks.samples.identity import sample_id
from c2c_tasks.samples.rendering import RENDERINGS, Rendering
from c2c_tasks.samples.templates import Template, draw_template
from c2c_tasks.shards import StepReport

LEAST_SHOWN = 3
"""Cases that a prompt shows at least, where the options allow as many."""
LONG = 400
"""Characters of arguments and output past which a case is shown only for want of others."""


def compose(program: Program, options: SampleOptions, report: StepReport) -> Iterator[Sample]:
    """Yield the samples of a program, `samples_per_program` of each format.

    Every choice is drawn from the seed, the function id, the format and the sample's number.
    A prompt shows no more than `max_shown_cases`, and fewer where it would be too long or
    where `min_held_cases` would not be left.
    """
    stage = report.stage("samples", "samples")
    examples = showable(program, program.cases)
    most = min(options.max_shown_cases, len(examples) - options.min_held_cases)
    least = min(options.max_shown_cases, LEAST_SHOWN)
    for format_ in options.formats:
        prompts: set[str] = set()
        for number in range(options.samples_per_program):
            if most < least:
                stage.drop("too_few_cases")
                continue
            random = Random(f"{options.seed}:{program.function_id}:{number}:{format_}")
            count = random.randint((least + most) // 2, most)
            shown = choose_shown(program.cases, list(examples), count, random)
            rendering = _rendering([examples[position] for position in shown], random)
            template = _draw(format_, rendering, random)
            sample = _fitting(program, examples, shown, least, template, format_, options)
            if sample is None:
                stage.drop("too_long")
            elif sample.prompt in prompts:
                stage.drop("repeated_prompt")
            else:
                prompts.add(sample.prompt)
                stage.keep()
                yield sample


def showable(function: Function, cases: Sequence[Case]) -> dict[int, Example]:
    """Return the cases that can be shown, by their position among the function's cases."""
    examples = {}
    for position, case in enumerate(cases):
        try:
            examples[position] = example_of(function, case)
        except ValueError:  # no call can be written: it is neither shown nor held
            continue
    return examples


def choose_shown(
    cases: Sequence[Case], positions: list[int], count: int, random: Random
) -> list[int]:
    """Return `count` of the positions, those of the most telling cases first.

    The order is drawn, but a case that runs lines which those before it leave out goes first:
    what is shown tells of every branch that any case takes. Long ones and, among the others,
    those that raise wait until last.
    """
    positions = [*positions]
    random.shuffle(positions)
    positions.sort(key=lambda position: _length(cases[position]) > LONG)
    telling: list[int] = []
    covered: set[int] = set()
    for position in positions:
        if not covered.issuperset(cases[position].covered_lines):
            covered.update(cases[position].covered_lines)
            telling.append(position)
    rest = [position for position in positions if position not in telling]
    rest.sort(key=lambda p: cases[p].outcome == "raised" or _length(cases[p]) > LONG)
    return [*telling, *rest][:count]


def _length(case: Case) -> int:
    return len(case.arguments) + len(case.output or "")


def _rendering(examples: list[Example], random: Random) -> Rendering:
    """Return the first rendering, in an order that is drawn, that accepts all examples."""
    order = random.sample(RENDERINGS, len(RENDERINGS))
    return next(r for r in order if all(r.accepts(example) for example in examples))


def _draw(format_: SampleFormat, rendering: Rendering, random: Random) -> Template | Document:
    draw = draw_document if format_ == "pretrain" else draw_template
    return draw(random, rendering)


def _fitting(
    program: Program,
    examples: Mapping[int, Example],
    shown: list[int],
    least: int,
    template: Template | Document,
    format_: SampleFormat,
    options: SampleOptions,
) -> Sample | None:
    """Return the sample, with as many of the cases to be shown as its length allows."""
    for count in range(len(shown), least - 1, -1):
        positions = sorted(shown[:count])
        texts = template.fill(program, [examples[position] for position in positions])
        if sum(map(len, texts)) <= options.max_sample_characters:
            break
    else:
        return None
    instruction, input_, completion = texts
    return Sample(
        sample_id=sample_id(program.function_id, format_, instruction, input_),
        function_id=program.function_id,
        format=format_,
        split=program.split,
        template=template.name,
        instruction=instruction,
        input=input_,
        completion=completion,
        shown_cases=positions,
        held_cases=[position for position in examples if position not in positions],
        repository=program.repository,
        path=program.path,
        licence=program.licence,
    )

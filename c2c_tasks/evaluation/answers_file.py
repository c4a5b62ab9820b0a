"""Answers that somebody else got, from a file."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from c2c_tasks.evaluation.errors import ProblemError
from c2c_tasks.evaluation.lines import read_rows, text_of
from c2c_tasks.evaluation.records import Answer, Problem
from c2c_tasks.shards import StepReport


class AnswersFile:
    """Answers with the lines of a file of JSON Lines: `problem_id` and `answer`."""

    name = "answers"

    def __init__(self, uri: str, samples: int) -> None:
        """Read the file. Raises ProblemError where it cannot be read, or a line is no answer."""
        self.uri = uri
        self.samples = samples
        self.texts: dict[str, list[str]] = {}
        """The answers to each problem, in the order of the file."""
        for place, row in read_rows("answers_file", uri):
            problem_id = text_of(row, place, "problem_id")
            self.texts.setdefault(problem_id, []).append(text_of(row, place, "answer"))

    def check(self, problem_ids: Iterable[str], report: StepReport) -> None:
        """Compare the file with all problems there are, before they are answered in shards.

        Counted and named: answers to other problems, and problems without answers. Raises
        ProblemError where no problem has one.
        """
        known = set(problem_ids)
        missing = sorted(known - self.texts.keys())
        if known and len(missing) == len(known):
            raise ProblemError(
                f"answers_file {self.uri}: answers none of the problems, which are called "
                f"{missing[0]!r} and so on; its first answer is to {next(iter(self.texts), None)!r}"
            )
        unknown = sorted(self.texts.keys() - known)
        for counter, names, what in (
            ("problems_without_answers", missing, "has no answer to"),
            ("answered_problems_not_asked", unknown, "answers what is not asked:"),
        ):
            if names:
                report.count(counter, len(names))
                named = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
                report.problem(f"answers_file {self.uri}: {what} {named}")

    def answer(
        self, problems: Iterable[Problem], report: StepReport
    ) -> Generator[Answer, None, None]:
        """Yield `samples` answers to each problem: those the file lacks are empty, and counted.

        An answer that is missing is one that fails: left out, it would raise the score.
        """
        report.facts["solver"] = {
            "name": self.name,
            "answers_file": self.uri,
            "samples_per_problem": self.samples,
        }
        stage = report.stage("answers", "answers")
        for problem in problems:
            texts = self.texts.get(problem.problem_id, [])
            if len(texts) > self.samples:
                stage.drop("above_samples_per_problem", len(texts) - self.samples)
            if len(texts) < self.samples:
                report.count("answers_missing", self.samples - len(texts))
            for sample in range(self.samples):
                text = texts[sample] if sample < len(texts) else ""
                stage.keep()
                yield Answer(problem_id=problem.problem_id, sample=sample, text=text)

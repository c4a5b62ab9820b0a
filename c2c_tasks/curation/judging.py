"""Verdicts on candidates (interim)."""

from __future__ import annotations

from pathlib import Path

from c2c_tasks.config import BuildConfig
from c2c_tasks.curation.benchmarks import BenchmarkPrograms, read_benchmarks
from c2c_tasks.curation.ingestion import Ingestion
from c2c_tasks.curation.near_duplicates import jaccard
from c2c_tasks.curation.signatures import read_shingles
from c2c_tasks.records import Function, from_row
from c2c_tasks.shards import StepReport


def judge(ingestion: Ingestion, config: BuildConfig, folder: Path, report: StepReport) -> None:
    problems = [t for uri in config.functions.benchmarks for t in read_benchmarks(uri)]
    benchmarks = BenchmarkPrograms(problems, config.functions.near_duplicate_threshold, report)
    ingestion.judge_orphans()
    ingestion.count_duplicates(report.stage("exact duplicates", "functions"))
    kept = [(r["function_id"], set(read_shingles(r["shingles"]))) for r in ingestion.leading()]
    earlier = len(kept)
    overlap = report.stage("benchmark overlap", "functions")
    near = report.stage("near duplicates", "functions")
    verdicts = []
    for row in ingestion.judged():
        function = from_row(Function, row)
        if len(benchmarks) and benchmarks.overlaps(function):
            overlap.drop("benchmark_overlap")
            verdicts.append((row["function_id"], "benchmark_overlap", None))
            continue
        overlap.keep()
        hashes = set(read_shingles(row["shingles"]))
        for position, (other, theirs) in enumerate(kept):
            if jaccard(hashes, theirs) >= config.functions.near_duplicate_threshold:
                near.drop("near_duplicate" + "_of_earlier_release" * (position < earlier))
                verdicts.append((row["function_id"], "near_duplicate", other))
                break
        else:
            near.keep()
            kept.append((row["function_id"], hashes))
            verdicts.append((row["function_id"], "kept", None))
    ingestion.set_standing(verdicts)

"""The JSON Schema of ``report.json``, made of its models.

``python -m c2c_tasks.evaluation.report_schema > docs/evaluation.schema.json`` writes it.
"""

from __future__ import annotations

import json
import sys

from c2c_tasks.evaluation.results import EvaluationResult


def report_schema() -> bytes:
    """Return the JSON Schema (draft 2020-12) of reports of today's version."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **EvaluationResult.model_json_schema(),
    }
    return f"{json.dumps(schema, indent=1, ensure_ascii=False)}\n".encode()


if __name__ == "__main__":
    sys.stdout.buffer.write(report_schema())

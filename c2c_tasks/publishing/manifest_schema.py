"""The JSON Schema of the manifest, made of its models.

``python -m c2c_tasks.publishing.manifest_schema > docs/manifest.schema.json`` writes it; each
release holds the one that its manifest keeps to.
"""

from __future__ import annotations

import json
import sys

from c2c_tasks.publishing.manifest import Manifest


def manifest_schema() -> bytes:
    """Return the JSON Schema (draft 2020-12) of manifests of today's version."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Manifest.model_json_schema(),
    }
    return f"{json.dumps(schema, indent=1, ensure_ascii=False)}\n".encode()


if __name__ == "__main__":
    sys.stdout.buffer.write(manifest_schema())

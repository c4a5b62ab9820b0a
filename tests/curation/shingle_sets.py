"""Sets of shingles for tests: of real functions, and written as Candidates are."""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from c2c_tasks.curation.signatures import Hashes, minhash, shingle_hashes
from c2c_tasks.curation.tokens import shingles


def real_programs(shared_data: Path) -> list[tuple[str, str]]:
    """Programs of the paper's test set and of MBPP, each with its entry point."""
    programs = []
    for line in (shared_data / "case2code_test_half.jsonl").read_text().splitlines():
        row = json.loads(line)
        programs.append((row["program"], row["entry_point"]))
    for line in (shared_data / "mbpp_sanitized.jsonl").read_text().splitlines():
        code = json.loads(line)["code"]
        names = [n.name for n in ast.parse(code).body if isinstance(n, ast.FunctionDef)]
        programs.append((code, names[-1]))
    return programs


def real_sets(shared_data: Path) -> list[Hashes]:
    """Shingles of real functions, and of a version of each with a statement more."""
    found = []
    for program, name in real_programs(shared_data):
        found.append(shingle_hashes(shingles(program, name)))
        tree = ast.parse(program)
        function = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name)
        function.body.insert(len(function.body) // 2, ast.parse("added = [1, 2]").body[0])
        found.append(shingle_hashes(shingles(ast.unparse(tree), name)))
    return found


def write_sets(path: Path, sets: Sequence[Hashes], ids: Sequence[str] = ()) -> None:
    """Write sets with signatures and, where none are given, ids that are unique in a file."""
    table = pa.table(
        {
            "function_id": pa.array(ids or [f"{n:08}" for n in range(len(sets))], pa.string()),
            "signature": pa.array([minhash(s).astype("<u4").tobytes() for s in sets], pa.binary()),
            "shingles": pa.array([s.astype("<u8").tobytes() for s in sets], pa.binary()),
        }
    )
    pq.write_table(table, path, row_group_size=100)


def jaccard_of_all(sets: Sequence[Hashes]) -> npt.NDArray[np.float64]:
    """Return the similarity of each set to each, by multiplying what has what."""
    members, places = np.unique(
        np.concatenate([np.empty(0, np.uint64), *sets]), return_inverse=True
    )
    rows = np.repeat(np.arange(len(sets)), [len(s) for s in sets])
    has = np.zeros((len(sets), len(members)), dtype=np.float32)
    has[rows, places] = 1
    common = (has @ has.T).astype(np.float64)
    sizes = np.diag(common)
    similarity: npt.NDArray[np.float64] = common / (sizes[:, None] + sizes[None, :] - common)
    return similarity

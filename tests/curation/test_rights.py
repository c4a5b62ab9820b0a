"""One verdict on a file or a row, with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from c2c_tasks.config import RightsOptions
from c2c_tasks.curation.opt_outs import OptOutError
from c2c_tasks.curation.rights import Rights


def refusal(rights: Rights, **changed: str | None) -> str | None:
    row = {"repository": "o/n", "path": "a.py", "licence": "MIT", "source_sha256": "0" * 64}
    return rights.refusal(**(row | changed))  # type: ignore[arg-type]


def test_verdicts(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("path o/n/private/**\n")
    rights = Rights.read(RightsOptions(opt_outs=str(tmp_path / "list")))
    assert refusal(rights) is None
    assert refusal(rights, licence="GPL-3.0-only") == "licence_not_permissive"
    assert refusal(rights, licence=None) == "licence_unknown"
    assert refusal(rights, path="private/a.py", licence=None) == "opted_out"
    assert refusal(rights, function_id="a" * 64) is None


def test_a_list_that_is_gone_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(OptOutError):
        Rights.read(RightsOptions(opt_outs=str(tmp_path / "gone")))

"""The nearest word on a file's licence counts, in archives and in trees alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.sources.licence_files import LicenceFiles, tells_of_licence
from c2c_tasks.sources.licence_names import UNRECOGNISED
from c2c_tasks.store import store_for

Read = Callable[..., Any]

MIT, ISC, GPL = (f"SPDX-License-Identifier: {name}" for name in ("MIT", "ISC", "GPL-3.0-only"))
CODE = "x = 1"


def metadata(*headers: str) -> str:
    return "Metadata-Version: 2.4\nName: x\n" + "\n".join(headers) + "\n\nLicense: GPL is a body\n"


@pytest.fixture(params=[".tar.gz", ".zip", "tree", "s3"])
def licences(
    request: pytest.FixtureRequest, tmp_path: Path, makers: Any, read_dump: Read
) -> Callable[[Mapping[str, str]], dict[str, str | None]]:
    """The licences of the Python files, by path, of a dump that holds some files."""

    def read(files: Mapping[str, str]) -> dict[str, str | None]:
        if request.param in makers:
            dump: object = tmp_path / f"x{request.param}"
            Path(str(dump)).write_bytes(makers[request.param](files))
        else:
            is_s3 = request.param == "s3"
            dump = request.getfixturevalue("s3_bucket") if is_s3 else tmp_path.as_uri()
            for path, text in files.items():
                store_for(str(dump)).write(f"{dump}/{path}", text.encode())
        return {file.path: file.licence for file in read_dump(dump).files}

    return read


def test_the_nearest_file_upwards(licences: Any) -> None:
    found = licences(
        {
            "r/a.py": CODE,
            "r/b/c/d.py": CODE,
            "r/vendor/e/f.py": CODE,
            "r/vendor/e/LICENSE.txt": ISC,
            "r/COPYING": MIT,
            "other/g.py": CODE,
        }
    )
    assert found == {
        "r/a.py": "MIT",
        "r/b/c/d.py": "MIT",
        "r/vendor/e/f.py": "ISC",
        "other/g.py": None,
    }


def test_the_own_tag_of_a_file_goes_first(licences: Any) -> None:
    assert licences({"r/a.py": f"# {ISC}\n{CODE}", "r/LICENSE": GPL}) == {"r/a.py": "ISC"}


def test_an_unrecognised_text_hides_what_is_above(licences: Any) -> None:
    files = {"r/a/b.py": CODE, "r/a/LICENSE": "Ask me before you do anything.", "r/LICENSE": MIT}
    assert licences(files) == {"r/a/b.py": UNRECOGNISED}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PKG-INFO", metadata("License-Expression: MIT", "License: BSD")),
        ("PKG-INFO", metadata("License: MIT License")),
        ("PKG-INFO", metadata("License: UNKNOWN", "Classifier: License :: OSI Approved :: MIT")),
        ("PKG-INFO", metadata("License: see README", "Classifier: License :: OSI Approved :: MIT")),
        ("pyproject.toml", '[project]\nlicense = "MIT"'),
        ("pyproject.toml", '[project]\nlicense = {text = "MIT License"}'),
        ("pyproject.toml", '[project]\nclassifiers = ["License :: OSI Approved :: MIT License"]'),
        ("pyproject.toml", '[tool.poetry]\nlicense = "MIT"'),
        ("setup.cfg", "[metadata]\nlicense = MIT"),
        ("setup.cfg", "[metadata]\nclassifiers =\n    License :: OSI Approved :: MIT License"),
    ],
)
def test_metadata_of_a_project(licences: Any, name: str, text: str) -> None:
    assert licences({f"r/{name}": text, "r/src/a.py": CODE}) == {"r/src/a.py": "MIT"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "[project"),
        ("pyproject.toml", 'project = "x"\ntool = 3'),
        ("pyproject.toml", '[project]\nlicense = {file = "LICENSE"}\nclassifiers = "x"'),
        ("setup.cfg", "no section"),
        ("setup.cfg", "[metadata]\nname = %(x)s"),
        ("PKG-INFO", "\x00"),
        ("LICENSE.py", "licence = 'MIT'"),
    ],
)
def test_metadata_that_says_nothing(licences: Any, name: str, text: str) -> None:
    found = licences({f"r/{name}": text, "r/src/a.py": CODE})
    assert found["r/src/a.py"] is None


@pytest.mark.parametrize(
    ("declared", "texts", "licence"),
    [
        ("MIT", (MIT,), "MIT"),
        ("MIT OR GPL-3.0-or-later", (MIT, GPL), "MIT OR GPL-3.0-or-later"),
        ("MIT", (GPL,), "MIT AND GPL-3.0-only"),
        ("BSD", ("SPDX-License-Identifier: BSD-2-Clause",), "BSD-2-Clause"),
        ("BSD", ("Terms of a kind of BSD",), "LicenseRef-BSD"),
        ("MIT", ("Terms that nobody has seen before",), "MIT"),
        ("Proprietary", (MIT,), "LicenseRef-Proprietary AND MIT"),
        ("UNKNOWN", (MIT, ISC), "MIT AND ISC"),
    ],
)
def test_what_is_declared_and_what_is_read(
    declared: str, texts: tuple[str, ...], licence: str
) -> None:
    files = LicenceFiles()
    files.add("r/PKG-INFO", metadata(f"License: {declared}").encode())
    for number, text in enumerate(texts):
        files.add(f"r/LICENSE.{number}", text.encode())
    assert files.licence_of("r/a.py") == licence


def test_installed_packages(licences: Any) -> None:
    """As in a folder of installed packages: by RECORD, by top_level.txt, or by name alone."""
    found = licences(
        {
            "one-1.0.dist-info/METADATA": metadata("License-Expression: MIT"),
            "one-1.0.dist-info/RECORD": "one/__init__.py,,\none/sub/a.py,,\nsingle.py,,\n../x.py,,",
            "one/__init__.py": CODE,
            "one/sub/a.py": CODE,
            "one/vendored/b.py": CODE,
            "one/vendored/LICENSE": ISC,
            "single.py": CODE,
            "two_dist-1.0.dist-info/METADATA": metadata("License: BSD"),
            "two_dist-1.0.dist-info/licenses/LICENSE": "SPDX-License-Identifier: BSD-3-Clause",
            "two_dist-1.0.dist-info/top_level.txt": "two\n",
            "two/a.py": CODE,
            "three.egg-info/PKG-INFO": metadata("License: GPLv3"),
            "three/a.py": CODE,
            "space/p/a.py": CODE,
            "space/q/a.py": CODE,
            "p-1.dist-info/METADATA": metadata("License: Zlib"),
            "p-1.dist-info/RECORD": "space/p/a.py,,",
            "q-1.dist-info/METADATA": metadata("License: WTFPL"),
            "q-1.dist-info/RECORD": "space/q/a.py,,",
            "stray.py": CODE,
        }
    )
    assert found == {
        "one/__init__.py": "MIT",
        "one/sub/a.py": "MIT",
        "one/vendored/b.py": "ISC",
        "single.py": "MIT",
        "two/a.py": "BSD-3-Clause",
        "three/a.py": "GPL-3.0-only",
        "space/p/a.py": "Zlib",
        "space/q/a.py": "WTFPL",
        "stray.py": None,
    }


def test_a_listing_looks_anew(tmp_path: Path, read_dump: Read) -> None:
    (tmp_path / "a.py").write_text(CODE)
    assert read_dump(tmp_path).files[0].licence is None
    (tmp_path / "LICENSE").write_text(MIT)
    assert read_dump(tmp_path).files[0].licence == "MIT"


def test_folders_with_odd_names(tmp_path: Path, read_dump: Read) -> None:
    folder = tmp_path / "a b" / "ü%41#?"
    folder.mkdir(parents=True)
    (folder / "a.py").write_text(CODE)
    (folder / "LICENSE").write_text(MIT)
    assert read_dump(tmp_path).files[0].licence == "MIT"


def test_a_licence_file_that_is_too_long() -> None:
    files = LicenceFiles()
    files.add("LICENSE", MIT.encode().ljust(4_000_001))
    assert files.licence_of("a.py") == UNRECOGNISED


def test_a_link_to_nowhere_is_no_licence(tmp_path: Path, read_dump: Read) -> None:
    (tmp_path / "a.py").write_text(CODE)
    (tmp_path / "LICENSE").symlink_to(tmp_path / "gone")
    assert read_dump(tmp_path).files[0].licence is None


def test_a_damaged_archive_keeps_what_was_read(
    tmp_path: Path, makers: Any, read_dump: Read
) -> None:
    whole = makers[".tar"]({"r/LICENSE": MIT, "r/a.py": CODE, "r/b.py": CODE * 1_000})
    (tmp_path / "x.tar").write_bytes(whole[:3_500])
    reading = read_dump(tmp_path / "x.tar")
    assert [file.licence for file in reading.files] == ["MIT"]
    assert reading.dropped == {"unreadable_object": 1}


@pytest.mark.parametrize(
    ("path", "tells"),
    [
        ("LICENSE", True),
        ("a/licence.md", True),
        ("COPYING.LESSER", True),
        ("UNLICENSE", True),
        ("LICENSE-MIT", True),
        ("MIT-LICENSE.txt", True),
        ("x-1.0.dist-info/METADATA", True),
        ("METADATA", False),
        ("x-1.0.dist-info/WHEEL", False),
        ("licenses.py", False),
        ("license.json", False),
        ("a.py", False),
        ("copyright_notices.md", False),
    ],
)
def test_files_that_tell(path: str, tells: bool) -> None:
    assert tells_of_licence(path) is tells

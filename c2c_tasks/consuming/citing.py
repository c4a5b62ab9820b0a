"""How a release is named in a paper, so that years later it is known which one it was."""

from __future__ import annotations

import hashlib

from c2c_tasks.consuming.finding import FoundRelease
from c2c_tasks.publishing.manifest import MANIFEST
from c2c_tasks.store import read

PAPER = """\
@inproceedings{shao2025case2code,
  title     = {{Case2Code}: Scalable Synthetic Data for Code Generation},
  author    = {Shao, Yunfan and Li, Linyang and Ma, Yichuan and Li, Peiji and Song, Demin and
               Cheng, Qinyuan and Li, Shimin and Li, Xiaonan and Wang, Pengyu and Guo, Qipeng and
               Yan, Hang and Qiu, Xipeng and Huang, Xuanjing and Lin, Dahua},
  booktitle = {Proceedings of the 31st International Conference on Computational Linguistics},
  pages     = {11056--11069},
  year      = {2025},
  note      = {arXiv:2407.12504}
}"""
"""The method."""


def digest_of(release: FoundRelease) -> str:
    """Return the SHA-256 of the manifest: with it, every byte of the release is said."""
    return hashlib.sha256(read(f"{release.uri}/{MANIFEST}")).hexdigest()


def citation(release: FoundRelease) -> str:
    """Return the entries of the release and of the method for BibTeX."""
    manifest = release.manifest
    key = f"case2code-{manifest.version}"
    return (
        f"@misc{{{key},\n"
        f"  title = {{{{{manifest.dataset_name}}}, release {manifest.version}}},\n"
        f"  year  = {{{manifest.version[:4]}}},\n"
        f"  note  = {{SHA-256 of its manifest: {digest_of(release)}}}\n"
        f"}}\n\n{PAPER}\n"
    )


def describe(release: FoundRelease) -> str:
    """Return in a line what a release is and where it was read."""
    manifest = release.manifest
    return (
        f"{manifest.dataset_name}, release {manifest.version}, of {release.place}; "
        f"SHA-256 of its manifest {digest_of(release)}"
    )

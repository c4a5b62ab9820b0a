"""How a release is named in a paper: in its card, and where it is loaded."""

from __future__ import annotations

from c2c_tasks.publishing.manifest import Manifest
from c2c_tasks.publishing.markdown import bibtex

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


def citation(manifest: Manifest, sha256: str | None = None) -> str:
    """Return the entry of a release for BibTeX.

    `sha256` is that of its manifest, which says every byte of the release. The card, which is a
    file that the manifest names, cannot know it.
    """
    version = bibtex(manifest.version)
    key = version.replace(".", "_").replace("-", "_")
    made = f"Made by {bibtex(manifest.code_version)}, build {bibtex(manifest.build_id)}"
    digest = (
        f"SHA-256 of its manifest.json: {sha256}"
        if sha256
        else "cite it with the SHA-256 of its manifest.json"
    )
    return (
        f"@misc{{case2code_{key},\n"
        f"  title   = {{{bibtex(manifest.dataset_name)}}},\n"
        f"  version = {{{version}}},\n"
        f"  year    = {{{version[:4]}}},\n"
        f"  note    = {{{made}; {digest}}}\n"
        "}"
    )

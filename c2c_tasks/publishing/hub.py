"""Push a release to the Hugging Face Hub: one commit, tagged with the release's version.

`main` holds the newest release that was pushed and nothing else; every release is read by its
tag, which never moves. A release that is older than what `main` holds is committed on a branch
of its own, which is removed once the tag is there.

As with the store, every step may be repeated, by anyone, at any point. A commit is made over the
head that was read, so of two pushers at once the second one reads again. Where the outcome of a
request is unknown, the Hub is read before anything else is done; a push ends where what the Hub
lists under the tag is what the manifest says.
"""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from httpx2 import TransportError
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, get_session
from huggingface_hub.errors import HfHubHTTPError, RevisionNotFoundError
from huggingface_hub.hf_api import RepoFile

from c2c_tasks.publishing.hub_errors import check_repository, clear_errors
from c2c_tasks.publishing.manifest import MANIFEST, FileEntry, read_manifest
from c2c_tasks.publishing.pointer import read_pointer
from c2c_tasks.publishing.release import PublishError, version_order
from c2c_tasks.publishing.retired import read_tombstone
from c2c_tasks.store import ObjectNotFound, StoreUnavailable, local_copy, read

DATASET = "dataset"
"""The Hub's type of repository."""
MAIN = "main"
ATTEMPTS = 20
"""Times that the Hub is looked at. Each but the first few means that another pusher got through."""
FILES_AT_A_TIME = 8
"""Files of the release that are on this machine's disk at a time, where the store is remote."""
SECONDS = 300
"""That the Hub may take to answer; the library would wait for ever."""

_OF_THE_HUB = {".gitattributes"}
"""Files that the Hub itself puts into a dataset."""

log = logging.getLogger(__name__)


class PushedRelease(TypedDict):
    """A release as it is found on the Hub."""

    repository: str
    version: str
    """Its tag."""
    commit: str
    latest: bool
    """Whether `main` is on it: an older release is found by its tag alone."""


def push_release(release: str, repository: str, *, private: bool = True) -> PushedRelease:
    """Push the release at a URI to a dataset on the Hub, which is made where there is none.

    `repository` is ``organisation/name``; `private` says how it is made. The token is
    ``HF_TOKEN``, or that of ``hf auth login``. Pushed again, nothing is sent.

    Raises PublishError where there is no such release, it is retired, or the Hub refuses it;
    StoreUnavailable where the store or the Hub does not answer.
    """
    token = check_repository(repository)
    version, files = _files_of(release)
    with clear_errors(repository):
        get_session().timeout = SECONDS
        api = HfApi(token=token)
        if not api.repo_exists(repository, repo_type=DATASET):
            api.create_repo(repository, repo_type=DATASET, private=private, exist_ok=True)
        return _Push(api, repository, release, version, files).run()


def _files_of(release: str) -> tuple[str, dict[str, FileEntry]]:
    """Return a release's version, and its files by path: those of the manifest, and itself."""
    if tombstone := read_tombstone(release):
        raise PublishError(f"{release}: retired, and not pushed any more: {tombstone.reason}")
    target, _, version = release.rpartition("/releases/")
    pointer = read_pointer(target) if target else None
    if pointer and version in pointer.withdrawn:
        raise PublishError(f"{release}: was rolled back, and is not pushed any more")
    try:
        manifest = read_manifest(release)
        text = read(f"{release}/{MANIFEST}")
    except ObjectNotFound:
        raise PublishError(f"{release}: not a release; it has no {MANIFEST}") from None
    digest = hashlib.sha256(text).hexdigest()
    itself = FileEntry(path=MANIFEST, bytes=len(text), rows=None, sha256=digest)
    return manifest.version, {entry.path: entry for entry in [*manifest.files, itself]}


@dataclass(frozen=True, slots=True)
class _Push:
    """One release on its way into one dataset."""

    api: HfApi
    repository: str
    release: str
    version: str
    files: Mapping[str, FileEntry]

    def run(self) -> PushedRelease:
        """Look at the Hub and do what is missing, until nothing is."""
        unknown: Exception | None = None
        for _ in range(ATTEMPTS):
            try:
                if pushed := self._step():
                    return pushed
            except (HfHubHTTPError, TransportError) as error:
                if _is_conflict(error):
                    log.info("%s: another one is pushing to it; reading again", self.repository)
                elif unknown or not _is_unknown(error):
                    raise
                else:
                    unknown = error
        raise StoreUnavailable(f"{self.repository}: {ATTEMPTS} attempts to push {self.version}")

    def _step(self) -> PushedRelease | None:
        """Do one thing that is missing; return the release where it is pushed and tagged."""
        refs = self.api.list_repo_refs(self.repository, repo_type=DATASET)
        branches = {ref.name: ref.target_commit for ref in refs.branches}
        tags = {ref.name: ref.target_commit for ref in refs.tags}
        own = f"release-{self.version}"
        if commit := tags.get(self.version):
            if different := self._different(commit):
                raise PublishError(
                    f"{self.repository}: tag {self.version} is not {self.release}: {different} "
                    "differ; a release never changes: remove the tag from the Hub to push it again"
                )
            if own in branches:
                self._remove(own)
            latest = branches[MAIN] == commit
            log.info("%s: holds %s%s", self.repository, self.version, " as main" if latest else "")
            return {
                "repository": self.repository,
                "version": self.version,
                "commit": commit,
                "latest": latest,
            }
        branch = MAIN if self._is_newest(branches[MAIN]) else own
        if branch not in branches:
            self.api.create_branch(
                self.repository,
                repo_type=DATASET,
                branch=branch,
                revision=branches[MAIN],
                exist_ok=True,
            )
            return None
        commit = self._commit(branch, branches[branch])
        if different := self._different(commit):
            raise StoreUnavailable(
                f"{self.repository}: the Hub lists other files than were sent: {different}"
            )
        self.api.create_tag(
            self.repository, repo_type=DATASET, tag=self.version, revision=commit, exist_ok=True
        )
        return None

    def _is_newest(self, head: str) -> bool:
        """Tell whether `main` holds no newer release. Raises PublishError for what is none."""
        listed = self._list(head)
        if MANIFEST in listed:
            return version_order(self._version_at(head)) <= version_order(self.version)
        if strangers := sorted(listed.keys() - {"README.md"} - _OF_THE_HUB):
            raise PublishError(
                f"{self.repository}: holds {_some(strangers)}, and no release; pushing would "
                "remove them: name a dataset of its own"
            )
        return True

    def _version_at(self, commit: str) -> str:
        with tempfile.TemporaryDirectory(prefix="c2c-hub-") as folder:
            path = self.api.hf_hub_download(
                self.repository, MANIFEST, repo_type=DATASET, revision=commit, cache_dir=folder
            )
            try:
                return str(json.loads(Path(path).read_bytes())["version"])
            except (KeyError, TypeError, ValueError):
                raise PublishError(
                    f"{self.repository}: its {MANIFEST} is not a release's; name another dataset"
                ) from None

    def _list(self, commit: str) -> dict[str, RepoFile]:
        entries = self.api.list_repo_tree(
            self.repository, repo_type=DATASET, revision=commit, recursive=True
        )
        return {entry.path: entry for entry in entries if isinstance(entry, RepoFile)}

    def _differing(self, listed: Mapping[str, RepoFile]) -> tuple[list[FileEntry], list[str]]:
        """Return what the Hub lacks or has otherwise, and what it has that is not the release's."""
        lacking = [
            entry
            for path, entry in self.files.items()
            if path not in listed or not self._is_same(entry, listed[path])
        ]
        return lacking, sorted(listed.keys() - self.files.keys() - _OF_THE_HUB)

    def _is_same(self, entry: FileEntry, file: RepoFile) -> bool:
        """Tell whether a file of the Hub is that of the release, byte for byte.

        The Hub lists the SHA-256 of large files; of small ones, git's digest of the content.
        """
        if file.size != entry.bytes:
            return False
        if file.lfs:
            return file.lfs.sha256 == entry.sha256
        content = self._read(entry)
        return file.blob_id == hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()

    def _read(self, entry: FileEntry) -> bytes:
        content = read(f"{self.release}/{entry.path}")
        self._check_stored(entry, hashlib.sha256(content).hexdigest())
        return content

    def _check_stored(self, entry: FileEntry, sha256: str) -> None:
        if sha256 != entry.sha256:
            raise PublishError(
                f"{self.release}/{entry.path}: its SHA-256 is not what the manifest says; "
                "a damaged release is not pushed"
            )

    def _different(self, commit: str) -> str:
        """Name what a commit has otherwise than the release; empty where it is the release."""
        lacking, strays = self._differing(self._list(commit))
        return _some([*(entry.path for entry in lacking), *strays])

    def _commit(self, branch: str, head: str) -> str:
        """Make a branch hold the release, in one commit over `head`; return the commit."""
        lacking, strays = self._differing(self._list(head))
        if not lacking and not strays:
            return head
        log.info(
            "%s: sending %d files of %s, %.1f MB; the rest is there",
            self.repository,
            len(lacking),
            self.version,
            sum(entry.bytes for entry in lacking) / 1e6,
        )
        done = self.api.create_commit(
            self.repository,
            [*self._additions(lacking, branch), *map(CommitOperationDelete, strays)],
            repo_type=DATASET,
            revision=branch,
            parent_commit=head,
            commit_message=f"Release {self.version}",
        )
        return str(done.oid)

    def _additions(self, entries: Sequence[FileEntry], branch: str) -> Iterator[CommitOperationAdd]:
        """Send large files, a few at a time; yield what the commit says of each file.

        Which files are large is the Hub's decision. Small ones travel in the commit itself.
        """
        for first in range(0, len(entries), FILES_AT_A_TIME):
            with ExitStack() as copies:
                additions = []
                for entry in entries[first : first + FILES_AT_A_TIME]:
                    path = copies.enter_context(local_copy(f"{self.release}/{entry.path}"))
                    addition = CommitOperationAdd(entry.path, path)
                    self._check_stored(entry, addition.upload_info.sha256.hex())
                    additions.append(addition)
                self.api.preupload_lfs_files(
                    self.repository,
                    additions,
                    repo_type=DATASET,
                    revision=branch,
                    gitignore_content="",
                )
                for addition in additions:
                    if isinstance(addition.path_or_fileobj, str):  # it was not sent
                        addition.path_or_fileobj = Path(addition.path_or_fileobj).read_bytes()
            yield from additions

    def _remove(self, branch: str) -> None:
        try:
            self.api.delete_branch(self.repository, repo_type=DATASET, branch=branch)
        except HfHubHTTPError as error:  # another pusher was first; or it stays, and does no harm
            log.warning("%s: branch %s is not removed: %s", self.repository, branch, error)


def _is_conflict(error: HfHubHTTPError | TransportError) -> bool:
    """Tell whether a branch was moved or removed by another pusher since it was read."""
    if isinstance(error, RevisionNotFoundError):
        return True
    return isinstance(error, HfHubHTTPError) and error.response.status_code in (409, 412)


def _is_unknown(error: HfHubHTTPError | TransportError) -> bool:
    """Tell whether what was asked for may have been done all the same."""
    return isinstance(error, TransportError) or error.response.status_code >= 500


def _some(paths: Sequence[str]) -> str:
    return ", ".join(paths[:3]) + (", …" if len(paths) > 3 else "")

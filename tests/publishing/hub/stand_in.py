"""A small server that speaks as much of the Hub's HTTP API as a push and `datasets` use.

Commits, branches, tags, LFS objects and tokens are real; files are kept in memory. What it cannot
do it answers with 501. `faults` says what is to go wrong.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "hf_" + "t0p5ecret" * 3
READ_TOKEN = "hf_" + "readonly0" * 3
ORGANISATION = "org"
PAGE = 12
"""Files of one page of a listing."""
MESSAGES = {
    400: "Bad request",
    401: "Invalid credentials in Authorization header",
    403: "Forbidden: pass a token with write rights",
    409: "Conflict: another commit is in progress",
    412: "A commit has happened since. Please refresh and try again.",
    429: "You have exceeded the rate limit",
    500: "Internal Error - We're working hard to fix this as soon as possible!",
    503: "Service Unavailable",
}


@dataclass(frozen=True)
class File:
    content: bytes
    lfs: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def oid(self) -> str:
        """Git's digest of the blob; the one of a large file is of the pointer to it."""
        content = self.content
        if self.lfs:
            content = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n" % (
                self.sha256.encode(),
                len(self.content),
            )
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass(frozen=True)
class Commit:
    title: str
    parent: str | None
    files: dict[str, File]


@dataclass
class Dataset:
    private: bool
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def commit(self, branch: str, title: str, files: dict[str, File]) -> str:
        oid = secrets.token_hex(20)
        self.commits[oid] = Commit(title, self.branches.get(branch), files)
        self.branches[branch] = oid
        return oid

    def resolve(self, revision: str) -> str | None:
        oid = self.branches.get(revision) or self.tags.get(revision) or revision
        return oid if oid in self.commits else None

    def files(self, revision: str) -> dict[str, bytes]:
        oid = self.resolve(revision)
        assert oid is not None, revision
        return {path: file.content for path, file in self.commits[oid].files.items()}

    def history(self, branch: str = "main") -> list[str]:
        """Titles of the commits of a branch, the first one first."""
        titles, oid = [], self.branches.get(branch)
        while oid:
            titles.append(self.commits[oid].title)
            oid = self.commits[oid].parent
        return titles[::-1]


@dataclass
class Fault:
    """What goes wrong with requests: a status, or the connection, before or after the work."""

    request: str
    """Pattern of ``METHOD path``."""
    what: int | Literal["dropped", "lost"]
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    message: str | None = None


@dataclass
class Answer(Exception):
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks is what some tests are about."""


class StandIn:
    def __init__(self) -> None:
        self.datasets: dict[str, Dataset] = {}
        self.objects: dict[str, bytes] = {}
        """LFS objects by SHA-256, whichever dataset they were sent to."""
        self.faults: list[Fault] = []
        self.requests: list[str] = []
        self.sent: list[str] = []
        """SHA-256 of LFS objects, as often as they were sent."""
        self.before: Callable[[str], None] = lambda _: None
        """Called with each request, before anything is done."""
        self.lock = threading.RLock()
        self.server = QuietServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def new_dataset(self, name: str, private: bool = True) -> Dataset:
        dataset = self.datasets[name] = Dataset(private)
        dataset.commit(
            "main", "initial commit", {".gitattributes": File(b"*.parquet lfs\n", False)}
        )
        return dataset

    def answer(self, request: str, call: Call) -> Answer | None:
        """Return the answer to a request; None where the connection is to break."""
        self.requests.append(request)
        self.before(request)
        with self.lock:
            fault = self._fault_of(request)
        if fault is None:
            return call.answer(request)
        if isinstance(fault.what, int):
            answer = failed(fault.what, fault.message)
            answer.headers.update(fault.headers)
            return answer
        if fault.what == "lost":
            call.answer(request)
        return None

    def _fault_of(self, request: str) -> Fault | None:
        for fault in self.faults:
            if fault.times and re.search(fault.request, request):
                fault.times -= 1
                return fault
        return None


ROUTES: list[tuple[str, str]] = [
    ("POST /api/validate-yaml", "validate"),
    ("POST /api/repos/create", "create"),
    ("POST /datasets/(?P<name>.+?).git/info/lfs/objects/batch", "batch"),
    ("PUT /lfs/(?P<sha256>[0-9a-f]{64})", "receive"),
    ("POST /lfs/verify", "verify"),
    (
        "(?:GET|HEAD) /datasets/(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)",
        "get",
    ),
    ("GET /api/datasets/(?P<name>[^/]+/[^/]+)", "info"),
    ("GET /api/datasets/(?P<name>[^/]+/[^/]+)/revision/(?P<revision>[^/]+)", "info"),
    ("GET /api/datasets/(?P<name>[^/]+/[^/]+)/refs", "refs"),
    ("GET /api/datasets/(?P<name>[^/]+/[^/]+)/tree/(?P<revision>[^/]+)(?:/(?P<path>.+))?", "tree"),
    ("POST /api/datasets/(?P<name>[^/]+/[^/]+)/paths-info/(?P<revision>[^/]+)", "paths_info"),
    ("POST /api/datasets/(?P<name>[^/]+/[^/]+)/preupload/(?P<revision>[^/]+)", "preupload"),
    ("POST /api/datasets/(?P<name>[^/]+/[^/]+)/commit/(?P<revision>[^/]+)", "commit"),
    ("POST /api/datasets/(?P<name>[^/]+/[^/]+)/tag/(?P<revision>[^/]+)", "tag"),
    ("POST /api/datasets/(?P<name>[^/]+/[^/]+)/branch/(?P<branch>[^/]+)", "new_branch"),
    ("DELETE /api/datasets/(?P<name>[^/]+/[^/]+)/branch/(?P<branch>[^/]+)", "remove_branch"),
]
READING = {"get", "info", "refs", "tree", "paths_info"}


class Call:
    """One request; a method for each route returns or raises its answer."""

    def __init__(self, hub: StandIn, headers: Any, query: dict[str, list[str]], body: bytes):
        self.hub, self.headers, self.query, self.body = hub, headers, query, body
        self.token = (headers["Authorization"] or "").removeprefix("Bearer ")

    def answer(self, request: str) -> Answer:
        for pattern, name in ROUTES:
            if found := re.fullmatch(pattern, request):
                arguments = {k: unquote(v) for k, v in found.groupdict().items() if v}
                with self.hub.lock:
                    try:
                        return self._allowed(name, arguments)
                    except Answer as answer:
                        return answer
        return Answer(501, {"error": f"the stand-in does not know {request}"})

    def _allowed(self, route: str, arguments: dict[str, str]) -> Answer:
        if route in ("receive", "verify"):  # the address is the permission
            return getattr(self, route)(**arguments)
        if self.token not in ("", TOKEN, READ_TOKEN):
            raise failed(401)
        if (name := arguments.pop("name", None)) is None:
            return getattr(self, route)(**arguments)
        dataset = self.hub.datasets.get(name)
        if dataset is None or (dataset.private and not self.token):
            status, message = (404, "Repository not found") if self.token else (401, MESSAGES[401])
            raise failed(status, message, "RepoNotFound")
        if route not in READING and self.token != TOKEN:
            raise failed(403 if self.token else 401)
        if "revision" in arguments:
            oid = dataset.resolve(arguments["revision"])
            if oid is None:
                raise failed(404, f"Invalid rev id: {arguments['revision']}", "RevisionNotFound")
            if route in READING:
                arguments["revision"] = oid
        return getattr(self, route)(name, dataset, **arguments)

    @property
    def json(self) -> Any:
        if (self.headers["Content-Type"] or "").startswith("application/x-www-form-urlencoded"):
            return parse_qs(self.body.decode())
        return json.loads(self.body)

    def validate(self) -> Answer:
        assert self.json["content"].startswith("---\n")
        return Answer(200, {"errors": [], "warnings": []})

    def create(self) -> Answer:
        asked = self.json
        if self.token != TOKEN:
            raise failed(403 if self.token else 401)
        if asked["organization"] != ORGANISATION:
            raise failed(
                403,
                "You don't have the rights to create a dataset under the namespace "
                f'"{asked["organization"]}"',
            )
        name = f"{asked['organization']}/{asked['name']}"
        url = f"{self.hub.url}/datasets/{name}"
        if name in self.hub.datasets:
            return Answer(409, {"error": "You already created this dataset repo", "url": url})
        assert asked["type"] == "dataset"
        self.hub.new_dataset(name, private=asked.get("visibility") == "private")
        return Answer(200, {"url": url, "name": name, "id": name})

    def info(self, name: str, dataset: Dataset, revision: str = "main") -> Answer:
        oid = dataset.resolve(revision)
        assert oid
        siblings = [{"rfilename": path} for path in dataset.commits[oid].files]
        body = {"id": name, "sha": oid, "private": dataset.private, "siblings": siblings}
        return Answer(200, body | {"tags": [], "downloads": 0, "likes": 0, "gated": False})

    def refs(self, name: str, dataset: Dataset) -> Answer:
        def listed(kind: str, refs: dict[str, str]) -> list[dict[str, str]]:
            return [
                {"name": ref, "ref": f"refs/{kind}/{ref}", "targetCommit": oid}
                for ref, oid in refs.items()
            ]

        body = {"branches": listed("heads", dataset.branches), "tags": listed("tags", dataset.tags)}
        return Answer(200, body | {"converts": []})

    def tree(self, name: str, dataset: Dataset, revision: str, path: str = "") -> Answer:
        files = dataset.commits[revision].files
        below = f"{path}/" if path else ""
        recursive = self.query.get("recursive", ["False"])[0].lower() == "true"
        entries: dict[str, dict[str, Any]] = {}
        for file in sorted(files):
            if not file.startswith(below):
                continue
            parts = file.removeprefix(below).split("/")
            folders = ["/".join(parts[: n + 1]) for n in range(len(parts) - 1)]
            for folder in folders if recursive else folders[:1]:
                oid = hashlib.sha1(folder.encode()).hexdigest()
                entry = {"type": "directory", "path": below + folder, "oid": oid, "size": 0}
                entries[below + folder] = entry
            if recursive or not folders:
                entries[file] = _entry(file, files[file])
        if path and not entries:
            raise failed(404, f"{path} does not exist", "EntryNotFound")
        first = int(self.query.get("cursor", ["0"])[0])
        page = list(entries.values())[first : first + PAGE]
        headers = {}
        if first + PAGE < len(entries):
            address = f"{self.hub.url}/api/datasets/{name}/tree/{revision}{'/' * bool(path)}{path}"
            query = f"recursive={recursive}&cursor={first + PAGE}"
            headers["Link"] = f'<{address}?{query}>; rel="next"'
        return Answer(200, page, headers)

    def paths_info(self, name: str, dataset: Dataset, revision: str) -> Answer:
        files = dataset.commits[revision].files
        found = []
        for path in self.json["paths"]:
            if path in files:
                found.append(_entry(path, files[path]))
            elif any(file.startswith(f"{path}/") for file in files):
                oid = hashlib.sha1(path.encode()).hexdigest()
                found.append({"type": "directory", "path": path, "oid": oid, "size": 0})
        return Answer(200, found)

    def preupload(self, name: str, dataset: Dataset, revision: str) -> Answer:
        there = dataset.commits[dataset.resolve(revision) or ""].files
        answers = []
        for asked in self.json["files"]:
            file = there.get(asked["path"])
            large = asked["path"].endswith((".parquet", ".png")) or asked["size"] > 10_000_000
            answers.append(
                {
                    "path": asked["path"],
                    "uploadMode": "lfs" if large else "regular",
                    "shouldIgnore": False,
                    "oid": file and (file.sha256 if file.lfs else file.oid),
                }
            )
        return Answer(200, {"files": answers})

    def batch(self, name: str, dataset: Dataset) -> Answer:
        objects = []
        for asked in self.json["objects"]:
            if asked["oid"] not in self.hub.objects:
                upload = {"href": f"{self.hub.url}/lfs/{asked['oid']}"}
                verify = {"href": f"{self.hub.url}/lfs/verify"}
                asked = asked | {"actions": {"upload": upload, "verify": verify}}
            objects.append(asked)
        return Answer(200, {"transfer": "basic", "objects": objects})

    def receive(self, sha256: str) -> Answer:
        assert not self.token, "the token is not for the storage behind the Hub"
        if hashlib.sha256(self.body).hexdigest() != sha256:
            raise failed(400, "the content does not match its SHA-256")
        self.hub.objects[sha256] = self.body
        self.hub.sent.append(sha256)
        return Answer(200)

    def verify(self) -> Answer:
        known = self.hub.objects.get(self.json["oid"])
        if known is None or len(known) != self.json["size"]:
            raise failed(404, "no such object")
        return Answer(200)

    def commit(self, name: str, dataset: Dataset, revision: str) -> Answer:
        lines = [json.loads(line) for line in self.body.splitlines()]
        header = lines[0]["value"]
        if revision not in dataset.branches:
            raise failed(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        if header.get("parentCommit", dataset.branches[revision]) != dataset.branches[revision]:
            raise failed(412)
        files = dict(dataset.commits[dataset.branches[revision]].files)
        for line in lines[1:]:
            value, path = line["value"], line["value"]["path"]
            if line["key"] == "file":
                files[path] = File(base64.b64decode(value["content"]), False)
            elif line["key"] == "lfsFile":
                if value["oid"] not in self.hub.objects:
                    raise failed(400, f"{path}: its LFS object was not sent")
                files[path] = File(self.hub.objects[value["oid"]], True)
            elif line["key"] == "deletedFile":
                if files.pop(path, None) is None:
                    raise failed(404, "A file with this name doesn't exist", "EntryNotFound")
            else:
                raise failed(400, f"unknown operation {line['key']}")
        oid = dataset.commit(revision, header["summary"], files)
        url = f"{self.hub.url}/datasets/{name}/commit/{oid}"
        return Answer(200, {"success": True, "commitOid": oid, "commitUrl": url})

    def tag(self, name: str, dataset: Dataset, revision: str) -> Answer:
        if self.json["tag"] in dataset.tags:
            raise failed(409, "Tag reference exists already")
        dataset.tags[self.json["tag"]] = dataset.resolve(revision) or ""
        return Answer(200)

    def new_branch(self, name: str, dataset: Dataset, branch: str) -> Answer:
        if branch in dataset.branches:
            raise failed(409, "Reference already exists")
        oid = dataset.resolve(self.json.get("startingPoint", "main"))
        if oid is None:
            raise failed(404, "Invalid rev id", "RevisionNotFound")
        dataset.branches[branch] = oid
        return Answer(200)

    def remove_branch(self, name: str, dataset: Dataset, branch: str) -> Answer:
        if dataset.branches.pop(branch, None) is None:
            raise failed(404, "Branch not found", "RevisionNotFound")
        return Answer(200)

    def get(self, name: str, dataset: Dataset, revision: str, path: str) -> Answer:
        file = dataset.commits[revision].files.get(path)
        if file is None:
            raise failed(404, "Entry not found", "EntryNotFound")
        headers = {"X-Repo-Commit": revision, "Accept-Ranges": "bytes", "ETag": f'"{file.oid}"'}
        if file.lfs:
            headers["X-Linked-Etag"] = headers["ETag"] = f'"{file.sha256}"'
            headers["X-Linked-Size"] = str(len(file.content))
        if asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers["Range"] or ""):
            first, last = int(asked[1]), int(asked[2] or len(file.content) - 1)
            part = file.content[first : last + 1]
            headers["Content-Range"] = f"bytes {first}-{last}/{len(file.content)}"
            return Answer(206, headers=headers, content=part)
        return Answer(200, headers=headers, content=file.content)


def failed(status: int, message: str | None = None, code: str | None = None) -> Answer:
    """Return an answer as the Hub says that something went wrong."""
    message = message or MESSAGES[status]
    headers = {"X-Error-Message": " ".join(message.split())} | (
        {"X-Error-Code": code} if code else {}
    )
    return Answer(status, {"error": message}, headers)


def _entry(path: str, file: File) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": path, "oid": file.oid}
    entry["size"] = len(file.content)
    if file.lfs:
        entry["lfs"] = {"oid": file.sha256, "size": len(file.content), "pointerSize": 130}
    return entry


def _handler(hub: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # it waits for 40 ms between head and body

        def handle_one(self) -> None:
            address = urlsplit(self.path)
            request = f"{self.command} {address.path}"
            call = Call(hub, self.headers, parse_qs(address.query), self._body())
            answer = hub.answer(request, call)
            if answer is None:
                self.close_connection = True
            else:
                self._send(answer)

        def _body(self) -> bytes:
            if self.headers["Transfer-Encoding"] != "chunked":
                return self.rfile.read(int(self.headers["Content-Length"] or 0))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _send(self, answer: Answer) -> None:
            content = answer.content
            if content is None:
                content = b"" if answer.body is None else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_one

        def log_message(self, *arguments: Any) -> None:
            """Tests say what went wrong."""

    return Handler

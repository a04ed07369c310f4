"""A hub on loopback: enough of the hub's HTTP API for `load_dataset` and `snapshot_download`.

It serves commits of folders `<root>/datasets/<org>/<name>` and `<root>/models/<org>/<name>`:

    with Hub(mirror) as hub:
        subprocess.run(..., env={**os.environ, **hub.env(home)})

Written against huggingface_hub 2.4 and datasets 5.2. Served: /api/{kind}/{name}[/revision/{rev}],
.../tree/{rev}[/{path}], .../paths-info/{rev}, and HEAD and GET of
[/datasets]/{name}/resolve/{rev}/{path}.
"""

import hashlib
import json
import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

KINDS = ("datasets", "models")
API = re.compile(
    r"/api/(datasets|models)/([^/]+/[^/]+)(?:/(revision|tree|paths-info)/([^/]+)/?(.*))?"
)
FILE = re.compile(r"/(?:(datasets)/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)")


class Hub:
    """A running server. `requests` counts (method, path), `gated` holds names that need a login."""

    def __init__(self, root: Path):
        self.root = Path(root)
        self.commits: dict[str, dict[str, bytes]] = {}  # commit -> {path: content}
        self.branches: dict[
            tuple[str, str], dict[str, str]
        ] = {}  # (kind, name) -> branch -> commit
        self.gated: set[str] = set()
        self.requests: Counter[tuple[str, str]] = Counter()
        for kind in KINDS:
            for folder in sorted((self.root / kind).glob("*/*")):
                self.commit(kind, folder.relative_to(self.root / kind).as_posix())

    def commit(self, kind: str, name: str, branch: str = "main") -> str:
        """Make what the repository's folder holds now the head of `branch`; return its commit."""
        folder = self.root / kind / name
        files = {
            p.relative_to(folder).as_posix(): p.read_bytes()
            for p in sorted(folder.rglob("*"))
            if p.is_file()
        }
        listing = "".join(f"{n} {hashlib.sha1(b).hexdigest()}\n" for n, b in files.items())
        commit = hashlib.sha1(f"{kind}/{name}@{branch}\n{listing}".encode()).hexdigest()
        self.commits[commit] = files
        self.branches.setdefault((kind, name), {})[branch] = commit
        return commit

    def env(self, home: Path) -> dict[str, str]:
        """The variables that send the libraries here, with a cache of their own."""
        return {"HF_ENDPOINT": self.url, "HF_HOME": str(home), "NO_PROXY": "127.0.0.1"}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> "Hub":
        handler = type("Handler", (_Handler,), {"hub": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.do_GET(parse_qs(body))

    def do_GET(self, form: dict[str, list[str]] | None = None) -> None:
        url = urlsplit(self.path)
        self.hub.requests[self.command, unquote(url.path)] += 1
        if match := API.fullmatch(url.path):
            kind, name, what, revision, path = match.groups()
            if files := self._files(kind, name, unquote(revision or "main")):
                recursive = parse_qs(url.query).get("recursive", [""])[0].lower() == "true"
                self._api(name, what, *files, unquote(path or ""), recursive, form)
        elif match := FILE.fullmatch(url.path):
            kind, name, revision, path = match.groups()
            if name in self.hub.gated:
                self._error(401, "GatedRepo", "Access to this repository is restricted.")
            elif files := self._files(kind or "models", name, unquote(revision)):
                self._file(*files, unquote(path))
        else:
            self._error(404, "", "Sorry, we can't find the page you are looking for.")

    def _files(self, kind: str, name: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """The commit and files of a revision, or None after an error was sent."""
        branches = self.hub.branches.get((kind, name))
        if branches is None:
            self._error(404, "RepoNotFound", "Repository not found")
            return None
        commit = branches.get(revision, revision)
        if commit not in self.hub.commits:
            self._error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return None
        return commit, self.hub.commits[commit]

    def _api(
        self,
        name: str,
        what: str | None,
        commit: str,
        files: dict[str, bytes],
        path: str,
        recursive: bool,
        form: dict[str, list[str]] | None,
    ) -> None:
        if what in (None, "revision"):
            siblings = [{"rfilename": n} for n in files]
            about = {"private": False, "gated": name in self.hub.gated, "tags": [], "downloads": 0}
            self._json({"id": name, "sha": commit, "siblings": siblings, **about})
            return
        entries = _tree(files)
        if what == "paths-info":
            wanted = (form or {}).get("paths", [])
            self._json([entries[p] for p in wanted if p in entries])
            return
        start = path + "/" if path else ""
        inside = [e for p, e in entries.items() if p.startswith(start)]
        if not inside:
            self._error(404, "EntryNotFound", f"{path} does not exist on {commit}")
            return
        self._json([e for e in inside if recursive or "/" not in e["path"][len(start) :]])

    def _file(self, commit: str, files: dict[str, bytes], path: str) -> None:
        if path not in files:
            self._error(404, "EntryNotFound", "Entry not found", {"X-Repo-Commit": commit})
            return
        content, status = files[path], 200
        headers = {"X-Repo-Commit": commit, "ETag": f'"{_oid(content)}"', "Accept-Ranges": "bytes"}
        if found := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(found[1]), int(found[2] or len(content) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            content, status = content[first : last + 1], 206
        self._send(status, content, headers)

    def _json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _error(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None
    ) -> None:
        named = {"X-Error-Code": code, "X-Error-Message": message, **(headers or {})}
        self._send(status, json.dumps({"error": message}).encode(), named)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: `requests` has it all."""


def _oid(content: bytes) -> str:
    """git's name of a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _tree(files: dict[str, bytes]) -> dict[str, dict[str, object]]:
    """The entries of the files and of the folders that they are in, by path."""
    folders = {"/".join(n.split("/")[:i]) for n in files for i in range(1, n.count("/") + 1)}
    found: dict[str, dict[str, object]] = {
        path: {"type": "directory", "path": path, "oid": _oid(path.encode()), "size": 0}
        for path in folders
    }
    for path, content in files.items():
        found[path] = {"type": "file", "path": path, "oid": _oid(content), "size": len(content)}
    return dict(sorted(found.items()))

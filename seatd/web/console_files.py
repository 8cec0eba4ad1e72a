"""The console's files: read once at start, served with what a browser needs to keep them and to trust them.

A file's address holds the digest of all of them, so a browser may keep it for good, and an update is a new address. Every
other address under `/console/` answers the page itself, whose router knows what to show there.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from aiohttp import web

FOLDER: Final = Path(__file__).parent.parent / "console"
INDEX: Final = "index.html"
PLACE: Final = "/console/static/here/"
"""What stands in the page for the folder of its files."""

KINDS: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
"""What there may be; whatever else lies in the folder is not served."""

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""No inline script or style, nothing from elsewhere, and no text that is made into HTML."""

FOR_GOOD: Final = "public, max-age=31536000, immutable"
ASK_AGAIN: Final = "no-cache"


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent."""

    kind: str
    body: bytes
    zipped: bytes

    @property
    def tag(self) -> str:
        """What a browser asks with whether it has changed."""
        return hashlib.sha256(self.body).hexdigest()[:32]


class ConsoleFiles:
    """All files of the console, by their path in `folder`."""

    def __init__(self, folder: Path = FOLDER) -> None:
        raw = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.suffix in KINDS
        }
        self.digest = _digest(raw)
        here = PLACE.replace("here", self.digest).encode()
        raw[INDEX] = raw[INDEX].replace(PLACE.encode(), here)
        self._files = {name: _file(name, body) for name, body in raw.items()}

    def add_to(self, app: web.Application) -> None:
        """Serves them."""
        app.router.add_get("/console", self.moved)
        app.router.add_get("/console/static/{digest}/{path:.+}", self.static)
        app.router.add_get("/console/{path:.*}", self.page)

    async def moved(self, _request: web.Request) -> web.Response:
        """The address without the slash."""
        return web.Response(status=308, headers={"Location": "/console/"})

    async def page(self, request: web.Request) -> web.Response:
        """The page itself, at whatever address."""
        response = _response(request, self._files[INDEX], ASK_AGAIN)
        response.headers["Content-Security-Policy"] = POLICY
        return response

    async def static(self, request: web.Request) -> web.Response:
        """A file. While nodes are updated one after another, a page may ask for those of another version: it gets ours, and
        does not keep it."""
        found = self._files.get(request.match_info["path"])
        if found is None:
            raise web.HTTPNotFound
        is_ours = request.match_info["digest"] == self.digest
        return _response(request, found, FOR_GOOD if is_ours else ASK_AGAIN)


def _digest(raw: dict[str, bytes]) -> str:
    total = hashlib.sha256()
    for name, body in raw.items():
        total.update(f"{name} {len(body)}\n".encode() + body)
    return total.hexdigest()[:16]


@cache
def _file(name: str, body: bytes) -> File:
    return File(KINDS[Path(name).suffix], body, gzip.compress(body, mtime=0))


def _response(request: web.Request, file: File, keep: str) -> web.Response:
    headers = {"Cache-Control": keep, "Vary": "Accept-Encoding"}
    if any(tag.value == file.tag for tag in request.if_none_match or ()):
        return web.Response(status=304, headers={**headers, "ETag": f'W/"{file.tag}"'})
    body = file.body
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        body, headers["Content-Encoding"] = file.zipped, "gzip"
    headers["ETag"] = f'W/"{file.tag}"'
    return web.Response(body=body, content_type=file.kind, charset="utf-8", headers=headers)

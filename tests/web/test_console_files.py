"""The console's files as a browser gets them: their kinds, policy, how long they are kept; and that all of them are ours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from seatd.web.console_files import ASK_AGAIN, FOLDER, FOR_GOOD, KINDS, POLICY, ConsoleFiles
from tests.web.conftest import Site

FILES = [path for path in sorted(FOLDER.rglob("*")) if path.is_file()]
SCRIPTS = [path for path in FILES if path.suffix == ".js"]
BODIES = {path: path.read_bytes() for path in FILES}
each_script = pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(FOLDER).as_posix())
IMPORTED = re.compile(r"""(?:from |import\(|import )["'](\.[^"']+)["']""")


def digest() -> str:
    return ConsoleFiles().digest


async def test_the_page_stands_at_every_address(site: Site) -> None:
    for path in ("/console/", "/console/licenses", "/console/customers/acme%2Fbad/x", "/console/sign-in"):
        async with site.admin.get(path) as response:
            assert (response.status, response.content_type, response.charset) == (200, "text/html", "utf-8")
            assert response.headers["Content-Security-Policy"] == POLICY
            assert response.headers["Cache-Control"] == ASK_AGAIN
            assert f"/console/static/{digest()}/js/main.js" in await response.text()


async def test_the_address_without_a_slash_leads_there(site: Site) -> None:
    async with site.admin.get("/console", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (308, "/console/")


async def test_a_browser_at_the_root_is_led_to_the_console(site: Site) -> None:
    headers = {"Accept": "text/html,application/xhtml+xml"}
    async with site.admin.get("/", headers=headers, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, "/console/")


def test_the_policy_lets_nothing_foreign_in() -> None:
    assert "unsafe" not in POLICY
    assert "default-src 'none'" in POLICY
    assert "http" not in POLICY
    assert "*" not in POLICY


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(FOLDER).as_posix())
async def test_every_file_is_served_with_its_kind(site: Site, path: Path) -> None:
    url = f"/console/static/{digest()}/{path.relative_to(FOLDER).as_posix()}"
    content = BODIES[path]
    async with site.admin.get(url, headers={"Accept-Encoding": "gzip"}) as response:
        assert (response.status, response.content_type) == (200, KINDS[path.suffix])
        assert response.headers["Cache-Control"] == FOR_GOOD
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        if path.suffix != ".html":
            assert await response.read() == content


async def test_who_takes_no_gzip_gets_none(site: Site) -> None:
    url = f"/console/static/{digest()}/js/main.js"
    async with site.admin.get(url, headers={"Accept-Encoding": "identity"}) as response:
        assert "Content-Encoding" not in response.headers
        assert await response.read() == BODIES[FOLDER / "js/main.js"]


async def test_what_has_not_changed_is_not_sent_again(site: Site) -> None:
    async with site.admin.get("/console/") as response:
        tag = response.headers["ETag"]
    async with site.admin.get("/console/", headers={"If-None-Match": tag}) as response:
        assert (response.status, await response.read()) == (304, b"")
    async with site.admin.get("/console/", headers={"If-None-Match": 'W/"another"'}) as response:
        assert response.status == 200


async def test_a_file_of_another_version_is_ours_and_is_not_kept(site: Site) -> None:
    async with site.admin.get("/console/static/another/js/main.js") as response:
        assert (response.status, response.headers["Cache-Control"]) == (200, ASK_AGAIN)


@pytest.mark.parametrize(
    "path", ["nothing.js", "../web/site.py", "%2e%2e/web/site.py", "js", "js/", "/etc/passwd"]
)
async def test_there_is_nothing_else(site: Site, path: str) -> None:
    async with site.admin.get(f"/console/static/{digest()}/{path}") as response:
        assert response.content_type != "text/x-python"
        assert "import" not in await response.text()


def test_nothing_else_lies_in_the_folder() -> None:
    assert {path.suffix for path in FILES} <= set(KINDS)


@each_script
def test_what_a_script_imports_is_there(path: Path) -> None:
    for name in IMPORTED.findall(path.read_text()):
        assert (path.parent / name).resolve().is_file(), f"{path} imports {name}"


@each_script
def test_a_script_makes_no_html_of_text_and_no_style_attributes(path: Path) -> None:
    text = path.read_text()
    for forbidden in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "style:",
    ):
        assert forbidden not in text, f"{forbidden} in {path}"


@each_script
def test_a_script_is_one_concept(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
    assert path.read_text().startswith("//"), f"{path} does not say what it is for"


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.suffix in (".js", ".css", ".html")], ids=lambda path: path.name
)
def test_nothing_is_fetched_from_elsewhere(path: Path) -> None:
    found = re.findall(r"https?://[^\s\"'`)]+", path.read_text())
    assert [url for url in found if not url.startswith("http://www.w3.org/")] == []


def test_only_the_tokens_name_colours() -> None:
    named = re.compile(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(")
    for path in FILES:
        if path.suffix == ".css" and path.name != "tokens.css":
            assert not named.search(path.read_text()), f"{path} names a colour"

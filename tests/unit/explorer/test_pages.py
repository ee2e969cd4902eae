"""The built page as files of a server: caching, unknown paths, and what is not built."""

import asyncio
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from offchain.explorer.api.pages import FOREVER, Page
from offchain.explorer.api.problems import handle_problems


def ask(folder: Path, path: str, **headers: str) -> httpx.Response:
    app = FastAPI()
    handle_problems(app)
    app.include_router(Page(folder).router())

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path, headers={"Accept-Encoding": "identity", **headers})

    return asyncio.run(asked())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    built = tmp_path / "static"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text("<!doctype html><title>page</title>")
    (built / "assets" / "page-ABC.js").write_text("let x = 1;" * 500)
    (built / "notes.py").write_text("not of the page")
    (tmp_path / "secret.txt").write_text("beside it")
    return built


def test_hashed_files_stay_for_ever_and_the_page_is_asked_for_anew(folder: Path) -> None:
    script = ask(folder, "/assets/page-ABC.js", **{"Accept-Encoding": "gzip"})
    assert script.headers["cache-control"] == FOREVER
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["content-encoding"] == "gzip"
    assert script.text == "let x = 1;" * 500
    page = ask(folder, "/")
    assert page.headers["cache-control"] == "no-cache"
    assert ask(folder, "/", **{"If-None-Match": page.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("path", ["/orders/12", "/accounts/0xab", "/put", "/deep/er/path", "/notes.py"])
def test_paths_that_the_page_routes_are_the_page(folder: Path, path: str) -> None:
    assert ask(folder, path).text == ask(folder, "/").text


@pytest.mark.parametrize(
    "path", ["/assets/none.js", "/assets/../../secret.txt", "/api/none", "/desk/none", "/metrics/x"]
)
def test_what_is_not_there_is_404(folder: Path, path: str) -> None:
    answer = ask(folder, path)
    assert "beside it" not in answer.text
    assert answer.status_code == 404 or answer.text == ask(folder, "/").text


@pytest.mark.parametrize(
    "path", ["/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/%2e%2e/%2e%2e/secret.txt", "//etc/passwd"]
)
def test_nothing_that_is_asked_for_becomes_a_path(folder: Path, path: str) -> None:
    assert "beside it" not in ask(folder, path).text
    assert "root:" not in ask(folder, path).text


def test_a_page_that_is_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    answer = ask(tmp_path / "nothing", "/orders/1")
    assert answer.status_code == 503
    assert "make page" in answer.text
    assert not Page(tmp_path / "nothing").built

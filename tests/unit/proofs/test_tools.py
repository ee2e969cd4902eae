"""What is said when the programs behind proofs are missing, and that what is made once is made once."""

import json
import os
import threading
from pathlib import Path

import pytest

from offchain.errors import Rejected, Retryable
from offchain.proofs.noir.cache import BuildCache
from offchain.proofs.noir.tools import VERSIONS, find_tools, run_program


def packages(folder: Path, **versions: str) -> Path:
    """A node_modules with these versions of the packages, and Barretenberg's directory without the program."""
    for name, version in {**VERSIONS, **versions}.items():
        place = folder / "node_modules" / name
        place.mkdir(parents=True)
        (place / "package.json").write_text(json.dumps({"version": version}))
    return folder


def test_without_node_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Rejected, match=r"no `node` on the PATH: install it, then run `npm install`"):
        find_tools()


def test_without_packages_the_way_out_is_named(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"@aztec/bb.js\), which is not in .*: run `npm install`"):
        find_tools(tmp_path)


def test_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"need npm's @aztec/bb.js 5.0.0, found 4.2.0"):
        find_tools(packages(tmp_path, **{"@aztec/bb.js": "4.2.0"}))


def test_a_package_without_its_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"bb: no such program; run `npm install`"):
        find_tools(packages(tmp_path))


def test_a_program_that_does_not_run_is_refused(tmp_path: Path) -> None:
    for platform in ("amd64-linux", "arm64-linux", "amd64-macos", "arm64-macos"):
        place = packages(tmp_path) / "node_modules/@aztec/bb.js/build" if not list(tmp_path.iterdir()) else None
        build = place or tmp_path / "node_modules/@aztec/bb.js/build"
        (build / platform).mkdir(parents=True)
        (build / platform / "bb").write_bytes(b"\x7fELF of no machine")
        (build / platform / "bb").chmod(0o755)
    with pytest.raises(Rejected, match="does not run here"):
        find_tools(tmp_path)


def test_a_program_sees_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_PASSWORD_FILE", "/secret")
    done = run_program(["/usr/bin/env"], {"CRS_PATH": "/here"}, seconds=60)
    names = {line.partition("=")[0] for line in done.output.splitlines()}
    assert {"CRS_PATH", "HOME"} <= names
    assert not any(name.startswith("ASSAY") for name in names)
    assert os.environ["HOME"] not in [line.partition("=")[2] for line in done.output.splitlines()]


def test_a_program_that_takes_too_long_is_killed() -> None:
    done = run_program(["/bin/sh", "-c", "exec sleep 60"], {}, seconds=0.2)
    with pytest.raises(Retryable, match="proving was killed"):
        done.succeeded("proving")


def test_the_last_line_of_a_failure_is_told() -> None:
    done = run_program(
        ["/bin/sh", "-c", "echo begun; sleep 0.1; echo one >&2; echo 'not enough' >&2; exit 4"], {}, seconds=60
    )
    assert done.code == 4
    with pytest.raises(Rejected, match=r"^proving failed: not enough$"):
        done.succeeded("proving")
    assert 0 < done.peak_bytes < 50 * 2**20  # a shell's, not ours


def test_many_at_once_make_one_thing_once(tmp_path: Path) -> None:
    made: list[int] = []
    release = threading.Event()

    def make(folder: Path) -> None:
        release.wait(30)
        made.append(1)
        (folder / "thing").write_text("whole")

    places: list[Path] = []
    caches = [BuildCache(tmp_path) for _ in range(4)]
    threads = [threading.Thread(target=lambda c=cache: places.append(c.made("kind", "key", make))) for cache in caches]
    for thread in threads:
        thread.start()
    release.set()
    for thread in threads:
        thread.join(30)
    assert made == [1]
    assert {place.joinpath("thing").read_text() for place in places} == {"whole"}


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path)

    def fail(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise Rejected("no")

    with pytest.raises(Rejected, match=r"^no$"):
        cache.made("kind", "key", fail)
    assert [path.name for path in (tmp_path / "kind").iterdir()] == ["key.lock"]
    assert cache.made("kind", "key", lambda folder: (folder / "whole").touch()).joinpath("whole").exists()


def test_a_cache_that_cannot_be_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "proofs").write_text("a file")
    with pytest.raises(Rejected, match="cannot be a directory for proofs"):
        BuildCache(tmp_path / "proofs").made("kind", "key", lambda folder: None)

"""What the desk refuses: other sites' pages, strange requests, hostile files; over real HTTP."""

import io
import json
import socket
import zipfile
from collections.abc import Iterator
from functools import partial

import httpx
import pytest

from offchain.explorer.desk import DeskPlace
from tests.integration.explorer.desk_stage import (
    FIELDS,
    PATIENCE,
    Wallet,
    await_true,
    keys,
    served,
    shop,
    shop_place,
    table,
)
from tests.integration.roles.stage import Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with shop(tmp_path_factory.mktemp("shop")) as stage:
        yield stage


@pytest.fixture(scope="module")
def place(stage: Stage) -> DeskPlace:
    return shop_place(stage)


@pytest.fixture(scope="module")
def url(place: DeskPlace) -> Iterator[str]:
    """A desk that all tests may use which do not stop theirs."""
    with served(place) as url:
        yield url


def test_other_sites_and_strange_requests_are_refused(stage: Stage, url: str) -> None:
    account = keys()["client0"].address
    port = url.rpartition(":")[2]
    outbox, examinations = f"{url}/desk/outbox?account={account}", f"{url}/desk/examinations"
    own, body = {"Origin": url}, {"oid": 1, "account": account}
    with httpx.Client(timeout=PATIENCE, trust_env=False) as http:
        assert http.get(outbox).status_code == 200
        assert http.get(outbox, headers={"Host": f"localhost:{port}"}).status_code == 200
        rebound = [
            {"Host": f"assay.example:{port}"},
            {"Host": f"127.0.0.1.nip.example:{port}"},
            {"Host": "127.0.0.1:1"},
            {"Host": f"user@127.0.0.1:{port}"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ]
        for headers in rebound:
            refused = http.get(outbox, headers=headers)
            assert refused.status_code == 403, headers
            assert set(refused.json()) == {"error", "field"}
        for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": f"http://localhost:{port}"}):
            assert http.post(examinations, json=body, headers=headers).status_code == 403, headers
        plain = {**own, "Content-Type": "text/plain"}
        assert http.post(examinations, content=json.dumps(body), headers=plain).status_code == 415
        assert http.post(f"{url}/desk/orders", json=body, headers=own).status_code == 415
        assert http.post(examinations, json={**body, "padding": "x" * (1 << 17)}, headers=own).status_code == 413

        assert raw_status(int(port), form_of_a_terabyte(url)) == 413

        def endless() -> Iterator[bytes]:
            for _ in range(64):
                yield b" " * 4096

        typed = {**own, "Content-Type": "application/json"}
        assert http.post(examinations, content=endless(), headers=typed).status_code == 413
        for wrong, field in (({**body, "oid": "1"}, "oid"), ({**body, "more": 1}, "more"), ({"oid": 1}, "account")):
            answer = http.post(examinations, json=wrong, headers=own)
            assert (answer.status_code, answer.json()["field"]) == (422, field)
        assert http.post(examinations, json={**body, "oid": 10**6}, headers=own).json()["field"] == "oid"
        mistyped = account.swapcase().replace("0X", "0x")
        assert http.get(f"{url}/desk/outbox?account={mistyped}").status_code == 422


def form_of_a_terabyte(url: str) -> bytes:
    """The head of a request that says how much is to come."""
    lines = [
        "POST /desk/orders HTTP/1.1",
        f"Host: {url.removeprefix('http://')}",
        f"Origin: {url}",
        "Content-Type: multipart/form-data; boundary=x",
        "Content-Length: 1000000000000",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def raw_status(port: int, request: bytes) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(request)
        return int(connection.recv(1024).split()[1])


def npz(**arrays: bytes) -> bytes:
    """An archive with these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in arrays.items():
            archive.writestr(f"{name}.npy", data)
    return file.getvalue()


HEADER = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1048576, 1048576), }"
BOMB = npz(x=HEADER.ljust(127) + b"\n" + bytes(1 << 20), y=b"")
HOSTILE: dict[str, tuple[dict[str, object], dict[str, tuple[str, bytes]], str, str | None]] = {
    "a bomb": ({"label": None}, {"train": ("b.npz", BOMB)}, "b.npz: x.npy: declares 1,099,511,627,776 numbers", None),
    "a pickle": ({"label": None}, {"train": ("p.npz", b"\x80\x04N.")}, "p.npz: not a readable NPZ file", None),
    "a million columns": ({}, {"train": ("w.csv", b"x," * 10**6)}, "w.csv: has", None),
    "not a number": ({}, {"train": ("n.csv", b"a,kind\n1,x\nNaN,y\n2,x\n3,y\n")}, "row 2", None),
    "no table": ({}, {"train": ("t.csv", b"\0\1\2")}, "t.csv: ", "label"),
    "no label": ({"label": None}, {"train": ("a.csv", table())}, "label is missing; the columns are", "label"),
    "another label": ({"label": "sort"}, {"train": ("a.csv", table())}, "no column 'sort' (label)", "label"),
    "a path": (
        {"label": "/etc/passwd"},
        {"train": ("train-images-idx3-ubyte", b"\0\0")},
        "label: names a col",
        "label",
    ),
    "a name that climbs": ({"model": "x"}, {"train": ("../../../points.csv", table())}, "model 'x'", "model"),
    "no data": ({}, {}, "train: give a file, or the name of one of digits", "train"),
    "a server's path": ({"train": "/etc/passwd"}, {}, "train: '/etc/passwd' is none of digits", "train"),
    "no model": ({"model": None}, {"train": ("a.csv", table())}, "give one of model and spec", "model"),
    "a spec of nothing": ({"model": None}, {"train": ("a.csv", table()), "spec": ("s.json", b"{}")}, "s.json", "spec"),
    "too little": ({"reward": "1"}, {"train": ("a.csv", table())}, "reward: 0", "reward"),
    "too much": ({"reward": "9" * 40}, {"train": ("a.csv", table())}, "reward: the order needs", "reward"),
    "no time": (
        {"train_seconds": 0},
        {"train": ("a.csv", table())},
        "train_seconds 0: the protocol allows",
        "train_seconds",
    ),
    "words for time": ({"reveal_seconds": "2m"}, {"train": ("a.csv", table())}, "reveal_seconds: ", "reveal_seconds"),
    "an unknown field": ({"price": 3}, {"train": ("a.csv", table())}, "price: ", "price"),
    "an unknown part": ({}, {"virus": ("a.csv", table())}, "no part is called 'virus'", None),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_uploads_are_refused_in_one_line(stage: Stage, place: DeskPlace, url: str, name: str) -> None:
    fields, files, words, field = HOSTILE[name]
    wallet = Wallet(url, stage.client, keys()["client1"])
    found = wallet.prepare({key: value for key, value in {**FIELDS, **fields}.items() if value is not None}, files)
    assert words in found["error"]
    assert "\n" not in found["error"]
    assert str(place.journals.parent) not in found["error"]
    assert found["field"] == field
    assert [path for folder in place.journals.parent.glob("uploads-*") for path in folder.iterdir()] == []


def test_a_preparation_that_nobody_wants_is_given_up(stage: Stage, place: DeskPlace, url: str) -> None:
    wallet = Wallet(url, stage.client, keys()["client1"])
    files = {"train": ("points.csv", table(100_000))}
    request = {"request": json.dumps({"account": wallet.address, **FIELDS})}
    jobs = []
    for _ in range(3):
        answer = wallet.http.post(
            f"{url}/desk/orders", params={"wait": 0}, data=request, files=files, headers={"Origin": url}
        )
        jobs.append(answer.json()["id"])
    for number in reversed(jobs):
        assert wallet.http.delete(f"{url}/desk/preparations/{number}", headers={"Origin": url}).status_code == 200
    ends = [await_true(partial(_over, wallet, number)) for number in jobs]
    assert ends[2] == "cancelled"
    assert [path for folder in place.journals.parent.glob("uploads-*") for path in folder.iterdir()] == []


def _over(wallet: Wallet, number: str) -> str | None:
    state = str(wallet.get(f"/desk/preparations/{number}", wait=5)["state"])
    return state if state not in ("queued", "running") else None

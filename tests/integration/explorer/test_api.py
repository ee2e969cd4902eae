"""The API against a real chain with an order that was played to its end, over real sockets."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from offchain.chain.enums import Role
from offchain.explorer.api.guard import HEADERS
from offchain.explorer.api.serving import Explorer
from offchain.protocol.settlement import Outcome
from offchain.roles.client import prepare_order, put_order
from offchain.roles.context import RoleContext
from offchain.roles.lies import FlipOneSample
from offchain.storage.cid import Cid
from offchain.storage.unixfs import Importer
from tests.integration.explorer.reading import eventually
from tests.integration.explorer.serving import serving
from tests.integration.roles import court_stage
from tests.integration.roles.court_stage import OID, Courthouse, courthouse, liar, validator, verifier
from tests.integration.roles.stage import blobs, request
from tests.integration.roles.test_disputes import end_the_window

DOCUMENT = Path(__file__).parents[3] / "docs" / "explorer.md"
GOOD = 1


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Courthouse]:
    """A sealed order with a won dispute about a false score, and an open one."""
    with courthouse(tmp_path_factory.mktemp("explorer")) as built:
        false = liar(FlipOneSample(GOOD))
        court_stage.score(built, {"validator0": validator, "validator1": validator, "validator2": false})
        court_stage.play(built, {"verifier0": verifier, "validator2": false})
        end_the_window(built)
        built.work("client", court_stage.client_worker)
        built.mortal("client").alive(_put_another)
        yield built


def _put_another(context: RoleContext) -> None:
    wanted = request(blobs(seed=8), minimum_validators=2, title="more blobs", **court_stage.WINDOWS)
    put_order(context, prepare_order(context, wanted))


@pytest.fixture(scope="module")
def explorer(house: Courthouse) -> Iterator[Explorer]:
    with serving(house.stage.contracts, house.stage.store) as explorer:
        yield explorer


@pytest.fixture(scope="module")
def http(explorer: Explorer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=explorer.url, timeout=60, trust_env=False) as client:
        eventually(lambda: client.get("/api/about").json()["indexed"]["caught_up"])
        eventually(lambda: explorer.parts.reading.book.counts().get("here", 0) >= 6)
        yield client


def read(http: httpx.Client, path: str) -> Any:
    answer = http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_page_of_an_order_says_what_the_contracts_say(house: Courthouse, http: httpx.Client) -> None:
    contracts = house.stage.contracts
    page = read(http, f"/api/orders/{OID}")
    settled = contracts.settlement(OID)
    assert settled.outcome is Outcome.WON
    assert (page["phase"], page["outcome"], page["winner"]) == ("sealed", "won", settled.winner)
    samples = contracts.test_set(OID).sample_count
    assert page["winning_score"] == {"sum": str(settled.score), "samples": samples, "text": "100.00%"}
    assert page["manifest"]["verified"]
    assert (page["title"], page["manifest"]["classes"]) == ("blobs", ["a", "b", "c"])
    assert [model["root"] for model in page["models"]] == [
        "0x" + model.model_root.hex() for model in contracts.models(OID)
    ]
    sheets = {sheet["validator"]: sheet for sheet in page["sheets"]}
    for account in contracts.validators(OID):
        shown = [item["revealed"] for item in sheets[account]["scores"]]
        assert shown == [str(score) for score in contracts.scores(OID, account)]
    (dispute,) = page["disputes"]
    assert (dispute["verdict"], dispute["defendant"]) == ("false", house.address("validator2"))
    assert not sheets[house.address("validator2")]["scores"][GOOD]["live"]
    ends = [flow for flow in page["money"] if "escrow" in (flow["from"], flow["to"])]
    assert sum(int(flow["amount"]) * (1 if flow["to"] == "escrow" else -1) for flow in ends) == 0
    assert len(ends) == 5, "the reward, what the winner and two validators have of it, and the tax"
    assert page["gas"]["missing"] == 0
    assert sum(line["gas"] or 0 for line in page["timeline"]) == int(page["gas"]["total"])


def test_a_dispute_is_shown_down_to_the_operands_of_the_computed_step(http: httpx.Client) -> None:
    page = read(http, "/api/disputes/1")
    (computed,) = [move for move in page["moves"] if move["kind"] == "Computed"]
    detail, step = computed["detail"], computed["detail"]["step"]
    assert step["function"] == "compute"
    assert step["operands"]["node"]["node"]["index"] == str(detail["node"])
    assert int(detail["claimed"]) != int(detail["computed"])
    # A dense layer: the bias and the products of a row of weights with the layer's input. Then the contract scales.
    unit = step["operands"]["unit"]["unit"]
    weights, inputs = (
        [int.from_bytes([byte], "big", signed=True) for byte in bytes.fromhex(step["operands"][name][0]["data"][2:])]
        for name in ("weights", "first")
    )
    total = int(unit["bias"]) + sum(a * b for a, b in zip(weights, inputs, strict=False))
    assert (total > 0) == (int(detail["computed"]) > 0)


def test_curves_are_what_the_providers_said(house: Courthouse, http: httpx.Client) -> None:
    found = read(http, f"/api/orders/{OID}/curves")
    assert [curve["state"] for curve in found["curves"]] == ["here", "here"]
    good = found["curves"][GOOD]
    assert good["provider"] == house.address("provider1")
    assert [point[0] for point in good["runs"][good["chosen"]]["loss"]] == [1, 2, 3, 4, 5, 6]


def test_content_is_what_its_cid_names_and_only_what_the_chain_names(
    house: Courthouse, http: httpx.Client, tmp_path: Path
) -> None:
    page = read(http, f"/api/orders/{OID}")
    links = [page["manifest"]["cid"], page["manifest"]["train"]["cid"], page["test"]["cid"]]
    links += [file["cid"] for model in page["models"] for file in model["files"]] + [page["models"][0]["cid"]]
    for cid in links:
        answer = http.get(f"/api/content/{cid}")
        assert answer.status_code == 200, answer.text
        importer = Importer()
        importer.update(answer.content)
        assert str(importer.finish()) == cid
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment")
        assert http.get(f"/api/content/{cid}", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    secret = house.stage.store.add(b"the test set of an order that is not released")
    assert http.get(f"/api/content/{secret}").status_code == 404
    still = read(http, "/api/orders/2")
    assert (still["test"]["released"], still["test"]["cid"]) == (False, None)
    link = house.stage.store.path_of(Cid.parse(page["models"][0]["files"][0]["cid"]))  # type: ignore[attr-defined]
    kept = link.read_bytes()
    try:
        link.write_bytes(b"damaged on the disk")
        assert http.get(f"/api/content/{page['models'][0]['files'][0]['cid']}").status_code == 503
    finally:
        link.write_bytes(kept)


def test_every_path_of_the_document_is_there_and_no_other(http: httpx.Client) -> None:
    api = re.search(r"\n## The API\n(.*?)\n## The desk\n", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert api is not None
    rows = [line.partition(" | ")[0] for line in api[1].split("\n") if line.startswith("| `/")]
    cells = [name for row in rows for name in re.findall(r"`(/[^`?]+)", row)]
    named = {re.sub(r"\{[a-z_]+\}", "{}", name) for name in cells}
    description = read(http, "/openapi.json")
    there = {re.sub(r"\{[a-z_]+\}", "{}", path) for path in description["paths"] if not path.startswith("/desk")}
    assert there == named
    operations = [route["get"] for path, route in description["paths"].items() if not path.startswith("/desk")]
    assert all(operation["summary"] and operation["description"] for operation in operations)
    assert len({operation["operationId"] for operation in operations}) == len(operations)


JUNK = (
    "-1", "0", str(2**53), str(10**30), "1.5", "", "null", "open", "OrderBook", "0x" + "ab" * 20, "0x" + "zz" * 20,
    "' OR 1=1 --", "%00", "%ff%fe", "..%2f..", "<script>", "x" * 3_000,
    "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG",
)  # fmt: skip


def test_no_parameter_makes_it_fail(http: httpx.Client) -> None:
    paths = read(http, "/openapi.json")["paths"]
    asked = 0
    for path, route in paths.items():
        if path.startswith(("/desk", "/api/stream")):
            continue
        named = [item["name"] for item in route["get"].get("parameters", []) if item["in"] == "query"]
        for junk in JUNK:
            filled = re.sub(r"\{[a-z_]+\}", junk or "_", path)
            urls = [filled] if filled != path else []
            urls += [f"{path.replace('{', '').replace('}', '')}?{name}={junk}" for name in named]
            for url in urls:
                answer = http.get(url)
                asked += 1
                assert answer.status_code in (200, 304, 404, 422), (url, answer.status_code, answer.text)
                if answer.status_code != 200:
                    assert "\n" not in answer.json()["error"], url
    assert asked > 200
    assert http.post("/api/orders").status_code == 405
    assert http.get("/api/orders?" + "x" * 5_000).status_code == 400


def test_other_names_and_other_sites_are_kept_out(http: httpx.Client, explorer: Explorer) -> None:
    assert http.get("/api/about", headers={"Host": "evil.example"}).status_code == 403
    assert http.get("/api/about", headers={"Host": f"evil.example:{explorer.url[-5:]}"}).status_code == 403
    for path in ("/api/about", "/api/orders/77", "/", "/orders/1"):
        answer = http.get(path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert "access-control-allow-origin" not in answer.headers
    assert http.get("/assets/none.js").status_code == 404
    assert http.get("/api/none").status_code == 404


def test_answers_are_pages_with_etags(http: httpx.Client) -> None:
    first = http.get("/api/orders?limit=1")
    body = first.json()
    assert [row["oid"] for row in body["orders"]] == [2]
    second = read(http, f"/api/orders?limit=1&before={body['next']}")
    assert ([row["oid"] for row in second["orders"]], second["next"]) == ([1], None)
    assert http.get("/api/orders?limit=1", headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    taken, after = [], 0
    while after is not None:
        page = read(http, f"/api/events?after={after}&limit=20")
        taken += [row["seq"] for row in page["events"]]
        after = page["next"]
    assert taken == sorted(set(taken))
    assert len(taken) == read(http, "/api/about")["indexed"]["events"]


def test_metrics_can_be_scraped(http: httpx.Client) -> None:
    text = http.get("/metrics").text
    assert "assay_explorer_caught_up 1.0" in text
    assert 'assay_rpc_requests_total{method="batch",outcome="ok"}' in text or "assay_rpc_requests_total" in text


def test_an_account_has_what_the_contracts_say(house: Courthouse, http: httpx.Client) -> None:
    contracts, winner = house.stage.contracts, house.address("provider1")
    page = read(http, f"/api/accounts/{winner.lower()}")
    assert (page["address"], page["balance"]) == (winner, str(contracts.token_balance(winner)))
    bond = contracts.bond(winner, Role.PROVIDER)
    assert [(item["role"], item["bonded"]) for item in page["bonds"]] == [("provider", str(bond.bonded))]
    (part,) = page["orders"]
    assert (part["oid"], part["title"], part["phase"], part["roles"]) == (OID, "blobs", "sealed", ["provider"])
    payouts = {item["account"]: item["amount"] for item in read(http, f"/api/orders/{OID}")["settlement"]["payouts"]}
    assert part["earned"] == payouts[winner]
    (slash,) = read(http, "/api/slashes")["slashes"]
    assert (slash["account"], slash["oid"]) == (house.address("validator2"), OID)
    totals = read(http, "/api/network")
    assert totals["escrow"] == str(contracts.total_escrow())
    assert totals["supply"] == str(contracts.token_supply())
    assert totals["orders"]["by_phase"] == {"sealed": 1, "training": 1}

"""A real worker's page, read as Prometheus reads it; and a connection that is counted whatever happens to it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from offchain.chain.client import connect
from offchain.chain.devnet import travel
from offchain.chain.errors import ContractRejected, RpcRefused
from offchain.errors import Retryable
from offchain.ledger.local_group import free_ports
from offchain.metrics import catalogue
from offchain.metrics.chain import ChainMeters
from offchain.types import OrderId
from tests.integration.cli.support import Cli, assert_refused

ASSAY = Path(sys.executable).with_name("assay")
PATIENCE = 200.0
KEY = "dev13"
"""Nobody else's in these tests: its worker minds its own orders only."""

Found = dict[tuple[str, tuple[str, ...]], float]


def scrape(text: str) -> Found:
    """Samples by name and the values of their labels, in the order of the labels' names."""
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@contextmanager
def running(cli: Cli, log: Path, *words: str) -> Iterator[str]:
    """A worker's process; gives the URL that its first line names."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [ASSAY, *words, "--json"], stdout=output, stderr=output, env={**os.environ, **cli.environment}
        )
    try:
        first = wait_for(lambda: log.read_text().partition("\n")[0])
        yield json.loads(first)["metrics"]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, log.read_text()


def wait_for(there: Callable[[], str | Found]) -> str:
    """What it gives as soon as it is true."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := there():
            return found  # type: ignore[return-value]
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")


def test_a_client_seals_its_order_and_the_page_tells(cli: Cli, table: Path, tmp_path: Path) -> None:
    order = ("--train", str(table), "--label", "kind", "--model", "mlp:4", "--reward", "10", "--train-seconds", "60")
    answer = cli("put", "--key", KEY, *order, "--yes", "--json")
    assert answer.code == 0, answer
    oid = OrderId(json.loads(answer.out)["order_id"])
    with running(cli, tmp_path / "log", "client", "run", "--key", KEY, "--metrics", "0") as url:
        assert url.startswith("http://127.0.0.1:")
        travel(cli.client, max(cli.contracts.windows(oid).train_end + 60 - cli.client.now(), 60))
        sealed = ("assay_transactions_total", ("seal", "mined"))
        page = wait_for(lambda: text if sealed in scrape(text := httpx.get(url).text) else "")
        text = wait_for(lambda: text if ("assay_account_coin_wei", ()) in scrape(text := httpx.get(url).text) else "")
    families = {family.name for family in text_string_to_metric_families(text)}
    assert {metric.name.removesuffix("_total") for metric in catalogue.ALL} <= families
    found, account = {**scrape(page), **scrape(text)}, cli.contracts.order(oid).client
    assert found[sealed] == 1
    info = [labels for (name, labels) in found if name == "assay_worker_info"]
    assert [labels[:3] for labels in info] == [(account, "31337", "client")]
    assert found["assay_gas_used_total", ("seal",)] > 21_000
    assert found["assay_fees_wei_total", ("seal",)] > 0
    assert found["assay_transactions_in_flight", ()] == 0
    assert found["assay_account_coin_wei", ()] <= 10_000 * 10**18
    assert found["assay_account_tokens_wei", ()] > 0
    assert found["assay_bond_wei", ("provider", "bonded")] == 0
    assert found["assay_chain_head_block", ()] <= cli.client.head().number
    assert found["assay_chain_head_timestamp_seconds", ()] <= cli.client.head().timestamp
    assert found["assay_rpc_requests_total", ("eth_getBlockByNumber", "ok")] > 1
    assert found["assay_rpc_seconds_count", ("eth_getBlockByNumber",)] > 1
    assert sum(value for (name, _), value in found.items() if name == "assay_ticks_total") > 1
    assert found["assay_tick_seconds_count", ()] > 1
    assert abs(found["assay_last_tick_timestamp_seconds", ()] - time.time()) < PATIENCE
    assert {labels for (name, labels) in found if name == "assay_journal_bytes"} == {("records",), ("transactions",)}


def test_a_place_that_is_taken_is_refused(cli: Cli) -> None:
    assert_refused(cli("client", "run", "--key", KEY, "--metrics", "nowhere"), "--metrics nowhere", "HOST:PORT")
    with running_page() as port:
        answer = cli("client", "run", "--key", KEY, "--metrics", str(port))
        assert_refused(answer, f"--metrics 127.0.0.1:{port}", "give another")


@contextmanager
def running_page() -> Iterator[int]:
    """A port that something listens on."""
    from offchain.metrics.server import serve_metrics

    with serve_metrics(CollectorRegistry(), ("127.0.0.1", 0)) as url:
        yield int(url.split(":")[2].split("/")[0])


def test_a_connection_is_counted_whatever_happens_to_it(cli: Cli) -> None:
    registry = CollectorRegistry()
    meters = ChainMeters(registry, now=lambda: 0.0)
    client = meters.watch(cli.client)
    head = client.head()
    with pytest.raises(ContractRejected):
        client.call(cli.contracts.proof.functions.seal(2**40))
    with pytest.raises(RpcRefused):
        client.request("eth_noSuchThing")
    assert client.batch([("eth_chainId", []), ("eth_noSuchThing", [])])[0] == hex(client.chain_id)
    raw = "0x" + "00" * 40
    for _ in range(3):
        client.batch([("eth_sendRawTransaction", [raw]), ("eth_chainId", [])])
    gone = connect(cli.rpc, errors=cli.client.errors)
    [port] = free_ports(1)
    gone.provider.endpoint_uri = f"http://127.0.0.1:{port}"  # type: ignore[attr-defined]
    with pytest.raises(Retryable):
        meters.watch(gone).head()
    found = scrape(generate_latest(registry).decode())
    assert found["assay_rpc_requests_total", ("eth_getBlockByNumber", "ok")] == 1
    assert found["assay_rpc_requests_total", ("eth_getBlockByNumber", "unreachable")] == 1
    assert found["assay_rpc_requests_total", ("eth_call", "reverted")] == 1
    assert found["assay_rpc_requests_total", ("eth_noSuchThing", "refused")] == 2
    assert found["assay_rpc_requests_total", ("eth_chainId", "ok")] == 4
    assert found["assay_rpc_seconds_count", ("batch",)] == 4
    assert found["assay_transactions_resent_total", ()] == 2
    assert found["assay_chain_head_block", ()] == head.number
    assert found["assay_chain_head_age_seconds", ()] == -head.timestamp

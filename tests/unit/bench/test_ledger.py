"""The emulated ledger keeps to its lower bound; options and tables of `assay bench ledger`."""

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from offchain.bench import ledger
from offchain.bench.ledger_bound import Traffic, lower_bound
from offchain.bench.ledger_emulated import Row, measure, requests, traffic
from offchain.bench.ledger_group import bundled, emulate
from offchain.bench.ledger_load import Market, Signers, dealt, needed_orders
from offchain.bench.ledger_network import MILLISECOND, SECOND, Links, seeded_links
from offchain.errors import Rejected
from offchain.ledger.pbft.application import GroupConfig
from offchain.ledger.pbft.codec import encode
from offchain.ledger.pbft.messages import Bundle
from offchain.ledger.records.application import RecordsApplication, RecordsConfig
from offchain.ledger.records.bodies import Account
from offchain.ledger.records.request import Domain
from offchain.ledger.types import Millis, ReplicaId

LIMIT = GroupConfig(4, ReplicaId(0)).max_bundle_bytes
ROUNDING = 10_000
"""Nanoseconds: each packet's duration is rounded."""


@settings(max_examples=150, deadline=None)
@given(
    replicas=st.integers(4, 8),
    mbps=st.sampled_from([0.1, 1.0, 30.0]),
    seed=st.integers(0, 10_000),
    counts=st.lists(st.integers(0, 30), min_size=8, max_size=8).filter(any),
)
def test_no_run_is_faster_than_the_bound(replicas: int, mbps: float, seed: int, counts: list[int]) -> None:
    counts = counts[:replicas]
    counts[seed % replicas] += 1
    links = seeded_links(replicas, mbps * 1e6, seed)
    config = GroupConfig(replicas, ReplicaId(0))
    pool = requests(sum(counts), 304, seed)
    loads = [[pool.pop() for _ in range(count)] for count in counts]
    least = traffic(loads, LIMIT)
    outcome = emulate(links, loads, 100_000, 1_000 * SECOND)
    for relayed in (False, True):
        bound = lower_bound(links, config.quorum, 0, least, relayed=relayed)
        assert outcome.quorum + ROUNDING >= bound.quorum
        assert outcome.everybody + ROUNDING >= bound.everybody


def test_the_bound_of_a_lone_request_is_its_four_latencies() -> None:
    """At equal latencies and no bytes: to the primary, its proposal, prepares, commits."""
    way = 100 * MILLISECOND
    links = Links(1e15, tuple(tuple(0 if a == b else way for b in range(4)) for a in range(4)))
    bound = lower_bound(links, 3, 0, Traffic((0, 1, 0, 0), 1, 1, 1, 1))
    assert bound.everybody == bound.quorum == 4 * way


def test_the_bound_counts_the_bytes_of_the_narrowest_link() -> None:
    way = MILLISECOND
    links = Links(8_000, tuple(tuple(0 if a == b else way for b in range(4)) for a in range(4)))
    traffic = Traffic((0, 1_000, 0, 0), 0, 0, 0, 0)
    assert lower_bound(links, 3, 0, traffic).everybody == 3 * SECOND + way
    assert lower_bound(links, 3, 0, traffic, relayed=True).everybody == SECOND + 4 * way


def test_the_bar_is_kept_where_the_link_is_wide() -> None:
    row = measure(40, 10, 30.0, spread=True, seed=5)
    assert 1 <= row.ratio <= 1.3


def test_requests_are_cut_into_bundles_of_a_bounded_size() -> None:
    everything = requests(100, 304, 0)
    parts = bundled(everything, 3_000)
    assert [request for part in parts for request in part] == everything
    assert all(len(encode(Bundle(part))) <= 3_000 for part in parts)
    assert len(parts) == 12
    assert bundled([], 3_000) == []


def test_the_market_s_requests_are_accepted() -> None:
    domain = Domain(31337, bytes(20))
    signers = Signers(domain, 6, seed=0)
    market = Market(signers, needed_orders(9, 6))
    application = RecordsApplication(RecordsConfig(domain, frozenset[Account]()))
    now = Millis(time.time_ns() // 1_000_000)
    everything = market.setup() + market.validations(5) + market.orders(2) + market.validations(4)
    assert all(application.is_valid(request) for request in everything)
    assert len(set(everything)) == len(everything)
    assert set(application.execute(now, everything)) == {bytes(2)}


def test_one_replica_gets_all_of_an_account_in_order() -> None:
    everything = [bytes([account]) * 20 + bytes([number]) for number in range(5) for account in range(7)]
    shares = dealt(everything, 3)
    assert sorted(request for share in shares for request in share) == sorted(everything)
    homes = [{request[:20] for request in share} for share in shares]
    assert sum(map(len, homes)) == 7
    assert all(share == sorted(share, key=lambda request: request[20]) for share in shares)


@pytest.mark.parametrize(
    ("text", "parts"),
    [(None, ledger.PARTS), ("emulated", ("emulated",)), ("failover, sync", ("sync", "failover"))],
)
def test_parts(text: str | None, parts: tuple[str, ...]) -> None:
    assert ledger.parse_parts(text) == parts


@pytest.mark.parametrize("text", ["", "sync,", "all"])
def test_no_parts(text: str) -> None:
    with pytest.raises(Rejected, match="--part"):
        ledger.parse_parts(text)


def test_sizes() -> None:
    assert ledger.parse_sizes("4, 100,4") == (4, 100)


@pytest.mark.parametrize("text", ["", "3", "101", "ten", "10;30", "-5"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(Rejected, match="--sizes"):
        ledger.parse_sizes(text)


def test_tables_keep_the_two_ways_of_arriving_apart() -> None:
    row = Row(100, 10, 0.1, "at all", 3.2, 3.3, 2.8, 2.9, 2.9, 1.14, 2, 12.0, 8.609)
    console = Console(width=200, record=True, quiet=False)
    console.print(ledger.emulated_tables([row, replace(row, arriving="at one", paper=None)]))
    text = console.export_text()
    assert "arriving at all replicas" in text
    assert "arriving at one replica" in text
    assert text.count("8.609") == 1

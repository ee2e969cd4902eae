"""f replicas against a client: they repeat themselves, keep silent, and are where nobody is."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from offchain.cli.ledger_access import api_urls
from offchain.errors import Rejected, Retryable
from offchain.ledger.client.agreement import Electorate
from offchain.ledger.client.client import LedgerClient
from offchain.ledger.client.http import Http, Refusal
from offchain.ledger.identity import Address
from offchain.ledger.membership import Endpoint, Member, Membership
from offchain.ledger.records.bodies import Node, Role
from tests.unit.ledger.records.samples import DOMAIN, KEYS

URLS = [f"http://replica-{index}" for index in range(4)]


def test_one_replica_that_refuses_again_and_again_does_not_speak_for_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are busy for the moment: that is no reason to believe the only one that answers."""

    def post(_: Http, kind: object, url: str, body: object, *, wait: float = 0.0) -> Refusal:
        if url.startswith(URLS[0]):
            return Refusal(403, "this account has no bond on the chain")
        raise Retryable("busy")

    monkeypatch.setattr(Http, "post", post)
    with (
        LedgerClient(URLS, faulty=1, domain=DOMAIN, key=KEYS[0], seconds=0.3) as client,
        pytest.raises(Retryable, match="needed 2 that say the same"),
    ):
        client.submit([Node(Role.PROVIDER, "", "")])


def test_silent_replicas_cost_a_reader_little_and_the_next_time_nothing() -> None:
    released = threading.Event()

    def ask(url: str) -> str:
        if url in URLS[:1]:
            released.wait(10.0)
        return "the same"

    with ThreadPoolExecutor(8) as pool:
        replicas = Electorate(URLS, 2, pool, random.Random(1))
        replicas.shuffled = lambda: [*URLS]  # type: ignore[method-assign]
        begun = monotonic()
        assert replicas.agree(ask, seconds=5.0, patience=0.1) == "the same"
        assert 0.1 <= monotonic() - begun < 2.0
        del replicas.shuffled
        assert all(replicas.shuffled()[-1] == URLS[0] for _ in range(8))
        released.set()


@pytest.mark.parametrize("api", ["http://no\u00b2where:1", "http://[::1", ""])
def test_members_that_can_be_nowhere_keep_no_client_from_the_others(api: str) -> None:
    members = [
        Member(Address(bytes([index]) * 20), Endpoint("host", 1, f"http://host-{index}")) for index in range(1, 4)
    ]
    odd = Member(Address(bytes([9]) * 20), Endpoint("host", 1, api) if api else None)
    membership = Membership(1, Address(bytes(20)), (odd, *members))
    urls = api_urls(membership)
    assert urls == ["http://host-1", "http://host-2", "http://host-3"]
    LedgerClient(urls, faulty=1).close()
    with pytest.raises(Rejected):
        LedgerClient(urls[:1], faulty=1)

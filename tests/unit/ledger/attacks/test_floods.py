"""What strangers, clients and members send without end, and what it costs those who get it."""

import asyncio
import threading
from collections.abc import Callable
from time import perf_counter

import pytest
from coincurve import PrivateKey

from offchain.errors import Retryable
from offchain.ledger.api.admission import MOST_READS, ChainAdmission, ChainReader
from offchain.ledger.api.views import Views
from offchain.ledger.node_thread import INBOX_PER_PEER, LONGEST_GOSSIP, NodeThread
from offchain.ledger.records.bodies import Account, Node, RewardProposal, Role
from offchain.ledger.records.request import check_request, sign
from offchain.ledger.records.results import Result
from offchain.ledger.records.state import Limits
from offchain.ledger.transport.admission import Admission
from offchain.ledger.types import Millis, ReplicaId
from tests.unit.ledger.records.samples import ACCOUNTS, CLIENT, DOMAIN, TRAINING, Ledger

LEAD = 300 * 1_000_000
"""How far ahead of the ledger's time a nonce may be, in microseconds."""


class _Deaf:
    """A node that only says whom to call."""

    me = ReplicaId(0)

    def on_gossip(self, listener: Callable[[ReplicaId, bytes], None]) -> None:
        self.hear = listener


def test_a_member_that_gossips_frames_of_a_megabyte_fills_no_memory() -> None:
    node = _Deaf()
    thread = NodeThread(node)  # type: ignore[arg-type]
    for _ in range(2 * INBOX_PER_PEER):
        node.hear(ReplicaId(3), bytes(1 << 20))
        node.hear(ReplicaId(3), bytes(LONGEST_GOSSIP))
    node.hear(ReplicaId(2), b"share")
    kept = thread.inbox()
    assert (ReplicaId(2), b"share") in kept
    assert sum(len(payload) for _, payload in kept) <= INBOX_PER_PEER * LONGEST_GOSSIP + 5


def test_handshakes_from_many_addresses_are_turned_away_in_no_time() -> None:
    """With a group of 100: 464 places. Counting them over for each arrival took milliseconds."""
    door: Admission[int] = Admission(pending=464, burst=416, per_second=104)
    for number in range(464):
        door.begin(number, f"2001:db8::{number:x}")
    begun = perf_counter()
    for number in range(464, 1_464):
        assert door.begin(number, f"2001:db8::{number:x}") is not None
    assert perf_counter() - begun < 0.5
    assert door.pending == 464


def test_made_up_accounts_do_not_keep_the_chains_node_busy_for_all() -> None:
    """Whoever is known goes on writing while strangers wait for a node that does not answer."""
    released, known = threading.Event(), ACCOUNTS[CLIENT]

    def has_bond(account: Account) -> bool:
        return account == known or released.wait(10.0)

    def request(key: PrivateKey) -> object:
        return check_request(DOMAIN, sign(DOMAIN, key, 1, Node(Role.PROVIDER, "", "")).encode())

    async def attack() -> None:
        admission = ChainAdmission(ChainReader(has_bond, lambda _: None), [])
        familiar = request(PrivateKey.from_int(CLIENT + 1))
        assert await admission.refusal(familiar) is None  # type: ignore[arg-type]
        strangers = [request(PrivateKey.from_int(1_000 + number)) for number in range(MOST_READS)]
        waiting = [asyncio.create_task(admission.refusal(each)) for each in strangers]  # type: ignore[arg-type]
        await asyncio.sleep(0.01)
        with pytest.raises(Retryable, match="looked up"):
            await admission.refusal(request(PrivateKey.from_int(999)))  # type: ignore[arg-type]
        assert await admission.refusal(familiar) is None  # type: ignore[arg-type]
        assert await asyncio.wait_for(asyncio.to_thread(int), 1.0) == 0, "others' threads are free"
        released.set()
        await asyncio.gather(*waiting)

    asyncio.run(attack())


def test_accounts_with_nonces_of_the_future_do_not_shut_members_out() -> None:
    """A faulty replica lets in anybody. Thousands of accounts that use nonces five minutes ahead have all others
    forgotten, and raise the least nonce of whoever is unknown above the present."""
    ledger, now = Ledger(Limits(accounts=16)), TRAINING
    member, nonce = 6, now * 1_000
    assert ledger.say(now, member, RewardProposal(bytes(120)), nonce) is Result.ACCEPTED
    keys = [PrivateKey.from_int(5_000 + number) for number in range(60)]
    for step, key in enumerate(keys):
        flood = sign(DOMAIN, key, now * 1_000 + LEAD - 1_000 + step, Node(Role.PROVIDER, "", "")).encode()
        ledger.run(now, flood)
    later = Millis(now + 1_000)
    assert ledger.say(later, member, RewardProposal(bytes(120)), nonce) is Result.ACCEPTED, "said again, not done again"
    assert ledger.say(later, member, RewardProposal(bytes(120)), later * 1_000) is Result.ACCEPTED
    assert ledger.say(later, 7, RewardProposal(bytes(120)), later * 1_000) is Result.ACCEPTED, "a member's first"
    assert ledger.say(later, CLIENT, Node(Role.CLIENT, "", ""), later * 1_000) is Result.STALE, "what is left open"
    restored = Ledger(Limits(accounts=16))
    restored.app.restore(ledger.app.snapshot())
    assert restored.app.digest() == ledger.app.digest()
    assert restored.say(later, 7, RewardProposal(bytes(120)), later * 1_000 + 1) is Result.ACCEPTED


def test_listing_nodes_again_and_again_sorts_them_once() -> None:
    """With 30,000 nodes each sort takes longer than an agreement, and both run in one loop."""
    ledger = Ledger()
    views = Views(ledger.app)
    assert ledger.say(TRAINING, CLIENT, Node(Role.CLIENT, "", "")) is Result.ACCEPTED
    once = views._ranked_nodes()
    assert ledger.say(TRAINING, CLIENT, Node(Role.CLIENT, "more", "")) is Result.ACCEPTED
    assert views._ranked_nodes() is once, "the same places"
    assert [node.resources for node in views.nodes(None, 9, None)[0]] == ["more"]
    assert ledger.say(TRAINING, CLIENT, Node(Role.PROVIDER, "", "")) is Result.ACCEPTED
    assert len(views.nodes(None, 9, None)[0]) == 2

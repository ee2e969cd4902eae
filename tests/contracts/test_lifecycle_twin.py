"""`Lifecycle.sol` and `offchain/protocol/lifecycle.py` are one table, over all inputs that matter.

Every combination of the facts that the table asks about, at every second around the end of every window.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from web3.contract import Contract

from offchain.chain.client import ChainClient
from offchain.chain.devnet import Anvil, AnvilOptions
from offchain.chain.views import encode
from offchain.protocol.lifecycle import Facts, Phase, Windows, phase_at
from tests.contracts.support.solidity import compile_harness

ADDRESS = "0x" + "00" * 19 + "aa"
WINDOWS = [
    Windows(start=1_700_000_000, train=100, reveal=50, validate=40, challenge=30),
    Windows(start=1_700_000_000, train=7, reveal=3, validate=5, challenge=1),
    Windows(start=1, train=1, reveal=1, validate=1, challenge=1),
    Windows(start=2**63, train=2**32 - 1, reveal=2**32 - 1, validate=2**32 - 1, challenge=2**32 - 1),
    Windows(start=0, train=100, reveal=50, validate=40, challenge=30),
]
BATCH = 96


@pytest.fixture(scope="module")
def client() -> Iterator[ChainClient]:
    with Anvil.start(AnvilOptions()) as anvil:
        yield anvil.client()


def call(client: ChainClient, function: str, *arguments: Any) -> bytes:
    """Runs a function of the harness as if its code were at ADDRESS; the words that it returns."""
    harness = compile_harness("LifecycleHarness")
    contract: type[Contract] = client.web3.eth.contract(abi=harness.abi)
    data = contract.encode_abi(function, args=list(arguments))
    override = {ADDRESS: {"code": "0x" + harness.runtime.hex()}}
    gas = hex(200_000_000)
    answer = client.request("eth_call", {"to": ADDRESS, "data": data, "gas": gas}, "latest", override)
    return bytes.fromhex(answer[2:])


def times_of(windows: Windows) -> list[int]:
    ends = [
        windows.start,
        windows.train_end,
        windows.reveal_end,
        windows.score_commit_end,
        windows.score_reveal_end,
        windows.challenge_end,
        windows.challenge_end + 10,
    ]
    around = {end + offset for end in ends for offset in (-1, 0, 1)} | {0, 2**64 - 1}
    return sorted(time for time in around if 0 <= time < 2**64)


def all_facts(windows: Windows) -> list[Facts]:
    flags = (False, True)
    until = (0, windows.challenge_end - 1, windows.challenge_end + 10)
    combinations = itertools.product(flags, flags, flags, (0, 1, 3), (0, 2), (0, 2), (0, 1), (0, 1), until)
    return [Facts(*values) for values in combinations]


@pytest.mark.parametrize("windows", WINDOWS, ids=lambda windows: f"start {windows.start}, train {windows.train}")
def test_both_tables_agree_everywhere(client: ChainClient, windows: Windows) -> None:
    times, facts = times_of(windows), all_facts(windows)
    met: set[Phase] = set()
    for start in range(0, len(facts), BATCH):
        part = facts[start : start + BATCH]
        encoded = call(client, "phases", encode(windows), [encode(item) for item in part], times)
        found = encoded[64 : 64 + len(part) * len(times)]
        expected = [phase_at(windows, item, time) for item in part for time in times]
        assert list(found) == [int(phase) for phase in expected]
        met |= set(expected)
    reachable = set(Phase) - {Phase.NONE} if windows.start else {Phase.NONE}
    if windows.validate == 1:
        reachable -= {Phase.SCORE_COMMIT}  # half a second, rounded down
    assert met == reachable


@pytest.mark.parametrize("windows", WINDOWS, ids=lambda windows: f"start {windows.start}, train {windows.train}")
def test_windows_end_alike(client: ChainClient, windows: Windows) -> None:
    words = call(client, "ends", encode(windows))
    found = [int.from_bytes(words[place : place + 32], "big") for place in range(0, len(words), 32)]
    assert found == [
        windows.train_end,
        windows.reveal_end,
        windows.score_commit_end,
        windows.score_reveal_end,
        windows.challenge_end,
    ]

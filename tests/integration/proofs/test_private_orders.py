"""Private orders on a real chain with real proofs: every way to cheat ends as the specification says."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts
from offchain.chain.errors import ContractRejected
from offchain.errors import Rejected
from offchain.model.oracle import evaluate_slowly
from offchain.proofs.pieces import PieceTree
from offchain.proofs.private_manifest import MAX_MANIFEST_BYTES, PrivateManifest, parse_manifest
from offchain.proofs.private_order import ClaimStatus, PrivateId, PrivateOutcome, PrivatePhase, PrivateTerms
from offchain.proofs.private_rules import check_order, opening_of
from offchain.proofs.prove import open_system
from offchain.proofs.statement import model_elements
from offchain.roles.private_client import PrivateClient
from offchain.roles.private_desk import PrivateOrder
from offchain.roles.private_provider import PrivateProvider
from offchain.roles.private_records import PrivateOrderRecord
from offchain.storage.cid import Cid
from offchain.types import Root, Wei
from tests.integration.proofs.private_stage import (
    ASKED,
    BOND,
    REWARD,
    WINDOWS,
    HandsNothingOver,
    KeepsTheFile,
    LosesTheFile,
    Play,
    PromisesOtherSamples,
    SealsAnotherKey,
    SpoilsAByte,
    copy_claim,
    network,
    set_play,
)
from tests.integration.roles.stage import set_stage

ACCOUNTS = dev_accounts(8)[1:]
CLIENT, *PROVIDERS = ACCOUNTS


@pytest.fixture(scope="module", params=["groth16", pytest.param("ultrahonk", marks=pytest.mark.long)])
def play(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    folder = tmp_path_factory.mktemp("private")
    with Anvil.start(AnvilOptions()) as anvil:
        yield set_play(set_stage(anvil.client(), folder), open_system(request.param, folder / "proofs"), ACCOUNTS)


def test_whoever_cheats_loses_and_the_honest_is_paid(play: Play) -> None:
    """One after the other: a copied claim, none handed over, a wrong key, a wrong byte, no file, a lost file."""
    accounts = PROVIDERS[:6]
    kinds = [PrivateProvider, HandsNothingOver, SealsAnotherKey, SpoilsAByte, KeepsTheFile, LosesTheFile]
    client = play.client(play.context("client", CLIENT))
    before = balances(play)
    oid = client.put(play.request(sealed=True))
    contexts = [play.context(f"provider{i}", account) for i, account in enumerate(accounts)]
    providers = [play.provider(kind, context) for kind, context in zip(kinds, contexts, strict=True)]
    hashes = [provider.claim(oid, network()).model_hash for provider in providers[1:]]
    copy_claim(play, contexts[0], oid, hashes[0])
    with pytest.raises(Rejected, match="has no model handed over"):
        client.open(oid)
    # what a provider has checked it keeps: the client cannot take it away again
    lost = provider_manifest(providers[1], client.desk.orders.terms(oid)).test
    without(play, lost)
    play.pass_time(WINDOWS.claim)
    assert client.step(oid) == "release: the test set is released"
    until_proven(client, oid)
    for provider in providers[1:]:
        until_proven(provider, oid)
    play.pass_time(WINDOWS.prove)
    advance(client, oid, PrivatePhase.AWARD)
    assert claim_of(client, oid, accounts[0].address) is ClaimStatus.SLASHED

    # gone
    assert winner(client, oid) == accounts[1].address
    assert providers[1].step(oid) == "gone"
    play.pass_time(WINDOWS.handover)
    advance(client, oid, PrivatePhase.OVERDUE)
    # a wrong key, a wrong byte
    for place, fault in ((2, "wrong key"), (3, "wrong piece")):
        assert winner(client, oid) == accounts[place].address
        assert providers[place].step(oid) == "handover: handed over"
        with pytest.raises(Rejected, match=f"what was handed over is not what was proven: {fault}"):
            client.open(oid)
        assert client.step(oid) == f"dispute: {fault}"
        assert claim_of(client, oid, accounts[place].address) is ClaimStatus.SLASHED
    # no file, and nobody who posts it
    assert providers[4].step(oid) == "handover: handed over"
    assert client.step(oid) == "dispute: the model cannot be had yet"
    play.pass_time(WINDOWS.dispute // 2 + 1)
    assert client.step(oid) == "dispute: asked for 1 pieces"
    assert providers[4].step(oid) == "keeps it"
    play.pass_time(WINDOWS.answer)
    advance(client, oid, PrivatePhase.UNANSWERED)
    # no file, but the pieces are posted
    assert providers[5].step(oid) == "handover: handed over"
    play.pass_time(WINDOWS.dispute // 2 + 1)
    assert client.step(oid) == "dispute: asked for 1 pieces"
    assert providers[5].step(oid) == "dispute: posted 1 pieces"
    assert client.step(oid) == "dispute: what was handed over is what was proven"
    opens_right(client, oid, play)
    play.pass_time(WINDOWS.dispute)
    advance(providers[5], oid, PrivatePhase.PAYABLE)
    assert client.desk.orders.state(oid).outcome is PrivateOutcome.PAID
    assert client.desk.orders.state(oid).held == 0

    gained = {account: Wei(now - before[account]) for account, now in balances(play).items()}
    assert gained[accounts[5].address] == REWARD + ASKED
    assert all(gained[account.address] == -BOND for account in accounts[1:5])
    # the reporter's share of who copied, the dispute's share of four winners
    parameters = play.stage.contracts.protocol_parameters()
    shares = BOND * parameters.reporter_share_ppm // 10**6 + 4 * (BOND * parameters.dispute_share_ppm // 10**6)
    assert gained[CLIENT.address] == shares - REWARD - ASKED
    for context in (client.context, *contexts):
        play.stage.close(context)


def test_a_client_that_lies_gains_nothing(play: Play) -> None:
    """With an open test set; a restarted provider finds its claim again."""
    context = play.context("client-2", CLIENT)
    client = play.client(context)
    oid = client.put(play.request(sealed=False))
    provider = play.provider(PrivateProvider, play.context("provider-2", PROVIDERS[0]))
    record = provider.claim(oid, network())
    assert provider.claim(oid, network()) == record
    play.stage.close(provider.context)
    provider = play.provider(PrivateProvider, play.context("provider-2", PROVIDERS[0]))
    play.pass_time(WINDOWS.claim)
    until_proven(provider, oid)
    advance(provider, oid, PrivatePhase.AWARD)
    assert provider.step(oid) == "handover: handed over"

    secret = client.context.journal.all(PrivateOrderRecord)[0].secret
    orders, handover = client.desk.orders, client.desk.orders.handover(oid)
    pieces = client._gather(client.desk.order(oid), handover)
    assert pieces is not None
    opening = opening_of(pieces, 0, PieceTree(pieces))
    nothing = type(opening)(b"", ())
    lies = [
        orders.dispute_key(oid, secret, bytes(32)),
        orders.dispute_piece(oid, record.data_key, 0, nothing, opening),
    ]
    for place, lie in enumerate(lies):
        with pytest.raises(ContractRejected, match="NoFault"):
            context.sender.send(f"lie:{place}", lie)
    assert client.step(oid) == "dispute: what was handed over is what was proven"
    opens_right(client, oid, play)
    play.pass_time(WINDOWS.dispute)
    advance(client, oid, PrivatePhase.PAYABLE)
    assert orders.state(oid).outcome is PrivateOutcome.PAID
    for one in (client.context, provider.context):
        play.stage.close(one)


def test_a_client_that_promised_another_test_set_pays(play: Play) -> None:
    """What was sealed is not what was committed to; in the next order the client keeps the key to itself."""
    context = play.context("client-3", CLIENT)
    cheat = play.client(context, PromisesOtherSamples)
    oid = cheat.put(play.request(sealed=True))
    provider = play.provider(PrivateProvider, play.context("provider-3", PROVIDERS[1]))
    provider.claim(oid, network())
    play.pass_time(WINDOWS.claim)
    cheat.step(oid)
    until_proven(cheat, oid)
    assert "the released test set is not the promised one" in provider.step(oid)
    state = provider.desk.orders.state(oid)
    assert (state.outcome, state.held) == (PrivateOutcome.SHARED, 0)

    before = play.stage.contracts.token_balance(provider.context.account)
    client = play.client(context)
    oid = client.put(play.request(sealed=True))
    provider.claim(oid, network())
    play.pass_time(WINDOWS.claim + WINDOWS.release)
    advance(provider, oid, PrivatePhase.WITHHELD)
    assert client.desk.orders.state(oid).outcome is PrivateOutcome.SHARED
    assert play.stage.contracts.token_balance(provider.context.account) == before + REWARD
    for one in (context, provider.context):
        play.stage.close(one)


def test_an_order_that_is_not_what_it_says_is_not_claimed(play: Play) -> None:
    """Each lie in an order's terms costs its client a provider, and no provider anything."""
    context = play.context("client-4", CLIENT)
    client = play.client(context)
    provider = play.provider(PrivateProvider, play.context("provider-4", PROVIDERS[2]))
    honest = client.prepare(play.request(sealed=True))
    order = PrivateOrder(PrivateId(1), honest.terms, provider_manifest(provider, honest.terms))
    check_order(order.terms, order.manifest, provider.desk.test_file(order))
    lies = {
        "elements": replace(honest.terms, elements=honest.terms.elements + 1),
        "multipliers lie elsewhere": replace(honest.terms, layout_hash=bytes(32)),
        "too little time": replace(honest.terms, answer_seconds=10),
        "more than a week": replace(honest.terms, answer_seconds=7 * 86_400 + 1),
        "time to prove": replace(honest.terms, chunks=64, draws=64),
        "pays too little": replace(honest.terms, request_bond=Wei(1)),
        "number of chunks": replace(honest.terms, chunks=3),
        "names other chunks": replace(honest.terms, chunk_root=Root(bytes(32))),
        "another test file": replace(honest.terms, test_root=Root(bytes(32))),
        "size of samples": replace(honest.terms, sample_size=5),
    }
    for words, terms in lies.items():
        with pytest.raises(Rejected, match=words):
            check_order(terms, order.manifest, provider.desk.test_file(order))
    shown = client.prepare(replace(play.request(sealed=False), verifier=bytes(32)))
    with pytest.raises(Rejected, match="is not what circuit"):
        provider.desk.verifiers.require(shown.terms.verifier, play.system.verifier(play.circuit))
    manifest = provider_manifest(provider, shown.terms)
    test = provider.desk.test_file(replace(order, terms=shown.terms, manifest=manifest))
    for lie, words in (
        (replace(manifest, test_key=bytes(32)), "has samples in chunk 0"),
        (replace(manifest, test_key=None), "neither open nor promised"),
    ):
        with pytest.raises(Rejected, match=words):
            check_order(shown.terms, lie, test)
    for one in (context, provider.context):
        play.stage.close(one)


def test_what_is_due_together_is_on_its_way_together(play: Play) -> None:
    """Whoever waited for one call to be final before the next could not post 256 pieces in their time."""
    context = play.context("provider-5", PROVIDERS[2])
    desk, token = play.provider(PrivateProvider, context).desk, play.stage.contracts.token
    play.stage.client.request("evm_setAutomine", False)
    try:
        calls = [token.functions.approve(context.account, amount) for amount in range(1, 7)]
        tickets = [desk.begin(f"due:{place}", call) for place, call in enumerate(calls)]
        assert context.sender.in_flight() == len(calls)
    finally:
        play.stage.client.request("evm_setAutomine", True)
    play.stage.client.request("evm_mine")
    assert desk.finish([ticket for ticket in tickets if ticket is not None]) == len(calls)
    assert token.functions.allowance(context.account, context.account).call() == len(calls)
    play.stage.close(context)


def provider_manifest(provider: PrivateProvider, terms: PrivateTerms) -> PrivateManifest:
    data = provider.context.store.read(Cid.of(terms.manifest_cid), max_bytes=MAX_MANIFEST_BYTES)
    assert parse_manifest(data).encode() == data
    with pytest.raises(Rejected, match="manifest"):
        parse_manifest(data[:-1])
    return parse_manifest(data)


def without(play: Play, cid: Cid) -> None:
    """Takes a file out of the store that all share."""
    name = str(cid)
    (play.stage.folder / "store" / name[-2:] / name).unlink()
    assert not play.stage.store.has(cid)


def opens_right(client: PrivateClient, oid: PrivateId, play: Play) -> None:
    opened = client.open(oid)
    assert opened.correct == opened.proven == 2
    circuit = play.circuit
    assert model_elements(circuit, opened.network) == model_elements(circuit, network())
    inputs = np.random.default_rng(1).integers(-128, 128, (50, 4), dtype=np.int8)
    assert (evaluate_slowly(opened.network, inputs) == evaluate_slowly(network(), inputs)).all()


def until_proven(party: PrivateClient | PrivateProvider, oid: PrivateId) -> None:
    """The party's steps, until it waits for others; each transaction of a development chain makes a block."""
    for _ in range(8):
        said = party.step(oid)
        if said.startswith(("prove: proved", "prove: waiting for")) and "block" not in said:
            return
        if "block" in said:
            party.context.client.request("evm_mine")
    raise AssertionError(said)


def advance(party: PrivateClient | PrivateProvider, oid: PrivateId, phase: PrivatePhase) -> None:
    assert party.desk.orders.state(oid).phase is phase
    assert party.step(oid) == f"{phase.name.lower()}: advanced"


def winner(client: PrivateClient, oid: PrivateId) -> str:
    return client.desk.orders.state(oid).winner


def claim_of(client: PrivateClient, oid: PrivateId, account: str) -> ClaimStatus:
    return client.desk.orders.claim(oid, account)[0]  # type: ignore[arg-type]  # a checksum address


def balances(play: Play) -> dict[str, int]:
    return {account.address: play.stage.contracts.token_balance(account.address) for account in ACCOUNTS}

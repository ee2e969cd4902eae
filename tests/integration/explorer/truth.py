"""Holds an index against what the contracts themselves say, view by view."""

from dataclasses import astuple
from typing import Any

from offchain.chain.client import ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.chain.enums import Outcome, Role
from offchain.chain.federated import Federation
from offchain.chain.views import Bond, Dispute, PostedRoot, Request, Seat, Settlement, Tally, decode
from offchain.dispute.state import Verdict
from offchain.explorer.index import Index, Indexer, OrderPage
from offchain.federated.task_state import TaskPhase
from offchain.protocol.scores import ABSTAIN
from offchain.types import OrderId, TaskId


def catch_up(indexer: Indexer) -> int:
    """Steps until there is nothing more; how many events came."""
    taken = 0
    while True:
        step = indexer.step()
        taken += len(step.events)
        if step.caught_up:
            return taken


def indexed(client: ChainClient, contracts: AssayContracts, index: Index) -> None:
    """Brings the index up to date, receipts too."""
    indexer = Indexer(client, contracts.addresses, index)
    catch_up(indexer)
    while indexer.fill_receipts():
        pass
    indexer.close()


def check(contracts: AssayContracts, index: Index) -> int:
    """Asserts that the index says what the contracts say as of its block; how many facts were compared."""
    standing = index.standing()
    now = standing.head_at
    orders = [_check_order(contracts, index, oid, now) for oid in range(1, contracts.order_count() + 1)]
    facts = sum(orders)
    facts += _check_disputes(contracts, index)
    facts += _check_requests(contracts, index)
    facts += _check_accounts(contracts, index)
    facts += _check_rewards(contracts, index)
    facts += _check_tasks(contracts, index)
    network = index.network(now)
    assert network.escrow == contracts.total_escrow()
    assert network.supply == contracts.token_supply()
    assert network.orders == contracts.order_count()
    assert sum(network.phases.values()) == network.orders
    assert network.held == contracts.token_balance(contracts.addresses.reward_treasury)
    parameters = index.parameters()
    assert parameters is not None
    assert parameters.parameters == contracts.protocol_parameters()
    assert parameters.owner == contracts.parameters.functions.owner().call()
    return facts + 7


def _check_order(contracts: AssayContracts, index: Index, oid: int, now: int) -> int:
    number, page = OrderId(oid), index.order(oid, now)
    assert page is not None
    assert page.order == contracts.order(number)
    assert page.row.phase == contracts.phase(number)
    assert page.windows == contracts.windows(number)
    facts = contracts.facts(number)
    assert (page.row.claims, page.row.models, page.row.validations) == (
        facts.claims,
        facts.reveals,
        facts.score_reveals,
    )
    assert page.row.open_disputes == facts.open_disputes
    assert page.challenge_until == max(page.windows.challenge_end, facts.challenge_until)
    assert page.cancelled == contracts.is_cancelled(number)
    test = contracts.test_set(number)
    assert (page.test.root, page.test.cid, page.test.samples) == astuple(test) if page.test else test.sample_count == 0
    assert sorted(claim.provider for claim in page.claims) == sorted(contracts.claimants(number))
    assert [claim.sequence for claim in page.claims] == sorted(claim.sequence for claim in page.claims)
    for claim in page.claims:
        truth = contracts.claim(number, claim.provider)
        assert (claim.commitment, claim.sequence, claim.revealed, claim.slashed) == astuple(truth)[:4]
    _check_models(contracts, page, number)
    _check_sheets(contracts, page, number)
    _check_settlement(contracts, page, number)
    escrowed = sum(flow.amount for flow in page.money if flow.target == "escrow")
    left = sum(flow.amount for flow in page.money if flow.source == "escrow")
    assert escrowed - left == contracts.escrow(number)
    assert page.gas.missing == 0
    assert page.gas.total == sum(line.gas or 0 for line in page.timeline) > 0
    return 20 + 4 * len(page.claims) + 6 * len(page.models) + 6 * len(page.sheets)


def _check_models(contracts: AssayContracts, page: OrderPage, oid: OrderId) -> None:
    truth = contracts.models(oid)
    assert [(row.provider, row.root, row.cid) for row in page.models] == [
        (model.provider, model.model_root, model.cid) for model in truth
    ]
    for row in page.models:
        tally = contracts.tally(oid, row.index)
        assert row.voided == contracts.is_void(oid, row.index)
        assert row.eligible == tally.eligible
        if row.score is not None and tally.distinct == 1:
            assert row.score.sum == tally.score
        live = [score for sheet in page.sheets for score in sheet.scores if score.model == row.index and score.live]
        voided = row.voided or (page.test is not None and page.test.voided)
        assert voided or len(live) == tally.live


def _check_sheets(contracts: AssayContracts, page: OrderPage, oid: OrderId) -> None:
    assert tuple(sheet.validator for sheet in page.sheets) == contracts.validators(oid)
    for sheet in page.sheets:
        truth = contracts.sheet(oid, sheet.validator)
        assert (sheet.commitment, sheet.v_stake, sheet.slashed) == (truth.commitment, truth.v_stake, truth.slashed)
        assert (sheet.revealed_at is not None) == truth.revealed
        said = contracts.scores(oid, sheet.validator)
        assert tuple(ABSTAIN if score.revealed is None else score.revealed for score in sheet.scores) == said
        for score in sheet.scores:
            values = contracts.proof.functions.seatOf(oid, sheet.validator, score.model).call()
            seat: Seat = decode(Seat, values)
            shown = ABSTAIN if score.score is None else score.score
            assert (score.holder, shown, score.live) == (seat.holder, seat.score, seat.live)


def _check_settlement(contracts: AssayContracts, page: OrderPage, oid: OrderId) -> None:
    truth: Settlement = contracts.settlement(oid)
    if page.settlement is None:
        assert truth.outcome is Outcome.NONE
        return
    seal, holding = page.settlement, contracts.holding(oid)
    assert (seal.outcome, seal.sealed_at) == (truth.outcome, truth.sealed_at)
    if seal.outcome is Outcome.WON:
        assert (seal.model, seal.winner) == (truth.model_index, truth.winner)
        assert seal.score is not None
        assert seal.score.sum == truth.score
    assert sum(payout.amount for payout in seal.payouts) + seal.tax == page.order.terms.reward
    assert (seal.sequence, len(seal.roles)) == (holding.sequence, len(seal.payouts))
    if holding.paid:
        assert seal.paid


def _check_disputes(contracts: AssayContracts, index: Index) -> int:
    count = int(contracts.court.functions.disputeCount().call())
    for number in range(1, count + 1):
        truth: Dispute = decode(Dispute, contracts.court.functions.disputeOf(number).call())
        page = index.dispute(number)
        assert page is not None
        row = page.row
        assert (row.oid, row.model, row.defendant, row.challenger) == (
            truth.oid,
            truth.model_index,
            truth.defendant,
            truth.challenger,
        )
        assert (row.stage, row.verdict, row.stake, row.on_turn) == (
            truth.stage,
            truth.verdict,
            truth.stake,
            truth.on_turn,
        )
        assert row.deadline == truth.deadline
        assert (row.counter is None) == (truth.counter == ABSTAIN)
        assert page.moves[0].name == "Opened"
        assert sum(move.gas or 0 for move in page.moves) > 0
        if row.verdict in (Verdict.FALSE, Verdict.STANDS):
            assert row.winner in (row.defendant, row.challenger)
    assert index.network(0).disputes == count
    return 12 * count


def _check_requests(contracts: AssayContracts, index: Index) -> int:
    count = int(contracts.availability.functions.requestCount().call())
    found = {row.id: row for row in index.requests(limit=200).rows}
    assert len(found) == min(count, 200)
    for number, row in found.items():
        truth: Request = decode(Request, contracts.availability.functions.requestOf(number).call())
        assert (row.asker, row.deadline, row.status, row.bond, row.target) == astuple_flat(truth)
    return 5 * count


def astuple_flat(request: Request) -> tuple[Any, ...]:
    """The fields of a request, its target as it is."""
    return (request.asker, request.deadline, request.status, request.bond, request.target)


def accounts_of(index: Index) -> list[str]:
    """All accounts that events name."""
    after = 0
    found: dict[str, None] = {}
    while True:
        page = index.events(after=after, limit=1000)
        found |= {account: None for event in page.rows for account in event.accounts}
        if page.next is None:
            return list(found)
        after = page.next


def _check_accounts(contracts: AssayContracts, index: Index) -> int:
    everybody: list[Any] = accounts_of(index)
    stakes = dict.fromkeys(Role, 0)
    for address in everybody:
        account = index.account(address)
        assert account.balance == contracts.token_balance(address), address
        bonds = {bond.role: bond for bond in account.bonds}
        for role in list(Role)[1:]:
            truth: Bond = contracts.bond(address, role)
            mine = bonds.get(role)
            shown = (0, 0, 0, 0) if mine is None else (mine.bonded, mine.locked, mine.exiting, mine.exit_at)
            assert shown == astuple(truth), (address, role)
            stakes[role] += truth.bonded
        assert account.earned.credited == contracts.credited(address)
        claimed = contracts.treasury.functions.claimedOf(address).call()
        assert account.earned.claimed == claimed
        assert account.candidate_stake == contracts.candidate_stake(address)
        assert account.is_member == contracts.is_member(address)
    network = index.network(0)
    assert dict(network.stakes) == {role: stake for role, stake in stakes.items() if stake}
    return 15 * len(everybody)


def _check_rewards(contracts: AssayContracts, index: Index) -> int:
    rewards = index.rewards(limit=200)
    standing = [root for root in rewards.roots if root.refuter is None]
    count = int(contracts.treasury.functions.cycles().call())
    assert sorted(root.cycle for root in standing) == list(range(1, count + 1))
    for root in standing:
        truth: PostedRoot = decode(PostedRoot, contracts.treasury.functions.rootOf(root.cycle).call())
        assert (root.root, root.up_to, root.epoch, root.effective_at) == (
            truth.root,
            truth.up_to,
            truth.epoch,
            truth.effective_at,
        )
        assert len(root.signers) == truth.signers.bit_count()
    committee = rewards.committee
    assert set(committee.candidates) == set(contracts.candidates())
    if committee.epochs:
        newest = committee.epochs[0]
        assert (newest.number, newest.members, newest.ends_at) == (
            contracts.epoch(),
            contracts.members(),
            contracts.epoch_ends_at(),
        )
        assert newest.suspended == contracts.committee.functions.isSuspended().call()
    return 5 * len(standing) + 5


def _check_tasks(contracts: AssayContracts, index: Index) -> int:
    federation, head = Federation(contracts), contracts.client.head()
    count = federation.task_count()
    assert len(index.tasks(limit=200).rows) == count
    for number in range(1, count + 1):
        page = index.task(number)
        assert page is not None
        view = federation.view(TaskId(number), head)
        state = view.state
        assert page.terms == view.terms
        assert (page.row.client, page.row.round, page.row.active) == (state.client, state.round, state.active)
        assert (page.row.phase == "over") == (view.phase is TaskPhase.OVER)
        assert (page.model_root, page.refundable) == (state.model_root, state.refundable)
        for one, truth in zip(page.participants, view.participants, strict=True):
            assert (one.account, one.stake) == (truth.account, truth.stake)
            assert (one.standing == "excluded", one.standing == "left") == (truth.excluded, truth.gone)
    return 10 * count


def tally_of(contracts: AssayContracts, oid: OrderId, model: int) -> Tally:
    """What the contract says of a model."""
    return contracts.tally(oid, model)

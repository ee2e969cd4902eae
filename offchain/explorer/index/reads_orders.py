"""Orders: lists from what lies beside their states, a page from the state and the events."""

import json
from typing import Any

from eth_typing import ChecksumAddress

from offchain.chain.enums import Outcome, Role, ScoreFunction
from offchain.explorer.index.folds.order import OrderState, SealedState, SheetState
from offchain.explorer.index.folds.reward import CycleState
from offchain.explorer.index.money import flows_of
from offchain.explorer.index.reads import ALL, Reads
from offchain.explorer.index.reads_disputes import disputes_of_order, requests_of_order
from offchain.explorer.index.rows import EventRow, Page
from offchain.explorer.index.rows_orders import (
    ActionGas,
    ClaimRow,
    GasRow,
    ModelRow,
    OrderPage,
    OrderRow,
    Score,
    ScoreRow,
    SettlementRow,
    SheetRow,
    TestRow,
    TimelineRow,
)
from offchain.explorer.index.things import CYCLE, ORDER
from offchain.explorer.index.words import actor_of, text_of
from offchain.protocol.lifecycle import Facts, Phase, Windows, phase_at, phase_end
from offchain.protocol.scores import ABSTAIN
from offchain.types import CidDigest, OrderId, Seconds, Wei

OUTCOMES = {int(outcome): outcome for outcome in Outcome}

QUIET = frozenset({"Approval", "Transfer", "Locked", "Unlocked", "DisputeOpened", "DisputeClosed", "Moved"})
"""Events that a timeline leaves out: they say nothing that another one in their transaction does not."""

MOST_TOLD = 1_500
"""Events at either end of an order: whoever replaces a claim again and again pays for gas alone."""


def phase_of(reads: Reads, oid: int, now: int) -> Phase:
    """The phase of an order; NONE for an unknown one."""
    row = reads.connection.execute("SELECT brief FROM orders WHERE key = ?", (oid,)).fetchone()
    if row is None:
        return Phase.NONE
    brief = json.loads(row[0])
    return phase_at(Windows(*brief[1]), Facts(*brief[2]), now)


def read_orders(
    reads: Reads, now: int, state: str, account: ChecksumAddress | None, before: int | None, limit: int
) -> Page[OrderRow]:
    """Orders, the newest first."""
    conditions, values = ["key < ?"], [ALL if before is None else before]
    if state != "all":
        conditions.append("open = ?")
        values.append(int(state == "open"))
    if account is not None:
        conditions.append("key IN (SELECT number FROM parts WHERE account = ? AND thing = 'order')")
        values.append(reads.number_of(account) or -1)
    query = f"SELECT key, brief FROM orders WHERE {' AND '.join(conditions)} ORDER BY key DESC LIMIT ?"
    found = reads.connection.execute(query, (*values, limit + 1)).fetchall()
    rows = tuple(order_row(number, json.loads(brief), now) for number, brief in found[:limit])
    return Page(rows, rows[-1].oid if len(found) > limit else None)


def order_row(oid: int, brief: list[Any], now: int) -> OrderRow:
    """A row of a list, from what lies beside the state (`things`)."""
    (client, reward, function, manifest), times, said, outcome, won = brief
    windows, facts = Windows(*times), Facts(*said)
    phase = phase_at(windows, facts, now)
    return OrderRow(
        oid=OrderId(oid),
        client=client,
        reward=Wei(reward),
        score_function=ScoreFunction(function),
        manifest=CidDigest(bytes.fromhex(manifest)),
        phase=phase,
        phase_ends_at=phase_end(phase, windows, facts.challenge_until),
        put_at=Seconds(windows.start),
        claims=facts.claims,
        models=facts.reveals,
        validations=facts.score_reveals,
        open_disputes=facts.open_disputes,
        outcome=Outcome.NONE if outcome is None else OUTCOMES[outcome],
        winner=None if won is None else won[0],
        winning_score=None if won is None else Score(won[1], won[2]),
    )


def read_order(reads: Reads, oid: int, now: int) -> OrderPage | None:
    """All of one order."""
    row = reads.connection.execute("SELECT brief FROM orders WHERE key = ?", (oid,)).fetchone()
    state: OrderState | None = reads.state(ORDER, oid)
    if row is None or state is None:
        return None
    slashed = reads.decoder.kind_of["StakeVault", "Slashed"]
    slashes = list(reads.events("e.oid = ? AND e.kind = ?", (oid, slashed)))
    disputes = disputes_of_order(reads, oid)
    gas = reads.gas_of("oid", oid)
    return OrderPage(
        row=order_row(oid, json.loads(row[0]), now),
        order=state.order,
        windows=state.order.windows,
        challenge_until=Seconds(max(state.order.windows.challenge_end, state.challenge_until)),
        cancelled=state.cancelled,
        test=_test(state),
        claims=_claims(state),
        models=_models(state),
        sheets=tuple(_sheet(state, sheet) for sheet in state.sheets),
        displaced=state.displaced,
        disputes=disputes,
        requests=requests_of_order(reads, oid),
        settlement=_settlement(reads, state, now),
        money=flows_of(state, slashes),
        timeline=_timeline(_told(reads, oid), gas),
        gas=_gas(reads, oid),
    )


def _test(state: OrderState) -> TestRow | None:
    test = state.test
    return None if test is None else TestRow(test.root, test.cid, test.samples, test.at, state.test_voided)


def _claims(state: OrderState) -> tuple[ClaimRow, ...]:
    bond = Wei(0) if state.seal is not None else state.order.claim_bond
    return tuple(
        ClaimRow(
            provider=claim.provider,
            at=claim.at,
            sequence=claim.sequence,
            commitment=claim.commitment,
            locked=Wei(0) if claim.slashed else bond,
            slashed=claim.slashed,
            revealed=claim.revealed,
        )
        for claim in sorted(state.claims, key=lambda claim: claim.sequence)
    )


def _models(state: OrderState) -> tuple[ModelRow, ...]:
    found = []
    for index, model in enumerate(state.models):
        tally = state.tally(index)
        score = Score(tally.score, state.samples) if tally.distinct == 1 and state.samples else None
        row = ModelRow(index, model.provider, model.root, model.cid, model.at, tally.eligible, model.voided, score)
        found.append(row)
    return tuple(found)


def _sheet(state: OrderState, sheet: SheetState) -> SheetRow:
    scores = []
    for index, revealed in enumerate(sheet.scores):
        taken = next((one.score for one in sheet.taken if one.model == index), revealed)
        counts = not state.test_voided and not state.models[index].voided
        scores.append(
            ScoreRow(
                model=index,
                holder=sheet.holder_of(index),
                score=None if taken == ABSTAIN else taken,
                revealed=None if revealed == ABSTAIN else revealed,
                live=counts and sheet.live_score(index) is not None,
            )
        )
    return SheetRow(
        validator=sheet.validator,
        v_stake=sheet.v_stake,
        commitment=sheet.commitment,
        committed_at=sheet.at,
        revealed_at=sheet.revealed_at,
        slashed=sheet.slashed,
        scores=tuple(scores),
    )


def _settlement(reads: Reads, state: OrderState, now: int) -> SettlementRow | None:
    seal = state.seal
    if seal is None:
        return None
    won = seal.outcome is Outcome.WON
    cycle, effective_at = _covering(reads, seal)
    refunded = seal.outcome is Outcome.REFUNDED
    by_root = effective_at is not None and effective_at <= now
    return SettlementRow(
        outcome=seal.outcome,
        model=seal.model if won else None,
        winner=seal.winner if won else None,
        score=Score(seal.score, state.samples) if won else None,
        payouts=seal.payouts,
        roles=_roles(seal),
        tax=seal.tax,
        sealed_at=seal.at,
        sequence=seal.sequence,
        paid=refunded or bool(seal.settled) or by_root,
        paid_how="refund" if refunded else seal.settled or ("root" if cycle is not None else ""),
        root_cycle=cycle,
        effective_at=effective_at,
    )


def _roles(seal: SealedState) -> tuple[Role, ...]:
    """Won: the winner first, then its validators; shared: providers; a refund is the client's, who has no role."""
    match seal.outcome:
        case Outcome.WON:
            return (Role.PROVIDER, *(Role.VALIDATOR for _ in seal.payouts[1:]))
        case Outcome.SHARED:
            return tuple(Role.PROVIDER for _ in seal.payouts)
        case _:
            return tuple(Role.NONE for _ in seal.payouts)


def _covering(reads: Reads, seal: SealedState) -> tuple[int | None, Seconds | None]:
    """The standing root that covers a sealed order, and when it takes effect."""
    if not seal.sequence or seal.settled:
        return None, None
    rows = reads.states(CYCLE, "open = 1 AND parent >= ?", (seal.sequence,), limit=1)
    if not rows:
        return None, None
    cycle: CycleState = rows[0][1]
    standing = cycle.standing
    return (None, None) if standing is None else (cycle.cycle, standing.effective_at)


def _told(reads: Reads, oid: int) -> list[EventRow]:
    """The order's events; of more than twice `MOST_TOLD`, the first and the last."""
    first = list(reads.events("e.oid = ?", (oid,), limit=MOST_TOLD))
    if len(first) < MOST_TOLD:
        return first
    rest = reads.events("e.oid = ? AND e.seq > ?", (oid, first[-1].seq), limit=MOST_TOLD, newest_first=True)
    return first + list(rest)[::-1]


def _timeline(events: list[EventRow], gas: dict[bytes, int]) -> tuple[TimelineRow, ...]:
    told: set[bytes] = set()
    found = []
    for event in events:
        if event.name in QUIET:
            continue
        used = None if event.tx in told else gas.get(event.tx)
        told.add(event.tx)
        found.append(
            TimelineRow(
                seq=event.seq,
                at=event.at,
                block=event.block,
                tx=event.tx,
                contract=event.contract,
                name=event.name,
                actor=actor_of(event),
                text=text_of(event),
                gas=used,
            )
        )
    return tuple(found)


def _gas(reads: Reads, oid: int) -> GasRow:
    query = """
    SELECT t.action, COUNT(*), SUM(t.gas), t.gas IS NULL, GROUP_CONCAT(t.fee, ' ') FROM transactions t
    WHERE t.id IN (SELECT DISTINCT tx FROM events WHERE oid = ?) GROUP BY t.action, t.gas IS NULL ORDER BY MIN(t.id)
    """
    actions, missing = [], 0
    for action, count, gas, unknown, fees in reads.connection.execute(query, (oid,)):
        if unknown:
            missing += count
        else:
            actions.append(ActionGas(action, count, gas, Wei(sum(map(int, fees.split())))))
    return GasRow(
        sum(action.gas for action in actions), Wei(sum(action.fee for action in actions)), missing, tuple(actions)
    )

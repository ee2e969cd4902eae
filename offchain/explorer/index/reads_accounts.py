"""Accounts: bonds, sums, and what they take part in; stake that was taken."""

from eth_typing import ChecksumAddress

from offchain.chain.enums import Role
from offchain.dispute.state import NOBODY
from offchain.explorer.index.folds.order import OrderState
from offchain.explorer.index.folds.reward import CandidateState
from offchain.explorer.index.folds.stake import BondState
from offchain.explorer.index.reads import ALL, Reads
from offchain.explorer.index.rows import Account, BondRow, Earned, EventRow, Page, Part, SlashRow
from offchain.explorer.index.shelves import ROLES, bond_role
from offchain.explorer.index.things import BOND, CANDIDATE, EPOCH, ORDER
from offchain.types import OrderId, Seconds, TaskId, Wei

NO_EARNINGS = Earned(Wei(0), Wei(0), Wei(0), Wei(0), Wei(0))


def read_account(reads: Reads, address: ChecksumAddress, limit: int) -> Account:
    """An account; zeros where no event names it."""
    number = reads.number_of(address)
    if number is None:
        return Account(
            address,
            0,
            Wei(0),
            (),
            NO_EARNINGS,
            (),
            (),
            (),
            (),
            (),
            Wei(0),
            is_member=False,
            endpoint=None,
            gas=0,
            fee=Wei(0),
        )
    sums = reads.sums(number)
    candidate: CandidateState | None = reads.state(CANDIDATE, number)
    return Account(
        address=address,
        events=_count(reads, number),
        balance=Wei(sums.get("balance", 0)),
        bonds=_bonds(reads, number),
        earned=Earned(
            settled=Wei(sums.get("settled", 0)),
            claimed=Wei(sums.get("claimed", 0)),
            credited=Wei(sums.get("credited", 0)),
            withdrawn=Wei(sums.get("withdrawn", 0)),
            federated=Wei(sums.get("federated", 0)),
        ),
        slashes=_slashes_of(reads, number, address, limit),
        orders=_orders(reads, number, address, limit),
        disputes=tuple(_parts(reads, number, "dispute", limit)),
        requests=tuple(_parts(reads, number, "request", limit)),
        tasks=tuple(TaskId(task) for task in _parts(reads, number, "task", limit)),
        candidate_stake=Wei(0) if candidate is None else candidate.stake,
        is_member=_is_member(reads, address),
        endpoint=None if candidate is None else candidate.endpoint,
        gas=sums.get("gas", 0),
        fee=Wei(sums.get("fee", 0)),
    )


def read_slashes(reads: Reads, before: int | None, limit: int) -> Page[SlashRow]:
    """Stake that was taken from anybody, the newest first."""
    kind = reads.decoder.kind_of["StakeVault", "Slashed"]
    values = (kind, ALL if before is None else before)
    found = list(reads.events("e.kind = ? AND e.seq < ?", values, limit=limit + 1, newest_first=True))
    rows = tuple(_slash(event) for event in found[:limit])
    return Page(rows, rows[-1].seq if len(found) > limit else None)


def _count(reads: Reads, number: int) -> int:
    query = "SELECT COUNT(*) FROM event_accounts WHERE account = ?"
    return int(reads.connection.execute(query, (number,)).fetchone()[0])


def _bonds(reads: Reads, number: int) -> tuple[BondRow, ...]:
    rows: list[tuple[int, BondState]] = reads.states(
        BOND, "key BETWEEN ? AND ?", (number * ROLES, number * ROLES + ROLES - 1)
    )
    return tuple(
        BondRow(bond_role(key), bond.bonded, bond.locked, bond.exiting, bond.exit_at, bond.slashed)
        for key, bond in rows
    )


def _slashes_of(reads: Reads, number: int, address: ChecksumAddress, limit: int) -> tuple[SlashRow, ...]:
    """Taken from the account, or paid to it."""
    kind = reads.decoder.kind_of["StakeVault", "Slashed"]
    condition = "e.kind = ? AND e.seq IN (SELECT seq FROM event_accounts WHERE account = ?)"
    found = reads.events(condition, (kind, number), limit=limit, newest_first=True)
    rows = (_slash(event) for event in found)
    return tuple(row for row in rows if address in (row.account, row.beneficiary))


def _slash(event: EventRow) -> SlashRow:
    said = event.arguments
    beneficiary = said["beneficiary"]
    return SlashRow(
        seq=event.seq,
        at=Seconds(event.at),
        tx=event.tx,
        account=said["account"],
        role=Role(said["role"]),
        amount=Wei(said["amount"]),
        beneficiary=None if beneficiary == NOBODY else beneficiary,
        paid=Wei(said["paid"]),
        burned=Wei(said["burned"]),
        oid=event.oid,
        task=event.task,
    )


def _parts(reads: Reads, number: int, thing: str, limit: int) -> list[int]:
    query = "SELECT DISTINCT number FROM parts WHERE account = ? AND thing = ? ORDER BY number DESC LIMIT ?"
    return [each for (each,) in reads.connection.execute(query, (number, thing, limit))]


def _orders(reads: Reads, number: int, address: ChecksumAddress, limit: int) -> tuple[Part, ...]:
    query = "SELECT DISTINCT role FROM parts WHERE account = ? AND thing = 'order' AND number = ? ORDER BY role"
    found = []
    for oid in _parts(reads, number, "order", limit):
        roles = tuple(role for (role,) in reads.connection.execute(query, (number, oid)))
        state: OrderState | None = reads.state(ORDER, oid)
        seal = None if state is None else state.seal
        earned = 0 if seal is None else sum(each.amount for each in seal.payouts if each.account == address)
        found.append(Part(OrderId(oid), roles, Wei(earned)))
    return tuple(found)


def _is_member(reads: Reads, address: ChecksumAddress) -> bool:
    newest = reads.states(EPOCH, limit=1, newest_first=True)
    return bool(newest) and address in newest[0][1].members and address not in newest[0][1].slashed

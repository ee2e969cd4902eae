"""Totals of the whole deployment: kept sums, and counts of what time alone moves on."""

import json
from collections import Counter
from collections.abc import Mapping
from threading import Lock

from offchain.chain.enums import Outcome, Role, Verdict
from offchain.explorer.index.folds.stake import ParametersState
from offchain.explorer.index.reads import Reads
from offchain.explorer.index.rows import Network, ParametersRow, Standing
from offchain.explorer.index.rows_orders import ActionGas, GasRow
from offchain.explorer.index.shelves import NETWORK, ROLES
from offchain.explorer.index.things import PARAMETERS
from offchain.protocol.lifecycle import Facts, Phase, Windows, phase_at
from offchain.types import Seconds, Wei


def read_standing(reads: Reads) -> Standing:
    """How far the index is."""
    place, head = reads.note("place"), reads.note("head") or {}
    if place is None:
        return Standing(-1, 0, 0, False, 0, -1, bytes(32), Seconds(0), -1)
    newest = reads.connection.execute("SELECT MAX(seq) FROM events").fetchone()[0]
    return Standing(
        block=place["position"] - 1,
        events=reads.sums(NETWORK).get("events", 0),
        seq=newest or 0,
        caught_up=bool(head.get("caught_up", False)),
        revision=place["revision"],
        head=head.get("number", -1),
        head_hash=bytes.fromhex(head.get("hash", "00" * 32)),
        head_at=Seconds(head.get("at", 0)),
        final_block=head.get("final", -1),
    )


class PhaseCounts:
    """Open orders by phase, counted once for each moment and state of the index."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: tuple[tuple[int, int], Mapping[Phase, int]] | None = None

    def at(self, reads: Reads, now: int) -> Mapping[Phase, int]:
        """Phases of orders that have not ended."""
        place = reads.note("place")
        moment = (0 if place is None else place["revision"], now)
        with self._lock:
            known = self._known
        if known is not None and known[0] == moment:
            return known[1]
        found: Counter[Phase] = Counter()
        for (text,) in reads.connection.execute("SELECT brief FROM orders WHERE open = 1"):
            brief = json.loads(text)
            found[phase_at(Windows(*brief[1]), Facts(*brief[2]), now)] += 1
        with self._lock:
            self._known = (moment, found)
        return found


def read_network(reads: Reads, now: int, phases: PhaseCounts) -> Network:
    """Totals."""
    sums = reads.sums(NETWORK)

    def get(name: str) -> int:
        return sums.get(name, 0)

    def wei(name: str) -> Wei:
        return Wei(get(name))

    outcomes = {outcome: get(f"outcome {int(outcome)}") for outcome in Outcome}
    by_phase = Counter(phases.at(reads, now))
    by_phase[Phase.SEALED] = sum(outcomes.values())
    by_phase[Phase.CANCELLED] = get("cancelled")
    return Network(
        now=Seconds(now),
        orders=get("orders"),
        phases={phase: by_phase[phase] for phase in Phase if by_phase[phase]},
        outcomes={outcome: count for outcome, count in outcomes.items() if count},
        escrow=wei("escrow"),
        rewards_put=wei("rewards put"),
        stakes=_by_role(sums, "bonded"),
        locked=_by_role(sums, "locked"),
        accounts=_active(reads),
        slashed=wei("slashed"),
        slashed_paid=wei("slashed paid"),
        burned=wei("burned"),
        held=_balance(reads, "RewardTreasury"),
        paid=Wei(get("paid") + get("withdrawn")),
        tax=wei("tax"),
        supply=wei("supply"),
        disputes=get("disputes"),
        open_disputes=get("open disputes"),
        verdicts={verdict: get(f"verdict {int(verdict)}") for verdict in Verdict if get(f"verdict {int(verdict)}")},
        requests=get("requests"),
        open_requests=get("open requests"),
        tasks=get("tasks"),
        open_tasks=get("open tasks"),
        games=get("games"),
        events=get("events"),
        transactions=get("transactions"),
        gas=get("gas"),
        fee=wei("fee"),
        gas_transactions=get("gas transactions"),
    )


def read_gas(reads: Reads) -> GasRow:
    """Gas of all transactions, the most first."""
    sums = reads.sums(NETWORK)
    prefix = "gas of "
    actions = [
        ActionGas(name, sums.get(f"count of {name}", 0), gas, Wei(sums.get(f"fee of {name}", 0)))
        for name, gas in ((key[len(prefix) :], value) for key, value in sums.items() if key.startswith(prefix))
    ]
    actions.sort(key=lambda action: -action.gas)
    missing = sums.get("transactions", 0) - sums.get("gas transactions", 0)
    return GasRow(sums.get("gas", 0), Wei(sums.get("fee", 0)), missing, tuple(actions))


def read_parameters(reads: Reads) -> ParametersRow | None:
    """The parameters in force."""
    state: ParametersState | None = reads.state(PARAMETERS, 0)
    if state is None or state.parameters is None:
        return None
    return ParametersRow(state.parameters, state.since, state.tx, state.owner)


def _by_role(sums: Mapping[str, int], what: str) -> Mapping[Role, Wei]:
    return {role: Wei(sums[f"{what} {int(role)}"]) for role in Role if sums.get(f"{what} {int(role)}")}


def _balance(reads: Reads, contract: str) -> Wei:
    """Tokens that a contract has."""
    number = reads.number_of(reads.decoder.address_of[contract])
    return Wei(0 if number is None else reads.sums(number).get("balance", 0))


def _active(reads: Reads) -> Mapping[Role, int]:
    """Accounts with a bond, by role."""
    query = f"SELECT key % {ROLES}, COUNT(*) FROM bonds WHERE open = 1 GROUP BY 1"
    return {Role(role): count for role, count in sorted(reads.connection.execute(query).fetchall())}

"""Bonds by account and role, and the parameters."""

from dataclasses import dataclass, replace

from eth_typing import ChecksumAddress

from offchain.chain.views import ProtocolParameters
from offchain.explorer.index.rows import EventRow
from offchain.types import Seconds, Wei

ZERO = Wei(0)
NEVER = Seconds(0)


@dataclass(frozen=True, slots=True)
class BondState:
    """As the vault keeps it; `slashed`: ever taken."""

    bonded: Wei = ZERO
    locked: Wei = ZERO
    exiting: Wei = ZERO
    exit_at: Seconds = NEVER
    slashed: Wei = ZERO


NO_BOND = BondState()


def fold_bond(state: BondState | None, event: EventRow) -> BondState:
    """The bond after an event of StakeVault about its account and role."""
    bond, said = state or NO_BOND, event.arguments
    match event.name:
        case "Bonded":
            return replace(bond, bonded=Wei(said["bonded"]))
        case "ExitCancelled":
            return replace(bond, bonded=Wei(said["bonded"]), exiting=Wei(0), exit_at=Seconds(0))
        case "ExitRequested":
            exiting, exit_at = Wei(said["exiting"]), Seconds(said["exitAt"])
            return replace(bond, bonded=Wei(bond.bonded - said["amount"]), exiting=exiting, exit_at=exit_at)
        case "Withdrawn":
            return replace(bond, exiting=Wei(0), exit_at=Seconds(0))
        case "Locked" | "Unlocked":
            return replace(bond, locked=Wei(said["locked"]))
        case "Slashed":
            return _slashed(bond, said["amount"], from_lock=said["fromLock"])
        case _:
            return bond


def _slashed(bond: BondState, amount: int, *, from_lock: bool) -> BondState:
    slashed = Wei(bond.slashed + amount)
    if from_lock:
        return replace(bond, bonded=Wei(bond.bonded - amount), locked=Wei(bond.locked - amount), slashed=slashed)
    # What is free goes first, then what is on its way out (StakeVault.slashFree).
    free = min(amount, bond.bonded - bond.locked)
    exiting = Wei(bond.exiting - (amount - free))
    return replace(bond, bonded=Wei(bond.bonded - free), exiting=exiting, slashed=slashed)


@dataclass(frozen=True, slots=True)
class ParametersState:
    """The parameters in force, since when, by which transaction; `owner`: who may change them."""

    parameters: ProtocolParameters | None = None
    since: Seconds = NEVER
    tx: bytes = b""
    owner: ChecksumAddress | None = None


def fold_parameters(state: ParametersState | None, event: EventRow) -> ParametersState:
    """The parameters after an event of Parameters."""
    now = state or ParametersState()
    match event.name:
        case "ParametersChanged":
            return replace(now, parameters=event.arguments["parameters"], since=event.at, tx=event.tx)
        case "OwnershipTransferred":
            return replace(now, owner=event.arguments["newOwner"])
        case _:
            return now

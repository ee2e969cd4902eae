"""Changing the parameters in force: through the timelock that owns them, or directly where an account does.

Everything is read from the chain. An operation is found through the timelock's own list (`operationAt`), which names
the block that holds its event.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

from eth_abi.exceptions import DecodingError
from eth_typing import ChecksumAddress
from eth_utils.abi import function_abi_to_4byte_selector
from web3.contract import Contract
from web3.contract.contract import ContractFunction

from offchain.chain.abi import decode_outputs
from offchain.chain.artifacts import TIMELOCK, load_artifact
from offchain.chain.contracts import AssayContracts
from offchain.chain.event_decoder import EventDecoder
from offchain.chain.terms import NOBODY
from offchain.chain.views import ProtocolParameters, decode, encode
from offchain.errors import Rejected, Retryable
from offchain.types import Seconds

NOTHING_BEFORE = bytes(32)
FIELDS = tuple(field.name for field in fields(ProtocolParameters))
AT_ONCE = 500
"""Operations whose states are asked for at once. All are: newer ones must not hide one that waits."""


class OperationState(IntEnum):
    """Of OpenZeppelin's TimelockController."""

    UNSET = 0
    WAITING = 1
    READY = 2
    DONE = 3


@dataclass(frozen=True, slots=True)
class Operation:
    """An open operation of the timelock as scheduled: its first call, and how many `calls` it has.

    `parameters` are those that it sets, None when it does something else. It can be executed from `ready_at` on.
    """

    id: bytes
    target: ChecksumAddress
    value: int
    data: bytes
    predecessor: bytes
    salt: bytes
    calls: int
    ready_at: Seconds
    state: OperationState
    parameters: ProtocolParameters | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One parameter: what is in force, and what would be."""

    name: str
    present: int
    proposed: int


def differences(present: ProtocolParameters, proposed: ProtocolParameters) -> tuple[Difference, ...]:
    """Where they differ, in the order of the fields."""
    pairs = [(name, getattr(present, name), getattr(proposed, name)) for name in FIELDS]
    return tuple(Difference(*pair) for pair in pairs if pair[1] != pair[2])


def owner_of(contracts: AssayContracts) -> ChecksumAddress:
    """Who owns the parameters."""
    owner: ChecksumAddress = contracts.read(contracts.parameters.functions.owner())
    return owner


def timelock_of(contracts: AssayContracts) -> Contract | None:
    """The timelock that owns the parameters; None when another account does."""
    timelock = contracts.timelock
    return timelock if timelock is not None and timelock.address == owner_of(contracts) else None


def set_call(contracts: AssayContracts, parameters: ProtocolParameters) -> ContractFunction:
    """The call that replaces all parameters, after trying it as their owner.

    Raises ContractRejected (ParameterOutOfBounds): better now than after a delay.
    """
    call = contracts.parameters.functions.setParameters(encode(parameters))
    query = {"from": owner_of(contracts), "to": call.address, "data": call._encode_transaction_data()}
    answer = contracts.client.batch([("eth_call", [query, "latest"])])[0]
    if not isinstance(answer, str):
        raise contracts.client.failure(answer, "setParameters", "Parameters")
    return call


def schedule_call(contracts: AssayContracts, timelock: Contract, parameters: ProtocolParameters) -> ContractFunction:
    """The call that schedules new parameters with the timelock's own delay.

    The number of operations so far is its salt, so that the same parameters can be scheduled again later. Raises
    Rejected when an open operation sets the same, ContractRejected when they are out of their bounds.
    """
    for operation in open_operations(contracts, timelock):
        if operation.parameters == parameters:
            raise Rejected(f"operation 0x{operation.id.hex()} sets the same already; wait for it or cancel it")
    data = set_call(contracts, parameters)._encode_transaction_data()
    count, delay = contracts.read_many([timelock.functions.operationCount(), timelock.functions.getMinDelay()])
    salt = int(count).to_bytes(32, "big")
    return timelock.functions.schedule(contracts.parameters.address, 0, data, NOTHING_BEFORE, salt, delay)


def execute_call(timelock: Contract, operation: Operation) -> ContractFunction:
    """The call that executes an operation. Raises Rejected for a batch."""
    if operation.calls != 1:
        raise Rejected(f"operation 0x{operation.id.hex()} is a batch of {operation.calls} calls: not ours to execute")
    return timelock.functions.execute(
        operation.target, operation.value, operation.data, operation.predecessor, operation.salt
    )


def chosen_operation(operations: Sequence[Operation], wanted: str | None) -> Operation:
    """The open operation whose id begins with `wanted` (hex), or the only one there is. Raises Rejected."""
    prefix = (wanted or "").lower().removeprefix("0x")
    found = [operation for operation in operations if operation.id.hex().startswith(prefix)]
    if len(found) == 1:
        return found[0]
    if not operations:
        raise Rejected("no operation is open; see `assay parameters show`")
    ids = ", ".join(f"0x{operation.id.hex()[:8]}…" for operation in operations)
    raise Rejected(f"{wanted or 'ID'}: name one of the open operations: {ids}")


def require_ready(operation: Operation, now: Seconds) -> None:
    """Raises Retryable while the operation's delay is not over."""
    if operation.state is OperationState.WAITING:
        raise Retryable(
            f"operation 0x{operation.id.hex()} is ready in {operation.ready_at - now} seconds; try again then"
        )


def require_role(contracts: AssayContracts, timelock: Contract, role: str, account: ChecksumAddress) -> None:
    """Raises Rejected unless the account has this role ("PROPOSER_ROLE") in the timelock, or everybody has it."""
    digest = contracts.read(timelock.functions[role]())
    answers = contracts.read_many([timelock.functions.hasRole(digest, who) for who in (account, NOBODY)])
    if not any(answers):
        raise Rejected(f"{account} is no {role.removesuffix('_ROLE').lower()} of the timelock {timelock.address}")


def open_operations(contracts: AssayContracts, timelock: Contract) -> tuple[Operation, ...]:
    """What waits or is ready, oldest first."""
    count = int(contracts.read(timelock.functions.operationCount()))
    listed: list[Any] = []
    states: list[int] = []
    for first in range(0, count, AT_ONCE):
        part = range(first, min(first + AT_ONCE, count))
        found = contracts.read_many([timelock.functions.operationAt(index) for index in part])
        states += contracts.read_many([timelock.functions.getOperationState(identity) for identity, _ in found])
        listed += found
    open_states = (OperationState.WAITING, OperationState.READY)
    # One that was cancelled and scheduled again is listed twice.
    standing = {bytes(identity): (block, state) for (identity, block), state in zip(listed, states, strict=True)}
    return tuple(
        _read(contracts, timelock, identity, block, OperationState(state))
        for identity, (block, state) in standing.items()
        if state in open_states
    )


def _read(
    contracts: AssayContracts, timelock: Contract, identity: bytes, block: int, state: OperationState
) -> Operation:
    client = contracts.client
    topics = [None, "0x" + identity.hex()]
    window = {"address": timelock.address, "fromBlock": hex(block), "toBlock": hex(block), "topics": topics}
    decoder = EventDecoder({timelock.address: (TIMELOCK, load_artifact(TIMELOCK).abi)})
    events = [event for log in client.request("eth_getLogs", window) if (event := decoder.decode(log)) is not None]
    calls = [event.arguments for event in events if event.name == "CallScheduled"]
    if not calls:
        raise Retryable(f"{client.endpoint} has no log of operation 0x{identity.hex()} in block {block} yet; try again")
    salts = [event.arguments["salt"] for event in events if event.name == "CallSalt"]
    return Operation(
        id=identity,
        target=calls[0]["target"],
        value=calls[0]["value"],
        data=calls[0]["data"],
        predecessor=calls[0]["predecessor"],
        salt=salts[0] if salts else bytes(32),
        calls=len(calls),
        ready_at=Seconds(contracts.read(timelock.functions.getTimestamp(identity))),
        state=state,
        parameters=_parameters(contracts, calls),
    )


def _parameters(contracts: AssayContracts, calls: Sequence[Mapping[str, Any]]) -> ProtocolParameters | None:
    """The parameters that an operation sets, if that is all it does."""
    entry: Any = next(entry for entry in load_artifact("Parameters").abi if entry.get("name") == "setParameters")
    data, selector = calls[0]["data"], function_abi_to_4byte_selector(entry)
    if len(calls) > 1 or calls[0]["target"] != contracts.parameters.address or not data.startswith(selector):
        return None
    try:
        return decode(ProtocolParameters, decode_outputs(entry["inputs"], data[4:]))
    except DecodingError:
        return None

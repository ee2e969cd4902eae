"""A request for data made by hand: ask for a leaf, wait for the answer, void what nobody shows in time."""

import secrets

from offchain.chain.availability import Asked, Availability, of_order
from offchain.chain.errors import ContractRejected
from offchain.dispute.requests import Request, RequestStatus, Target, describe_target, is_of_test
from offchain.errors import Bug, Rejected
from offchain.protocol.lifecycle import Phase, phase_at
from offchain.roles.context import RoleContext
from offchain.roles.funding import require_verifier_bond
from offchain.types import OrderId

CONTESTABLE = frozenset({Phase.SCORE_COMMIT, Phase.SCORE_REVEAL, Phase.CHALLENGE})


def requests_of(court: Availability, oid: OrderId) -> tuple[Asked, ...]:
    """What was asked for in one order, in order. Raises Retryable."""
    return of_order(court.look(), oid)


def ask(context: RoleContext, court: Availability, target: Target) -> int:
    """Asks for a leaf and waits until that is final; the request's number.

    Somebody's request for the same leaf does as well: its number. Raises Rejected, naming the flag, when it cannot be
    asked for; ContractRejected when the court refuses.
    """
    known = court.asked_as(target)
    if known:
        return known
    _check_time(context, target)
    _check_there(context, target)
    _check_bond(context, target)
    try:
        receipt = context.sender.send(f"request:{target.oid}:{secrets.token_hex(8)}", court.request(target))
    except ContractRejected as error:
        if error.name == "AlreadyAsked":
            return int(error.arguments["id"])
        raise
    events = [court.decoder.decode(log) for log in receipt.logs]
    asked = next((event for event in events if event is not None and event.name == "Requested"), None)
    if asked is None:
        raise Bug("a request was made without its event")
    return int(asked.arguments["id"])


def see_through(context: RoleContext, court: Availability, number: int) -> Request:
    """Waits until the request is answered, and ends it itself when its time is up; how it stands then."""
    while True:
        asked = court.request_of(number)
        if asked.status is not RequestStatus.OPEN:
            return asked
        void = _is_void(context, asked.target)
        if void or context.client.now() >= asked.deadline:
            _end(context, court, number, void=void)
            continue
        context.sleep(context.client.network.poll_seconds)


def _end(context: RoleContext, court: Availability, number: int, *, void: bool) -> None:
    call = court.dismiss(number) if void else court.expire(number)
    try:
        context.sender.send(f"{'dismiss-request' if void else 'expire'}:{number}:{secrets.token_hex(8)}", call)
    except ContractRejected as error:
        if error.name not in ("NotOpen", "ModelAlreadyVoid", "TestAlreadyVoid"):
            raise


def _check_time(context: RoleContext, target: Target) -> None:
    contracts, oid, now = context.contracts, target.oid, context.client.now()
    windows = contracts.windows(oid)
    phase = phase_at(windows, contracts.facts(oid), now)
    if phase not in CONTESTABLE:
        raise Rejected(f"order {oid} is {phase.label}; data can be asked for from the end of the reveals to the seal")
    if now >= windows.challenge_end:
        raise Rejected(
            f"order {oid}: its own challenge window is over; in the time that disputes add, nothing is asked"
        )


def _check_there(context: RoleContext, target: Target) -> None:
    contracts, oid = context.contracts, target.oid
    if is_of_test(target):
        if not contracts.test_set(oid).sample_count:
            raise Rejected(f"--test: the client has released no test set for order {oid}")
    else:
        count = len(contracts.models(oid))
        if target.model_index >= count:
            raise Rejected(f"--model {target.model_index}: order {oid} has {count} revealed models, counted from 0")
    if _is_void(context, target):
        what = "--test: the test set" if is_of_test(target) else f"--model {target.model_index}: it"
        raise Rejected(f"{what} is void already, so there is nothing to ask for")


def _check_bond(context: RoleContext, target: Target) -> None:
    contracts = context.contracts
    wanted = contracts.order(target.oid).request_bond
    require_verifier_bond(contracts, context.account, wanted, "a request")


def _is_void(context: RoleContext, target: Target) -> bool:
    functions = context.contracts.proof.functions
    if is_of_test(target):
        return bool(context.contracts.read(functions.isTestVoid(target.oid)))
    return bool(context.contracts.read(functions.isVoid(target.oid, target.model_index)))


def in_words(asked: Request) -> str:
    """What became of a request: one line."""
    match asked.status:
        case RequestStatus.ANSWERED:
            return f"{describe_target(asked.target)}: shown, so the bond went to who showed it"
        case RequestStatus.EXPIRED:
            what = "the test set is void" if is_of_test(asked.target) else f"model {asked.target.model_index} is void"
            return f"{describe_target(asked.target)}: nobody showed it, so {what}; the bond is free"
        case RequestStatus.MOOT:
            return f"{describe_target(asked.target)}: void for another reason meanwhile; the bond is free"
        case _:
            later = f"`assay request-data {asked.target.oid}` tells when it is"
            return f"{describe_target(asked.target)}: not shown yet; {later}"

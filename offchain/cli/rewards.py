"""`assay rewards`, `assay claim-rewards`, `assay refute-root`: what is earned, pulling it, and what nobody earned."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli import options
from offchain.cli.durations import countdown
from offchain.cli.output import console, print_facts, print_json, print_rows, short, tokens
from offchain.cli.session import Session, key_names, known_keys, load_settings, open_session, unlock
from offchain.errors import Rejected
from offchain.types import Wei

if TYPE_CHECKING:
    from eth_typing import ChecksumAddress

    from offchain.chain.rewards import Rewards
    from offchain.chain.sender import Sender
    from offchain.protocol.reward_book import Standing
    from offchain.roles.claiming import RewardSummary


def rewards(
    account: Annotated[
        str | None, typer.Argument(metavar="ACCOUNT", help="A key of yours or an address; by default all your keys.")
    ] = None,
    roots: Annotated[
        bool, typer.Option("--roots", help="Show the roots that stand instead: who signed them, and are they right?")
    ] = False,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """Show what accounts have earned: credited, claimable by a root, pending until its fraud window ends, paid."""
    from offchain.roles.claiming import summarise_rewards

    session = open_session(load_settings(home=home, rpc=rpc), chain_id)
    found, now, names = _read(session), session.client.now(), key_names(session.settings)
    if roots:
        standing = found.book.standing
        if as_json:
            print_json([_root_json(found, root) for root in standing])
            return
        rows = [_root_row(found, root, now, names) for root in standing]
        print_rows(rows, title="Roots of rewards", as_json=False, empty="none")
        return
    if account is not None:
        one = summarise_rewards(session.contracts, found, session.account_called(account, "ACCOUNT"), now)
        facts = one.to_json() if as_json else {"account": one.account, **_amounts(one, now)}
        print_facts(facts, title="Rewards", as_json=as_json)
        return
    own = [summarise_rewards(session.contracts, found, who, now) for who in known_keys(session.settings).values()]
    if as_json:
        print_json([{"key": names[item.account], **item.to_json()} for item in own])
        return
    earning = [item for item in own if item.now or item.pending or item.paid]
    rows = [{"key": names[item.account], **_amounts(item, now)} for item in earning]
    print_rows(rows, title="Rewards of your keys, in tokens", as_json=False, empty="none yet")


def claim_rewards(
    key: options.Key,
    account: Annotated[
        str | None,
        typer.Option("--for", help="Claim for this key or address instead: it gets the tokens, --key pays the gas."),
    ] = None,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Claim the rewards and refunds of a key's account: what is credited to it, and what roots give it.

    A worker that is running has its key for itself: claim for it with another key, `--key OTHER --for WORKER`.
    """
    from offchain.chain.keys import require_key
    from offchain.roles.claiming import claims_of

    settings = load_settings(home=home, rpc=rpc, password_file=password_file)
    require_key(settings.keys, key)
    session = open_session(settings, chain_id)
    beneficiary = session.account_called(account, "--for") if account else known_keys(settings)[key]
    calls = claims_of(session.contracts, _read(session), beneficiary, session.client.now())
    if not calls:
        raise Rejected(_why_nothing(session, beneficiary))
    hint = f"`assay claim-rewards --key OTHER --for {account or key}`"
    with _sender(session, key, f"let another key pay the gas: {hint}") as sender:
        for claim in calls:
            sender.send(f"{claim.what}:{secrets.token_hex(8)}", claim.call)
    console.print(f"{tokens(Wei(sum(claim.amount for claim in calls)))} tokens paid to {account or key}")


def refute_root(
    cycle: Annotated[
        int, typer.Argument(metavar="CYCLE", help="The root's cycle (see `assay rewards --roots`).", min=1)
    ],
    key: options.Key,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Take down a root that gives any account anything but what sealed orders say; its signers lose their stakes.

    One transaction, and a share of the stakes is yours. Aggregators and verifiers that run do it by themselves.
    """
    from offchain.roles.reward_watch import refutation_key

    session = open_session(load_settings(home=home, rpc=rpc, password_file=password_file), chain_id)
    found = _read(session)
    root = _false_root(found, cycle, session.client.now())
    refutation = found.book.refutation_of(root)
    if refutation is None:
        raise Rejected(f"cycle {cycle}: it stands on a false root, refute that; see `assay rewards --roots`")
    with _sender(session, key, "or let another key do it") as sender:
        sender.send(refutation_key(root.statement), found.refute(refutation))
    signers = bin(root.signers).count("1")
    console.print(f"the root of cycle {cycle} fell: step {refutation.step} was false; {signers} signers are slashed")


def _read(session: Session) -> Rewards:
    from offchain.chain.rewards import Rewards

    found = Rewards(session.contracts)
    found.look()
    return found


def _amounts(summary: RewardSummary, now: int) -> dict[str, Any]:
    until = summary.pending_until
    return {
        "credited": tokens(summary.credited),
        "claimable": tokens(summary.claimable),
        "pending": tokens(summary.pending),
        "pending for": "" if until is None else countdown(until - now),
        "paid by roots": tokens(summary.paid),
    }


def _signers(found: Rewards, root: Standing) -> list[ChecksumAddress]:
    committee = found.book.committee(root.statement.epoch)
    members = () if committee is None else committee.members
    return [member for seat, member in enumerate(members) if root.signers >> seat & 1]


def _root_json(found: Rewards, root: Standing) -> dict[str, Any]:
    """For machines: nothing shortened, times in seconds of Unix."""
    return {
        "cycle": root.statement.cycle,
        "up_to": root.statement.up_to,
        "root": "0x" + root.statement.root.hex(),
        "signers": _signers(found, root),
        "effective_at": root.effective_at,
        "state": _state(root),
    }


def _state(root: Standing) -> str:
    if root.is_right:
        return "right"
    return "on a false one" if root.false_step is None else f"FALSE from order {root.orders[root.false_step].oid}"


def _root_row(found: Rewards, root: Standing, now: int, names: Mapping[ChecksumAddress, str]) -> dict[str, Any]:
    statement = root.statement
    signed = [names.get(member, short(member)) for member in _signers(found, root)]
    return {
        "cycle": statement.cycle,
        "orders up to": statement.up_to,
        "root": "0x" + statement.root.hex()[:16],
        "signed by": ", ".join(signed),
        "effective": "yes" if root.effective_at <= now else f"in {countdown(root.effective_at - now)}",
        "state": _state(root),
    }


def _false_root(found: Rewards, cycle: int, now: int) -> Standing:
    """The root of the cycle if it can be refuted. Raises Rejected."""
    root = next((each for each in found.book.standing if each.statement.cycle == cycle), None)
    if root is None:
        raise Rejected(f"cycle {cycle}: no root of it stands that could be refuted; see `assay rewards --roots`")
    if root.is_right:
        raise Rejected(f"cycle {cycle}: its root is right, to the last wei; there is nothing to refute")
    if root.effective_at <= now:
        raise Rejected(f"cycle {cycle}: its fraud window is over")
    return root


def _why_nothing(session: Session, account: ChecksumAddress) -> str:
    from offchain.roles.claiming import summarise_rewards

    now = session.client.now()
    summary = summarise_rewards(session.contracts, _read(session), account, now)
    if summary.pending_until is not None:
        wait = countdown(summary.pending_until - now)
        return f"nothing is credited to {account} yet: {tokens(summary.pending)} tokens can be claimed in {wait}"
    return f"nothing is credited to {account}; orders are paid after they are sealed and settled"


@contextmanager
def _sender(session: Session, key: str, instead: str) -> Iterator[Sender]:
    """The sender of a key; says what to do `instead` when another process has it."""
    from offchain.chain.journal import KeyInUse

    signer = unlock(session.settings, key)
    try:
        sender = session.sender(signer)
    except KeyInUse as error:
        raise KeyInUse(f"--key {key}: another process is using it; stop that, or {instead}") from error
    with closing(sender):
        yield sender

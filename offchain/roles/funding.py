"""Money into the system: approvals, bonds and transfers, each exactly once for its intent."""

from collections.abc import Sequence

from eth_typing import ChecksumAddress

from offchain.amounts import format_wei
from offchain.chain.contracts import AssayContracts
from offchain.chain.enums import Role
from offchain.chain.sending import Intended, Sending
from offchain.chain.transactions import TxCall
from offchain.chain.views import Bond
from offchain.errors import Rejected, Retryable
from offchain.types import Wei


def require_tokens(contracts: AssayContracts, account: ChecksumAddress, amount: Wei, what: str) -> None:
    """Raises Rejected unless `account` holds `amount` wei of the token; `what` says what for."""
    balance = contracts.token_balance(account)
    if balance < amount:
        raise Rejected(
            f"{what} needs {format_tokens(amount)} tokens but {account} has {format_tokens(balance)}; "
            "get more (`assay keys drip` where there is a faucet, `assay keys fund` from who has some) or ask for less"
        )


def require_verifier_bond(contracts: AssayContracts, account: ChecksumAddress, amount: Wei, what: str) -> None:
    """Raises Rejected unless `account` is an active verifier with `amount` wei free; `what` says what locks them."""
    free = contracts.bond(account, Role.VERIFIER).free
    if free < amount:
        raise Rejected(
            f"{account} has {format_tokens(free)} tokens free as verifier but {what} locks {format_tokens(amount)}; "
            "add some with `assay stake add verifier`"
        )
    if not contracts.is_active(account, Role.VERIFIER):
        least = contracts.protocol_parameters().verifier_minimum
        raise Rejected(
            f"{account} has bonded too little to act as verifier, whose bond is {format_tokens(least)} tokens at "
            "least; add some with `assay stake add verifier`"
        )


def format_tokens(amount: Wei) -> str:
    """An amount of wei in tokens, exactly."""
    return format_wei(amount)


def bond(contracts: AssayContracts, sender: Sending, role: Role, amount: Wei, *, intent: str) -> None:
    """Adds `amount` wei to the sender's bond in `role`, with an approval of exactly that; waits until it is final.

    `intent` names this one act: calling again with the same name does nothing. Raises Rejected when the balance is too
    small.
    """
    key = f"bond:{intent}"
    if not sender.knows(key):
        require_tokens(contracts, sender.address, amount, "the bond")
    vault = contracts.vault
    tickets = sender.submit_many(
        [
            Intended(f"approve:{key}", contracts.token.functions.approve(vault.address, amount)),
            Intended(key, vault.functions.bond(int(role), amount)),
        ]
    )
    sender.wait_all(tickets)


def request_exit(contracts: AssayContracts, sender: Sending, role: Role, amount: Wei, *, intent: str) -> Bond:
    """Sends `amount` wei of the free bond to the exit queue; the bond afterwards.

    Raises Rejected when so much is not free.
    """
    free = contracts.bond(sender.address, role).free
    if amount > free:
        raise Rejected(
            f"TOKENS: {format_tokens(amount)} is more than the {format_tokens(free)} tokens of {sender.address} that "
            f"are free as {role.name.lower()}; ask for less, or wait until orders are sealed (see `assay stake show`)"
        )
    sender.send(f"exit:{intent}", contracts.vault.functions.requestExit(int(role), amount))
    return contracts.bond(sender.address, role)


def withdraw(contracts: AssayContracts, sender: Sending, role: Role, *, intent: str) -> Wei:
    """Pays out the exit queue; how much. Raises Rejected when it is empty, Retryable when its delay is not over."""
    leaving = contracts.bond(sender.address, role)
    if leaving.exiting == 0:
        raise Rejected(f"nothing of {sender.address} is leaving as {role.name.lower()}; ask with `assay stake exit`")
    wait = leaving.exit_at - contracts.client.now()
    if wait > 0:
        raise Retryable(
            f"{format_tokens(leaving.exiting)} tokens are leaving, but only in {wait} seconds; try again then"
        )
    sender.send(f"withdraw:{intent}", contracts.vault.functions.withdraw(int(role)))
    return leaving.exiting


def drip(contracts: AssayContracts, sender: Sending, *, intent: str) -> Wei:
    """Asks the faucet for test tokens for the sender's account; how much it gave, once that is final.

    Raises Rejected where there is no faucet, Retryable when it gives this account nothing yet, ContractRejected when it
    is empty.
    """
    if contracts.faucet is None:
        raise Rejected(
            f"the deployment on chain {contracts.client.chain_id} has no faucet: get tokens from who has some "
            "(`assay keys fund NAME --from KEY`)"
        )
    key = f"drip:{intent}"
    if not sender.knows(key):
        wait = contracts.client.call(contracts.faucet.functions.nextDripAt(sender.address)) - contracts.client.now()
        if wait > 0:
            raise Retryable(f"{sender.address} has had its test tokens; the faucet has more for it in {wait} seconds")
    before = contracts.token_balance(sender.address)
    sender.send(key, contracts.faucet.functions.drip())
    return Wei(contracts.token_balance(sender.address) - before)


def fund(
    contracts: AssayContracts, sender: Sending, to: ChecksumAddress, *, amount: Wei, coins: Wei, intent: str
) -> None:
    """See `fund_all`, for one account."""
    fund_all(contracts, sender, [to], amount=amount, coins=coins, intent=intent)


def fund_all(
    contracts: AssayContracts,
    sender: Sending,
    accounts: Sequence[ChecksumAddress],
    *,
    amount: Wei,
    coins: Wei,
    intent: str,
) -> None:
    """Sends `amount` wei of the token and `coins` wei of the chain's coin to each; waits until all of it is final."""
    require_tokens(contracts, sender.address, Wei(amount * len(accounts)), "the transfer")
    calls = []
    for place, to in enumerate(accounts):
        if amount:
            transfer = contracts.token.functions.transfer(to, amount)
            calls.append(Intended(f"tokens:{intent}:{place}", transfer))
        if coins:
            call = TxCall(to, b"", value=coins, label="transfer of coins")
            calls.append(Intended(f"coins:{intent}:{place}", call))
    sender.wait_all(sender.submit_many(calls))

"""Money into the system: approvals, bonds and transfers, each exactly once for its intent."""

from eth_typing import ChecksumAddress

from offchain.chain.contracts import AssayContracts
from offchain.chain.enums import Role
from offchain.chain.sender import Intended, Sender
from offchain.chain.transactions import TxCall
from offchain.errors import Rejected
from offchain.types import Wei


def require_tokens(contracts: AssayContracts, account: ChecksumAddress, amount: Wei, what: str) -> None:
    """Raises Rejected unless `account` holds `amount` wei of the token; `what` says what for."""
    balance = contracts.token_balance(account)
    if balance < amount:
        raise Rejected(
            f"{what} needs {amount / 10**18:g} tokens but {account} has {balance / 10**18:g}; "
            "get more (`assay keys fund` on a development chain) or ask for less"
        )


def bond(contracts: AssayContracts, sender: Sender, role: Role, amount: Wei, *, intent: str) -> None:
    """Adds `amount` wei to the sender's bond in `role`, with an approval of exactly that; waits until it is final.

    `intent` names this one act: calling again with the same name does nothing. Raises Rejected when the balance is too
    small.
    """
    key = f"bond:{intent}"
    if sender.nonce_of(key) is None:
        require_tokens(contracts, sender.address, amount, "the bond")
    vault = contracts.vault
    tickets = sender.submit_many(
        [
            Intended(f"approve:{key}", contracts.token.functions.approve(vault.address, amount)),
            Intended(key, vault.functions.bond(int(role), amount)),
        ]
    )
    sender.wait_all(tickets)


def fund(
    contracts: AssayContracts, sender: Sender, to: ChecksumAddress, *, amount: Wei, coins: Wei, intent: str
) -> None:
    """Sends `amount` wei of the token and `coins` wei of the chain's coin to `to`; waits until both are final."""
    calls = []
    if amount:
        require_tokens(contracts, sender.address, amount, "the transfer")
        calls.append(Intended(f"tokens:{intent}", contracts.token.functions.transfer(to, amount)))
    if coins:
        calls.append(Intended(f"coins:{intent}", TxCall(to, b"", value=coins, label="transfer of coins")))
    sender.wait_all(sender.submit_many(calls))

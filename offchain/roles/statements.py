"""What an account has done in an order, as the messages that tell the aggregators' ledger of it."""

from eth_typing import ChecksumAddress

from offchain.chain.contracts import AssayContracts
from offchain.ledger.membership import parse_address
from offchain.ledger.records.bodies import Body, Claim, Model, Order, Validation
from offchain.protocol.scores import ABSTAIN
from offchain.storage.cid import Cid
from offchain.types import OrderId


def statements(contracts: AssayContracts, oid: OrderId, account: ChecksumAddress) -> list[Body]:
    """The account's order, claim, model and scores, as far as the chain shows them. Raises Retryable.

    In the order in which the ledger takes them. A commitment to scores is none of them: scores are said when they are
    revealed.
    """
    client = parse_address(contracts.order(oid).client)
    said: list[Body] = []
    if client == parse_address(account):
        said.append(order_statement(contracts, oid))
    commitment = contracts.claim(oid, account).commitment
    if any(commitment):
        said.append(Claim(oid, client, commitment))
    models = contracts.models(oid)
    said += [Model(oid, client, m.model_root, str(Cid(m.cid))) for m in models if m.provider == account]
    scores, stake = contracts.scores(oid, account), contracts.sheet(oid, account).v_stake
    return said + [
        Validation(oid, client, models[index].model_root, score, stake)
        for index, score in enumerate(scores)
        if score != ABSTAIN
    ]


def order_statement(contracts: AssayContracts, oid: OrderId) -> Order:
    """An order of the chain. Its link is the manifest's CID."""
    order = contracts.order(oid)
    terms, windows = order.terms, order.windows
    ends = windows.train_end, windows.reveal_end, windows.score_reveal_end, windows.challenge_end
    kind = terms.score_function.name.lower().replace("_", " ")
    return Order(oid, terms.reward, kind, windows.start, *ends, str(Cid(terms.manifest_cid)))

"""What putting an order will cost, measured by the node before anything is sent."""

from dataclasses import dataclass

from eth_account.signers.local import LocalAccount

from offchain.chain.contracts import AssayContracts
from offchain.chain.fees import suggest
from offchain.chain.transactions import as_call
from offchain.chain.views import OrderTerms, encode
from offchain.protocol.permit import permit_message
from offchain.types import Seconds, Wei

PERMIT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class PutEstimate:
    """Gas of the put, and what it costs at most at the present price, in wei of the chain's coin."""

    gas: int
    cost: Wei


def estimate_put(contracts: AssayContracts, account: LocalAccount, terms: OrderTerms) -> PutEstimate:
    """Lets the node run the put with a permit in place of an allowance, so that nothing has to be sent for it.

    Raises ContractRejected, in words, when the contract would refuse the order; Retryable when the node is down.
    """
    client, book, token = contracts.client, contracts.book, contracts.token
    deadline = Seconds(client.now() + PERMIT_SECONDS)
    message = permit_message(
        chain_id=client.chain_id,
        token=token.address,
        owner=account.address,
        spender=book.address,
        value=terms.reward,
        nonce=contracts.read(token.functions.nonces(account.address)),
        deadline=deadline,
    )
    signed = account.sign_typed_data(full_message=message)
    r, s = signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")
    call = as_call(book.functions.putWithPermit(encode(terms), deadline, signed.v, r, s))
    fields = {"from": account.address, "to": call.to, "data": "0x" + call.data.hex()}
    gas = int(client.request("eth_estimateGas", fields, "latest"), 16)
    block = client.request("eth_getBlockByNumber", "latest", False)
    fees = suggest(
        client.network.fees,
        base_fee=int(block.get("baseFeePerGas") or "0x0", 16),
        gas_price=int(client.request("eth_gasPrice"), 16),
    )
    return PutEstimate(gas, Wei(gas * fees.maximum))

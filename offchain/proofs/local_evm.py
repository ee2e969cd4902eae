"""A verifier asked off chain: the very code that a chain would run, in a development chain of one question."""

from collections.abc import Sequence

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from offchain.chain.devnet import Anvil, AnvilOptions
from offchain.chain.errors import ContractRejected, RpcRefused
from offchain.errors import Rejected

AT = "0x00000000000000000000000000000000000a55a9"
GAS = 25_000_000


def ask_verifier(runtime: bytes, function: str, proof: bytes, public: Sequence[int]) -> bool:
    """Whether the verifier with code `runtime` says yes; `public`: four elements; a revert is a no.

    `function`: `verify` or `verifyStep`. Raises Rejected when there is no Anvil.
    """
    with Anvil.start(AnvilOptions(accounts=1)) as anvil:
        data = call_data(function, proof, public)
        call = {"to": AT, "data": "0x" + data.hex(), "gas": hex(GAS)}
        try:
            answer = anvil.client().request("eth_call", call, "latest", {AT: {"code": "0x" + runtime.hex()}})
        except ContractRejected:
            return False
        except RpcRefused as refusal:
            # A call of a precompile with a point that is none takes all the gas that it was given.
            if "gas" not in refusal.reason.lower():
                raise
            return False
    return _is_true(bytes.fromhex(str(answer).removeprefix("0x")))


def call_data(function: str, proof: bytes, public: Sequence[int]) -> bytes:
    """What such a verifier is called with. Values above 2^256 have no place there, so they raise Rejected."""
    if any(not 0 <= value < 2**256 for value in public):
        raise Rejected("a public input is not within 0 .. 2^256 - 1; take the proof as it was published")
    selector = keccak(f"{function}(bytes,uint256,uint256,uint256,uint256)".encode())[:4]
    return selector + encode(["bytes", "uint256", "uint256", "uint256", "uint256"], [proof, *public])


def _is_true(answer: bytes) -> bool:
    try:
        return bool(decode(["bool"], answer)[0])
    except DecodingError:
        return False

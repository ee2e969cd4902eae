"""Compiled contracts that come with the package: ABI and bytecode, so that a user needs no compiler."""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from offchain.chain.errors import ErrorDecoder
from offchain.errors import Rejected

CONTRACTS = (
    "UtilityToken",
    "Parameters",
    "StakeVault",
    "OrderBook",
    "ProofOfTraining",
    "AggregatorCommittee",
    "RewardTreasury",
    "StepVerifier",
    "DisputeCourt",
    "AvailabilityCourt",
    "VerifierRegistry",
    "AccuracyProofs",
    "TrainingProofs",
    "HandoverVerifier",
    "PrivateOrders",
    "FederatedExtension",
    "FederatedAnnex",
    "FederatedTraining",
    "FederatedCourt",
)
"""What every deployment has."""

TIMELOCK, FAUCET = "ParametersTimelock", "TestTokenFaucet"

ALL_CONTRACTS = (TIMELOCK, *CONTRACTS, FAUCET)
"""Besides, what a network's terms may ask for: the timelock is deployed first, for it owns what comes after."""

CIRCUIT_CONTRACTS = ("Groth16Verifier", "Groth16Deployment")
"""What is no part of a deployment: a circuit's verifier, which whoever needs it deploys with its key."""

IMMUTABLE_PLACE = b"\x7f" + bytes(32)  # PUSH32 0: where the constructor writes an immutable


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract. `runtime` has zeros where immutables go."""

    name: str
    abi: tuple[dict[str, Any], ...]
    creation: bytes
    runtime: bytes

    def immutables(self, code: bytes) -> tuple[bytes, ...] | None:
        """The immutables (32 bytes each, in order of place) in `code` if it is this contract, else None."""
        if len(code) != len(self.runtime):
            return None
        values = []
        start = 0
        while (place := self.runtime.find(IMMUTABLE_PLACE, start)) >= 0:
            if code[start : place + 1] != self.runtime[start : place + 1]:
                return None
            end = place + len(IMMUTABLE_PLACE)
            values.append(code[place + 1 : end])
            start = end
        return tuple(values) if code[start:] == self.runtime[start:] else None


@cache
def load_artifact(name: str) -> Artifact:
    """The compiled contract `name`. Raises Rejected when the package lacks it."""
    try:
        text = (resources.files("offchain.chain") / "artifacts" / f"{name}.json").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise Rejected(
            f"the package lacks offchain/chain/artifacts/{name}.json: reinstall it, or run scripts/build_contracts.py"
        ) from error
    fields = json.loads(text)
    return Artifact(
        name=name,
        abi=tuple(fields["abi"]),
        creation=bytes.fromhex(fields["bytecode"].removeprefix("0x")),
        runtime=bytes.fromhex(fields["deployedBytecode"].removeprefix("0x")),
    )


@cache
def load_error_decoder() -> ErrorDecoder:
    """Decodes the custom errors of all contracts."""
    return ErrorDecoder({name: load_artifact(name).abi for name in ALL_CONTRACTS})

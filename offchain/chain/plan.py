"""What a deployment will do, pure: which contracts, where, with which arguments, in which order.

Wiring is immutable, so addresses that come later are predicted from the deployer's nonce.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from eth_abi.abi import encode as abi_encode
from eth_typing import ChecksumAddress
from eth_utils.abi import collapse_if_tuple
from eth_utils.crypto import keccak
from web3.types import Nonce
from web3.utils.address import get_create_address

from offchain.chain.artifacts import CONTRACTS, FAUCET, TIMELOCK, Artifact, load_artifact
from offchain.chain.terms import DeploymentTerms, account_of
from offchain.chain.transactions import TxCall
from offchain.chain.views import encode
from offchain.errors import Bug

WIRES = {
    "token": "UtilityToken",
    "parameters": "Parameters",
    "vault": "StakeVault",
    "orderBook": "OrderBook",
    "proofOfTraining": "ProofOfTraining",
    "committee": "AggregatorCommittee",
    "treasury": "RewardTreasury",
    "verifier": "StepVerifier",
    "court": "DisputeCourt",
    "availability": "AvailabilityCourt",
    "federation": "FederatedTraining",
    "federatedCourt": "FederatedCourt",
    "federatedExtension": "FederatedExtension",
    "federatedAnnex": "FederatedAnnex",
    "registry": "VerifierRegistry",
    "accuracyProofs": "AccuracyProofs",
    "trainingProofs": "TrainingProofs",
    "handoverVerifier": "HandoverVerifier",
    "privateOrders": "PrivateOrders",
}
"""Names of constructor arguments (without the underscore) that are contracts."""

TRANSFER = keccak(text="transfer(address,uint256)")[:4]


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction. `name` is the contract's, at `address` then; None for a call (the faucet's funding)."""

    name: str
    key: str
    call: TxCall
    address: ChecksumAddress | None
    arguments: bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole deployment by one account: `steps` have consecutive nonces from `first_nonce`.

    `words` are the constructor arguments by name, `owner` among them: who will own the parameters.
    """

    terms: DeploymentTerms
    deployer: ChecksumAddress
    first_nonce: int
    steps: tuple[Step, ...]
    words: Mapping[str, Any]

    @property
    def places(self) -> dict[str, ChecksumAddress]:
        """Where each contract will be, in order of deployment."""
        return {step.name: step.address for step in self.steps if step.address is not None}


def contracts_of(terms: DeploymentTerms) -> tuple[str, ...]:
    """The contracts that these terms ask for, in order of deployment: timelock, the protocol's by size, faucet.

    They do not all go into one block, and Anvil forgets a small transaction that comes after a large one which its
    block has no room for; so the smaller ones go first.
    """
    protocol = sorted(CONTRACTS, key=lambda name: len(load_artifact(name).creation))
    first, last = (TIMELOCK,) if terms.has_timelock else (), (FAUCET,) if terms.faucet is not None else ()
    return (*first, *protocol, *last)


def make_plan(terms: DeploymentTerms, deployer: ChecksumAddress, first_nonce: int) -> Plan:
    """The plan of an account whose next nonce is `first_nonce`."""
    names = contracts_of(terms)
    places = {name: get_create_address(deployer, Nonce(first_nonce + index)) for index, name in enumerate(names)}
    words = _words(terms, deployer, places)
    label = _digest(terms, deployer)
    steps = []
    for name in names:
        artifact = load_artifact(name)
        arguments = constructor_arguments(artifact, words)
        call = TxCall(None, artifact.creation + arguments, label=f"deployment of {name}")
        steps.append(Step(name, f"deploy:{label}:{name}", call, places[name], arguments))
    if terms.faucet is not None and terms.faucet.funding:
        data = TRANSFER + abi_encode(["address", "uint256"], [places[FAUCET], terms.faucet.funding])
        call = TxCall(places["UtilityToken"], data, label="funding of the faucet")
        steps.append(Step("funding of the faucet", f"deploy:{label}:funding", call, None, b""))
    return Plan(terms, deployer, first_nonce, tuple(steps), words)


def first_key(terms: DeploymentTerms, deployer: ChecksumAddress) -> str:
    """Idempotency key of the first step, wherever the plan begins: tells whether it was begun before."""
    return make_plan(terms, deployer, 0).steps[0].key


def deployment(artifact: Artifact, words: Mapping[str, Any]) -> TxCall:
    """The creation of a contract whose constructor arguments are looked up in `words` by name."""
    return TxCall(
        None, artifact.creation + constructor_arguments(artifact, words), label=f"deployment of {artifact.name}"
    )


def constructor_arguments(artifact: Artifact, words: Mapping[str, Any]) -> bytes:
    """The ABI-encoded constructor arguments, looked up in `words` by name."""
    types, values = [], []
    for item in constructor_inputs(artifact):
        name = item["name"].strip("_")
        if name not in words:
            raise Bug(f"{artifact.name}: nobody knows its constructor argument {item['name']}")
        types.append(collapse_if_tuple(item))
        values.append(words[name])
    return abi_encode(types, values)


def constructor_inputs(artifact: Artifact) -> list[dict[str, Any]]:
    """The ABI of the constructor's arguments."""
    return next((list(entry["inputs"]) for entry in artifact.abi if entry["type"] == "constructor"), [])


def _words(terms: DeploymentTerms, deployer: ChecksumAddress, places: Mapping[str, ChecksumAddress]) -> dict[str, Any]:
    rules, faucet = terms.governance, terms.faucet
    if terms.holder is None or (rules.owner is None and not terms.has_timelock):
        raise Bug("a plan of terms with open ends: check_terms comes first")
    words: dict[str, Any] = {
        "owner": places[TIMELOCK] if terms.has_timelock else account_of(str(rules.owner), deployer),
        "holder": account_of(terms.holder, deployer),
        "supply": terms.supply,
        "initial": encode(terms.protocol),
        "delay": rules.delay_seconds,
    }
    for role in ("proposers", "cancellers", "executors"):
        words[role] = [account_of(word, deployer) for word in getattr(rules, role)]
    if faucet is not None:
        words |= {"dripAmount": faucet.drip, "dripPeriod": faucet.period_seconds, "dripLimit": faucet.limit}
    return words | {wire: places[name] for wire, name in WIRES.items()}


def _digest(terms: DeploymentTerms, deployer: ChecksumAddress) -> str:
    """Tells plans apart: the same terms, code and account go on where they stopped, others begin anew."""
    codes = b"".join(keccak(load_artifact(name).creation) for name in contracts_of(terms))
    return keccak(codes + repr((deployer, asdict(terms))).encode())[:6].hex()

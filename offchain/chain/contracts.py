"""Typed access to the contracts of one deployment: web3 objects to build calls, and reads as dataclasses."""

from collections.abc import Iterable, Sequence
from typing import Any

from eth_typing import ChecksumAddress
from web3.contract import Contract
from web3.contract.contract import ContractFunction

from offchain.chain.addresses import Addresses
from offchain.chain.artifacts import FAUCET, TIMELOCK, load_artifact, load_error_decoder
from offchain.chain.client import ChainClient
from offchain.chain.enums import Phase, Role
from offchain.chain.views import (
    Bond,
    Claim,
    Facts,
    Holding,
    Model,
    Order,
    OrderTerms,
    Payout,
    Proposal,
    ProtocolParameters,
    ScoreSheet,
    Settlement,
    Tally,
    TestSet,
    Windows,
    decode,
    encode,
)
from offchain.types import CidDigest, Commitment, OrderId, Root, Salt, Seconds, Wei

__all__ = ["AssayContracts", "load_artifact", "load_error_decoder"]


class AssayContracts:
    """The contracts at `addresses`.

    The attributes from `token` to `federated_court` are web3 contract objects; so are `timelock` and `faucet`, or None
    where the deployment has none. Methods named like nouns read; those that return a ContractFunction only build the
    call, for `Sender`. Reads raise ContractRejected (an unknown order, say) and Retryable.
    """

    def __init__(self, client: ChainClient, addresses: Addresses) -> None:
        self.client = client
        self.addresses = addresses
        self.token = self._bind("UtilityToken")
        self.parameters = self._bind("Parameters")
        self.vault = self._bind("StakeVault")
        self.book = self._bind("OrderBook")
        self.proof = self._bind("ProofOfTraining")
        self.committee = self._bind("AggregatorCommittee")
        self.treasury = self._bind("RewardTreasury")
        self.verifier = self._bind("StepVerifier")
        self.court = self._bind("DisputeCourt")
        self.availability = self._bind("AvailabilityCourt")
        self.federation = self._bind("FederatedTraining")
        self.federated_court = self._bind("FederatedCourt")
        self.registry = self._bind("VerifierRegistry")
        self.accuracy_proofs = self._bind("AccuracyProofs")
        self.training_proofs = self._bind("TrainingProofs")
        self.handover_verifier = self._bind("HandoverVerifier")
        self.private_orders = self._bind("PrivateOrders")
        self.timelock = self._bind(TIMELOCK) if TIMELOCK in addresses.contracts else None
        self.faucet = self._bind(FAUCET) if FAUCET in addresses.contracts else None

    def _bind(self, name: str) -> Contract:
        return self.client.web3.eth.contract(address=self.addresses.of(name), abi=load_artifact(name).abi)

    def read(self, function: ContractFunction) -> Any:
        """Result of any read function, with errors in words."""
        return self.client.call(function, contract=self.addresses.contract_at(function.address))

    def read_many(self, functions: Sequence[ContractFunction]) -> list[Any]:
        """Results of several read functions in one round trip, as web3 gives them (`views.decode` types structs)."""
        return self.client.call_many(functions)

    # Parameters and token

    def protocol_parameters(self) -> ProtocolParameters:
        """The parameters in force."""
        return decode(ProtocolParameters, self.read(self.parameters.functions.current()))

    def challenge_stake(self) -> Wei:
        """That parameter alone: to read and decode all of them costs several times as much."""
        return Wei(self.read(self.parameters.functions.challengeStake()))

    def token_balance(self, account: ChecksumAddress) -> Wei:
        """Balance of the utility token."""
        return Wei(self.read(self.token.functions.balanceOf(account)))

    def token_supply(self) -> Wei:
        """Total supply of the utility token; it only shrinks."""
        return Wei(self.read(self.token.functions.totalSupply()))

    def allowance(self, owner: ChecksumAddress, spender: ChecksumAddress) -> Wei:
        """What `spender` may take from `owner`."""
        return Wei(self.read(self.token.functions.allowance(owner, spender)))

    # Stakes

    def bond(self, account: ChecksumAddress, role: Role) -> Bond:
        """The account's bond in a role; zeros when it has none."""
        return decode(Bond, self.read(self.vault.functions.bondOf(account, int(role))))

    def is_active(self, account: ChecksumAddress, role: Role) -> bool:
        """Whether the bond reaches the role's minimum."""
        return bool(self.read(self.vault.functions.isActive(account, int(role))))

    # Orders

    def order_count(self) -> int:
        """Orders so far; their ids are 1 to this."""
        return int(self.read(self.book.functions.orderCount()))

    def order(self, oid: OrderId) -> Order:
        """An order as put. Raises ContractRejected (UnknownOrder)."""
        return decode(Order, self.read(self.book.functions.getOrder(oid)))

    def orders(self, oids: Iterable[OrderId]) -> list[Order]:
        """Several orders in one round trip. Raises like `order`."""
        return [decode(Order, found) for found in self.read_many([self.book.functions.getOrder(oid) for oid in oids])]

    def windows(self, oid: OrderId) -> Windows:
        """An order's times."""
        return decode(Windows, self.read(self.book.functions.windowsOf(oid)))

    def test_set(self, oid: OrderId) -> TestSet:
        """The released test set."""
        return decode(TestSet, self.read(self.book.functions.testSetOf(oid)))

    def is_cancelled(self, oid: OrderId) -> bool:
        """Whether the client took the order back."""
        return bool(self.read(self.book.functions.isCancelled(oid)))

    def escrow(self, oid: OrderId) -> Wei:
        """What is still escrowed for the order."""
        return Wei(self.read(self.book.functions.escrowOf(oid)))

    def total_escrow(self) -> Wei:
        """What is escrowed for all orders."""
        return Wei(self.read(self.book.functions.totalEscrow()))

    # Proof of training

    def phase(self, oid: OrderId) -> Phase:
        """The order's phase at the latest block."""
        return Phase(self.read(self.proof.functions.phaseOf(oid)))

    def facts(self, oid: OrderId) -> Facts:
        """What besides the clock decides the phase."""
        return decode(Facts, self.read(self.proof.functions.factsOf(oid)))

    def claim(self, oid: OrderId, provider: ChecksumAddress) -> Claim:
        """The provider's claim."""
        return decode(Claim, self.read(self.proof.functions.claimOf(oid, provider)))

    def claimants(self, oid: OrderId) -> tuple[ChecksumAddress, ...]:
        """Providers with a claim."""
        return tuple(self.read(self.proof.functions.claimantsOf(oid)))

    def models(self, oid: OrderId) -> tuple[Model, ...]:
        """Revealed models by model index."""
        return tuple(decode(Model, item) for item in self.read(self.proof.functions.modelsOf(oid)))

    def validators(self, oid: OrderId) -> tuple[ChecksumAddress, ...]:
        """Validators with committed scores."""
        return tuple(self.read(self.proof.functions.validatorsOf(oid)))

    def sheet(self, oid: OrderId, validator: ChecksumAddress) -> ScoreSheet:
        """The validator's sheet."""
        return decode(ScoreSheet, self.read(self.proof.functions.sheetOf(oid, validator)))

    def scores(self, oid: OrderId, validator: ChecksumAddress) -> tuple[int, ...]:
        """The validator's revealed scores by model index; empty until then."""
        return tuple(self.read(self.proof.functions.scoresOf(oid, validator)))

    def is_removed(self, oid: OrderId, validator: ChecksumAddress, model_index: int) -> bool:
        """Whether this validation was removed: by the court, or because the model is void."""
        return bool(self.read(self.proof.functions.isRemoved(oid, validator, model_index)))

    def is_live(self, oid: OrderId, validator: ChecksumAddress, model_index: int) -> bool:
        """Whether this validation counts."""
        return bool(self.read(self.proof.functions.isLive(oid, validator, model_index)))

    def is_void(self, oid: OrderId, model_index: int) -> bool:
        """Whether nobody could post the model's data."""
        return bool(self.read(self.proof.functions.isVoid(oid, model_index)))

    def is_test_void(self, oid: OrderId) -> bool:
        """Whether nobody could post the test set's data."""
        return bool(self.read(self.proof.functions.isTestVoid(oid)))

    def tally(self, oid: OrderId, model_index: int) -> Tally:
        """What the live validations of a model say."""
        return decode(Tally, self.read(self.proof.functions.tallyOf(oid, model_index)))

    def settlement(self, oid: OrderId) -> Settlement:
        """How the order was settled."""
        return decode(Settlement, self.read(self.proof.functions.settlementOf(oid)))

    # Committee and treasury

    def epoch(self) -> int:
        """The committee's epoch; 0 before the first."""
        return int(self.read(self.committee.functions.epoch()))

    def epoch_ends_at(self) -> Seconds:
        """When the next epoch may start."""
        return Seconds(self.read(self.committee.functions.epochEndsAt()))

    def members(self) -> tuple[ChecksumAddress, ...]:
        """The committee's members."""
        return tuple(self.read(self.committee.functions.members()))

    def candidates(self) -> tuple[ChecksumAddress, ...]:
        """Who offers to be a member."""
        return tuple(self.read(self.committee.functions.candidates()))

    def is_member(self, account: ChecksumAddress) -> bool:
        """Whether the account sits in the committee."""
        return bool(self.read(self.committee.functions.isMember(account)))

    def threshold(self) -> int:
        """How many members must agree."""
        return int(self.read(self.committee.functions.threshold()))

    def candidate_stake(self, account: ChecksumAddress) -> Wei:
        """What the account has locked as a candidate or member."""
        return Wei(self.read(self.committee.functions.stakeOf(account)))

    def holding(self, oid: OrderId) -> Holding:
        """What the treasury holds for a sealed order."""
        return decode(Holding, self.read(self.treasury.functions.holdingOf(oid)))

    def proposal(self, oid: OrderId) -> Proposal:
        """Where the multisig on the order stands."""
        return decode(Proposal, self.read(self.treasury.functions.proposalOf(oid)))

    def has_confirmed(self, oid: OrderId, member: ChecksumAddress) -> bool:
        """Whether the member confirmed the present proposal."""
        return bool(self.read(self.treasury.functions.hasConfirmed(oid, member)))

    def credited(self, account: ChecksumAddress) -> Wei:
        """What the account can claim from the treasury."""
        return Wei(self.read(self.treasury.functions.balanceOf(account)))

    def total_held(self) -> Wei:
        """What the treasury holds for orders that are not settled yet."""
        return Wei(self.read(self.treasury.functions.totalHeld()))

    def total_owed(self) -> Wei:
        """What the treasury owes to all accounts."""
        return Wei(self.read(self.treasury.functions.totalOwed()))

    # Calls with structs (the others are as short on the web3 objects)

    def put(self, terms: OrderTerms) -> ContractFunction:
        """The call that puts an order."""
        return self.book.functions.put(encode(terms))

    def propose(self, oid: OrderId, payouts: Sequence[Payout]) -> ContractFunction:
        """The call that proposes a sealed order's payouts."""
        return self.treasury.functions.propose(oid, [encode(payout) for payout in payouts])

    def execute(self, oid: OrderId, payouts: Sequence[Payout]) -> ContractFunction:
        """The call that credits a sealed order's payouts."""
        return self.treasury.functions.execute(oid, [encode(payout) for payout in payouts])

    def pay_direct(self, oid: OrderId, payouts: Sequence[Payout]) -> ContractFunction:
        """The call that settles an order which the committee left lying."""
        return self.treasury.functions.payDirect(oid, [encode(payout) for payout in payouts])

    def claim_model(self, oid: OrderId, commitment: Commitment) -> ContractFunction:
        """The call that claims a model."""
        return self.proof.functions.claim(oid, commitment)

    def reveal_model(self, oid: OrderId, root: Root, cid: CidDigest, salt: Salt) -> ContractFunction:
        """The call that opens a claim."""
        return self.proof.functions.reveal(oid, root, cid, salt)

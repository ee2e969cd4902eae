// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { AggregatorCommittee } from "../../../contracts/AggregatorCommittee.sol";
import { IOrderBook, OrderTerms } from "../../../contracts/interfaces/IOrderBook.sol";
import { ProtocolParameters } from "../../../contracts/interfaces/IParameters.sol";
import { IProofOfTraining, Outcome, Settlement } from "../../../contracts/interfaces/IProofOfTraining.sol";
import { IRewardTreasury, Payout } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { IStakeVault, Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { Commitments } from "../../../contracts/libraries/Commitments.sol";
import { Phase, Windows } from "../../../contracts/libraries/Lifecycle.sol";
import { ScoreFunction } from "../../../contracts/libraries/ScoreFunctions.sol";
import { Lifecycle } from "../../../contracts/libraries/Lifecycle.sol";
import { OrderBook } from "../../../contracts/OrderBook.sol";
import { Parameters } from "../../../contracts/Parameters.sol";
import { ProofOfTraining } from "../../../contracts/ProofOfTraining.sol";
import { RewardTreasury } from "../../../contracts/RewardTreasury.sol";
import { StakeVault } from "../../../contracts/StakeVault.sol";
import { UtilityToken } from "../../../contracts/UtilityToken.sol";
import { CourtHarness } from "./CourtHarness.sol";
import { Vm, vm } from "./Vm.sol";

/// @dev A deployment of everything, a purse full of tokens, and short words for what participants do.
abstract contract World {
    uint256 internal constant UNIT = 1 ether;
    uint256 internal constant SUPPLY = 1_000_000_000 * UNIT;
    uint256 internal constant BOND = 10_000 * UNIT;
    uint256 internal constant REWARD = 1_000 * UNIT;
    uint256 internal constant VSTAKE = 20 * UNIT;
    uint32 internal constant SAMPLES = 360;
    uint256 internal constant PPM = 1_000_000;
    bytes32 internal constant SALT = keccak256("salt");
    bytes32 internal constant TEST_ROOT = keccak256("test root");
    bytes32 internal constant TEST_CID = keccak256("test cid");

    UtilityToken internal token;
    Parameters internal parameters;
    StakeVault internal vault;
    OrderBook internal book;
    ProofOfTraining internal proof;
    AggregatorCommittee internal committee;
    RewardTreasury internal treasury;
    CourtHarness internal court;
    CourtHarness internal availability;

    address internal client = actor("client", 0);

    function setUp() public virtual {
        vm.warp(1_000_000);
        _deploy(_parameters());
    }

    function actor(string memory name, uint256 index) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode(name, index)))));
    }

    function provider(uint256 index) internal pure returns (address) {
        return actor("provider", index);
    }

    function validator(uint256 index) internal pure returns (address) {
        return actor("validator", index);
    }

    function aggregator(uint256 index) internal pure returns (address) {
        return actor("aggregator", index);
    }

    function _deploy(ProtocolParameters memory p) internal {
        uint256 nonce = vm.getNonce(address(this));
        address proofAt = vm.computeCreateAddress(address(this), nonce + 4);
        address committeeAt = vm.computeCreateAddress(address(this), nonce + 5);
        address treasuryAt = vm.computeCreateAddress(address(this), nonce + 6);
        address courtAt = vm.computeCreateAddress(address(this), nonce + 7);
        address availabilityAt = vm.computeCreateAddress(address(this), nonce + 8);
        token = new UtilityToken(address(this), SUPPLY);
        parameters = new Parameters(address(this), p);
        vault = new StakeVault(
            token, parameters, proofAt, committeeAt, courtAt, availabilityAt, federationAt(), federatedCourtAt()
        );
        book = new OrderBook(token, parameters, IProofOfTraining(proofAt), treasuryAt);
        proof = new ProofOfTraining(book, vault, IRewardTreasury(treasuryAt), courtAt, availabilityAt);
        committee = new AggregatorCommittee(parameters, vault, treasuryAt);
        treasury = new RewardTreasury(token, parameters, proofAt, committee);
        court = CourtHarness(_newCourt());
        availability = CourtHarness(_newAvailability());
    }

    /// @dev Where tests of federated tasks have them.
    function federationAt() internal virtual returns (address) { }

    function federatedCourtAt() internal virtual returns (address) { }

    /// @dev Tests of the real one put it here; it creates one contract, as does the next.
    function _newCourt() internal virtual returns (address) {
        return address(new CourtHarness(proof, vault));
    }

    function _newAvailability() internal virtual returns (address) {
        return address(new CourtHarness(proof, vault));
    }

    function _parameters() internal pure virtual returns (ProtocolParameters memory) {
        return ProtocolParameters({
            providerMinimum: 100 * UNIT,
            validatorMinimum: 100 * UNIT,
            verifierMinimum: 100 * UNIT,
            aggregatorMinimum: 100 * UNIT,
            claimBond: 50 * UNIT,
            minimumVStake: 10 * UNIT,
            challengeStake: 15 * UNIT,
            requestBond: 3 * UNIT,
            exitDelay: 1 days,
            validatorSharePpm: 200_000,
            aggregatorTaxPpm: 50_000,
            reporterSharePpm: 100_000,
            disputeSharePpm: 500_000,
            moveSeconds: 60,
            stallDelay: 1 days,
            fraudSeconds: 1 hours,
            updateSeconds: 1 hours,
            epochSeconds: 7 days,
            maxMembers: 7,
            maxClaims: 5,
            maxValidators: 4,
            minimumWindow: 1,
            maximumWindow: 30 days,
            minimumReward: 1 * UNIT,
            maxModelBytes: 64 * 2 ** 20,
            maxTensorBytes: 16 * 2 ** 20
        });
    }

    function _terms() internal view virtual returns (OrderTerms memory) {
        return OrderTerms({
            reward: REWARD,
            manifestCid: keccak256("manifest"),
            testCommitment: Commitments.testSet(client, TEST_ROOT, SAMPLES, TEST_CID, SALT),
            scoreFunction: ScoreFunction.Accuracy,
            minimumScorePpm: type(int64).min,
            trainSeconds: 1000,
            revealSeconds: 100,
            validateSeconds: 201,
            challengeSeconds: 100,
            minimumValidators: 1,
            maxModelBytes: 2 ** 20,
            maxTensorBytes: 2 ** 20,
            inputSize: 784,
            outputSize: 10
        });
    }

    // Money

    function fund(address account, uint256 amount) internal {
        token.transfer(account, amount);
    }

    function enrol(address account, Role role, uint256 amount) internal {
        fund(account, amount);
        vm.prank(account);
        token.approve(address(vault), amount);
        vm.prank(account);
        vault.bond(role, amount);
    }

    function locked(address account, Role role) internal view returns (uint256) {
        return vault.bondOf(account, role).locked;
    }

    function bonded(address account, Role role) internal view returns (uint256) {
        return vault.bondOf(account, role).bonded;
    }

    // Verbs

    function put() internal returns (uint256) {
        return put(_terms());
    }

    function put(OrderTerms memory terms) internal returns (uint256 oid) {
        fund(client, terms.reward);
        vm.prank(client);
        token.approve(address(book), terms.reward);
        vm.prank(client);
        oid = book.put(terms);
    }

    function modelRoot(address account) internal pure virtual returns (bytes32) {
        return keccak256(abi.encode("model", account));
    }

    function modelCid(address account) internal pure returns (bytes32) {
        return keccak256(abi.encode("cid", account));
    }

    function modelCommitment(uint256 oid, address account) internal pure returns (bytes32) {
        return Commitments.model(oid, account, modelRoot(account), modelCid(account), SALT);
    }

    function claim(uint256 oid, address account) internal {
        bytes32 commitment = modelCommitment(oid, account);
        vm.prank(account);
        proof.claim(oid, commitment);
    }

    function reveal(uint256 oid, address account) internal {
        vm.prank(account);
        proof.reveal(oid, modelRoot(account), modelCid(account), SALT);
    }

    function release(uint256 oid) internal virtual {
        vm.prank(client);
        book.releaseTest(oid, TEST_ROOT, SAMPLES, TEST_CID, SALT);
    }

    function commitScores(uint256 oid, address account, int64[] memory scores, uint256 vStake) internal {
        bytes32 commitment = Commitments.scores(oid, account, scores, SALT);
        vm.prank(account);
        proof.commitScores(oid, commitment, vStake);
    }

    function revealScores(uint256 oid, address account, int64[] memory scores) internal {
        vm.prank(account);
        proof.revealScores(oid, scores, SALT);
    }

    function row(int64 a) internal pure returns (int64[] memory scores) {
        scores = new int64[](1);
        scores[0] = a;
    }

    function row(int64 a, int64 b) internal pure returns (int64[] memory scores) {
        scores = new int64[](2);
        (scores[0], scores[1]) = (a, b);
    }

    // Time

    function windows(uint256 oid) internal view returns (Windows memory) {
        return book.windowsOf(oid);
    }

    function toReveal(uint256 oid) internal {
        vm.warp(Lifecycle.trainEnd(windows(oid)));
    }

    function toScoreCommit(uint256 oid) internal {
        vm.warp(Lifecycle.revealEnd(windows(oid)));
    }

    function toScoreReveal(uint256 oid) internal {
        vm.warp(Lifecycle.scoreCommitEnd(windows(oid)));
    }

    function toChallenge(uint256 oid) internal {
        vm.warp(Lifecycle.scoreRevealEnd(windows(oid)));
    }

    function toSealable(uint256 oid) internal {
        vm.warp(Lifecycle.challengeEnd(windows(oid)));
    }

    // Whole stretches

    /// @dev An order with `n` active providers who have claimed.
    function claimed(uint256 n) internal returns (uint256 oid) {
        oid = put();
        for (uint256 i = 0; i < n; ++i) {
            if (bonded(provider(i), Role.Provider) == 0) enrol(provider(i), Role.Provider, BOND);
            claim(oid, provider(i));
        }
    }

    /// @dev The same, all revealed and the test released; the clock at the start of ScoreCommit.
    function revealed(uint256 n) internal returns (uint256 oid) {
        oid = claimed(n);
        toReveal(oid);
        for (uint256 i = 0; i < n; ++i) {
            reveal(oid, provider(i));
        }
        release(oid);
        toScoreCommit(oid);
    }

    /// @dev The same with one row of scores for each validator, revealed; the clock at the start of Challenge.
    function scored(int64[][] memory rows) internal returns (uint256 oid) {
        oid = revealed(rows[0].length);
        for (uint256 i = 0; i < rows.length; ++i) {
            if (bonded(validator(i), Role.Validator) == 0) enrol(validator(i), Role.Validator, BOND);
            commitScores(oid, validator(i), rows[i], VSTAKE * (i + 1));
        }
        toScoreReveal(oid);
        for (uint256 i = 0; i < rows.length; ++i) {
            revealScores(oid, validator(i), rows[i]);
        }
        toChallenge(oid);
    }

    /// @dev Two models (the second better), three validators who agree; the clock at the start of Challenge.
    function scored() internal returns (uint256 oid) {
        int64[][] memory rows = new int64[][](3);
        for (uint256 i = 0; i < 3; ++i) {
            rows[i] = row(300, 350);
        }
        return scored(rows);
    }

    /// @dev `n` aggregators who sit from now on.
    function seated(uint256 n) internal {
        for (uint256 i = 0; i < n; ++i) {
            enrol(aggregator(i), Role.Aggregator, BOND);
            vm.prank(aggregator(i));
            committee.join(1_000 * UNIT);
        }
        committee.advanceEpoch();
    }

    /// @dev Seals and returns what was emitted.
    function sealOrder(uint256 oid) internal returns (Payout[] memory payouts, uint256 tax) {
        vm.recordLogs();
        proof.seal(oid);
        return sealedPayouts(vm.getRecordedLogs());
    }

    function sealedPayouts(Vm.Log[] memory logs) internal pure returns (Payout[] memory payouts, uint256 tax) {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IProofOfTraining.OrderSealed.selector) continue;
            (,, payouts, tax) = abi.decode(logs[i].data, (Outcome, Settlement, Payout[], uint256));
        }
    }
}

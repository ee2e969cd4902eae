// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IOrderBook, Order, OrderTerms, TestSet } from "./interfaces/IOrderBook.sol";
import { IParameters, ProtocolParameters } from "./interfaces/IParameters.sol";
import { IProofOfTraining } from "./interfaces/IProofOfTraining.sol";
import { Commitments } from "./libraries/Commitments.sol";
import { Phase, Windows } from "./libraries/Lifecycle.sol";
import { ScoreFunction, ScoreFunctions } from "./libraries/ScoreFunctions.sol";

/// @title OrderBook
contract OrderBook is IOrderBook, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev `Order`, packed so that what every transaction reads is in the first two slots.
    struct Record {
        address client;
        uint64 putAt;
        uint32 sampleCount;
        // slot
        ScoreFunction scoreFunction;
        int64 minimumScorePpm;
        uint32 trainSeconds;
        uint32 revealSeconds;
        uint32 validateSeconds;
        uint32 challengeSeconds;
        uint16 minimumValidators;
        uint16 maxClaims;
        uint16 maxValidators;
        bool cancelled;
        // slot
        uint128 claimBond;
        uint128 minimumVStake;
        // slot
        uint40 maxModelBytes;
        uint40 maxTensorBytes;
        uint24 inputSize;
        uint24 outputSize;
        uint32 validatorSharePpm;
        uint32 aggregatorTaxPpm;
        uint32 reporterSharePpm;
        uint32 disputeSharePpm;
        // slot
        uint128 challengeStake;
        uint96 requestBond;
        uint32 moveSeconds;
        // slot
        uint128 reward;
        uint128 escrow;
        // slots
        bytes32 manifestCid;
        bytes32 testCommitment;
        bytes32 testRoot;
        bytes32 testCid;
    }

    /// @dev int8 elements of a sample, and elements of an output, that a dispute can be about.
    uint256 private constant MAX_INPUT_SIZE = 2 ** 20;
    uint256 private constant MAX_OUTPUT_SIZE = 1024;

    IERC20 private immutable _TOKEN;
    IParameters private immutable _PARAMETERS;
    IProofOfTraining private immutable _PROOF;
    address private immutable _TREASURY;

    uint256 private _count;
    uint256 private _totalEscrow;
    mapping(uint256 oid => Record) private _orders;

    modifier onlyClient(uint256 oid) {
        address client = _known(oid).client;
        if (msg.sender != client) revert NotTheClient(oid, client, msg.sender);
        _;
    }

    constructor(IERC20 token_, IParameters parameters_, IProofOfTraining proofOfTraining_, address treasury_) {
        _TOKEN = token_;
        _PARAMETERS = parameters_;
        _PROOF = proofOfTraining_;
        _TREASURY = treasury_;
    }

    /// @inheritdoc IOrderBook
    function put(OrderTerms calldata terms) external nonReentrant returns (uint256 oid) {
        return _put(terms);
    }

    /// @inheritdoc IOrderBook
    function putWithPermit(OrderTerms calldata terms, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        nonReentrant
        returns (uint256 oid)
    {
        // Whoever sees the permit in the mempool can submit it first; then this call fails and the allowance stands.
        // slither-disable-next-line reentrancy-benign
        try IERC20Permit(address(_TOKEN)).permit(msg.sender, address(this), terms.reward, deadline, v, r, s) { }
            catch { }
        return _put(terms);
    }

    /// @inheritdoc IOrderBook
    function cancel(uint256 oid) external nonReentrant onlyClient(oid) {
        _requirePhase(oid, Phase.Training);
        uint256 claims = _PROOF.factsOf(oid).claims;
        if (claims != 0) revert OrderHasClaims(oid, claims);
        _orders[oid].cancelled = true;
        uint256 amount = _takeEscrow(oid);
        emit OrderCancelled(oid, msg.sender, amount);
        _TOKEN.safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IOrderBook
    function releaseTest(uint256 oid, bytes32 testRoot, uint32 sampleCount, bytes32 testCid, bytes32 salt)
        external
        onlyClient(oid)
    {
        Record storage o = _orders[oid];
        if (o.sampleCount != 0) revert TestAlreadyReleased(oid);
        _requirePhase(oid, Phase.Reveal);
        if (sampleCount == 0) revert EmptyTestSet();
        _checkLimit("sampleCount", sampleCount, 1, ScoreFunctions.MAX_SAMPLES);
        bytes32 actual = Commitments.testSet(msg.sender, testRoot, sampleCount, testCid, salt);
        if (actual != o.testCommitment) revert WrongTestSet(oid, o.testCommitment, actual);
        o.sampleCount = sampleCount;
        o.testRoot = testRoot;
        o.testCid = testCid;
        emit TestReleased(oid, testRoot, sampleCount, testCid);
    }

    /// @inheritdoc IOrderBook
    function releaseEscrow(uint256 oid) external nonReentrant returns (uint256 amount) {
        if (msg.sender != address(_PROOF)) revert OnlyProofOfTraining(address(_PROOF), msg.sender);
        amount = _takeEscrow(oid);
        if (amount == 0) revert NothingEscrowed(oid);
        emit EscrowReleased(oid, _TREASURY, amount);
        _TOKEN.safeTransfer(_TREASURY, amount);
    }

    /// @inheritdoc IOrderBook
    function orderCount() external view returns (uint256) {
        return _count;
    }

    /// @inheritdoc IOrderBook
    function getOrder(uint256 oid) external view returns (Order memory order) {
        Record storage o = _known(oid);
        order.client = o.client;
        order.putAt = o.putAt;
        order.terms = _termsOf(o);
        order.claimBond = o.claimBond;
        order.minimumVStake = o.minimumVStake;
        order.validatorSharePpm = o.validatorSharePpm;
        order.aggregatorTaxPpm = o.aggregatorTaxPpm;
        order.reporterSharePpm = o.reporterSharePpm;
        order.disputeSharePpm = o.disputeSharePpm;
        order.challengeStake = o.challengeStake;
        order.requestBond = o.requestBond;
        order.moveSeconds = o.moveSeconds;
        order.maxClaims = o.maxClaims;
        order.maxValidators = o.maxValidators;
    }

    /// @inheritdoc IOrderBook
    function windowsOf(uint256 oid) external view returns (Windows memory) {
        return _windowsOf(_orders[oid]);
    }

    /// @inheritdoc IOrderBook
    function standingOf(uint256 oid)
        external
        view
        returns (Windows memory windows, bool cancelled, uint32 sampleCount)
    {
        Record storage o = _orders[oid];
        return (_windowsOf(o), o.cancelled, o.sampleCount);
    }

    /// @inheritdoc IOrderBook
    function testSetOf(uint256 oid) external view returns (TestSet memory) {
        Record storage o = _orders[oid];
        return TestSet({ root: o.testRoot, cid: o.testCid, sampleCount: o.sampleCount });
    }

    /// @inheritdoc IOrderBook
    function isCancelled(uint256 oid) external view returns (bool) {
        return _orders[oid].cancelled;
    }

    /// @inheritdoc IOrderBook
    function escrowOf(uint256 oid) external view returns (uint256) {
        return _orders[oid].escrow;
    }

    /// @inheritdoc IOrderBook
    function totalEscrow() external view returns (uint256) {
        return _totalEscrow;
    }

    /// @inheritdoc IOrderBook
    function token() external view returns (address) {
        return address(_TOKEN);
    }

    /// @inheritdoc IOrderBook
    function parameters() external view returns (address) {
        return address(_PARAMETERS);
    }

    /// @inheritdoc IOrderBook
    function proofOfTraining() external view returns (address) {
        return address(_PROOF);
    }

    /// @inheritdoc IOrderBook
    function treasury() external view returns (address) {
        return _TREASURY;
    }

    function _put(OrderTerms calldata terms) private returns (uint256 oid) {
        ProtocolParameters memory p = _PARAMETERS.current();
        _check(terms, p);
        oid = ++_count;
        _totalEscrow += terms.reward;
        Record storage o = _orders[oid];
        _recordTerms(o, terms);
        _recordParameters(o, p);
        emit OrderPut(oid, msg.sender, _orderOf(terms, p));
        _TOKEN.safeTransferFrom(msg.sender, address(this), terms.reward);
    }

    function _recordTerms(Record storage o, OrderTerms calldata terms) private {
        o.client = msg.sender;
        o.putAt = uint64(block.timestamp);
        o.scoreFunction = terms.scoreFunction;
        o.minimumScorePpm = terms.minimumScorePpm;
        o.trainSeconds = terms.trainSeconds;
        o.revealSeconds = terms.revealSeconds;
        o.validateSeconds = terms.validateSeconds;
        o.challengeSeconds = terms.challengeSeconds;
        o.minimumValidators = terms.minimumValidators;
        // The limits checked before fit their fields.
        o.maxModelBytes = uint40(terms.maxModelBytes);
        o.maxTensorBytes = uint40(terms.maxTensorBytes);
        o.inputSize = uint24(terms.inputSize);
        o.outputSize = uint24(terms.outputSize);
        o.reward = terms.reward.toUint128();
        o.escrow = terms.reward.toUint128();
        o.manifestCid = terms.manifestCid;
        o.testCommitment = terms.testCommitment;
    }

    function _recordParameters(Record storage o, ProtocolParameters memory p) private {
        o.maxClaims = p.maxClaims;
        o.maxValidators = p.maxValidators;
        o.claimBond = p.claimBond.toUint128();
        o.minimumVStake = p.minimumVStake.toUint128();
        o.validatorSharePpm = p.validatorSharePpm;
        o.aggregatorTaxPpm = p.aggregatorTaxPpm;
        o.reporterSharePpm = p.reporterSharePpm;
        o.disputeSharePpm = p.disputeSharePpm;
        o.challengeStake = p.challengeStake.toUint128();
        o.requestBond = p.requestBond.toUint96();
        o.moveSeconds = p.moveSeconds;
    }

    function _takeEscrow(uint256 oid) private returns (uint256 amount) {
        amount = _orders[oid].escrow;
        _orders[oid].escrow = 0;
        _totalEscrow -= amount;
    }

    function _requirePhase(uint256 oid, Phase expected) private view {
        Phase actual = _PROOF.phaseOf(oid);
        if (actual != expected) revert WrongPhase(oid, expected, actual);
    }

    function _known(uint256 oid) private view returns (Record storage o) {
        o = _orders[oid];
        if (o.client == address(0)) revert UnknownOrder(oid);
    }

    function _orderOf(OrderTerms calldata terms, ProtocolParameters memory p) private view returns (Order memory) {
        return Order({
            client: msg.sender,
            putAt: uint64(block.timestamp),
            terms: terms,
            claimBond: p.claimBond,
            minimumVStake: p.minimumVStake,
            challengeStake: p.challengeStake,
            requestBond: p.requestBond,
            validatorSharePpm: p.validatorSharePpm,
            aggregatorTaxPpm: p.aggregatorTaxPpm,
            reporterSharePpm: p.reporterSharePpm,
            disputeSharePpm: p.disputeSharePpm,
            moveSeconds: p.moveSeconds,
            maxClaims: p.maxClaims,
            maxValidators: p.maxValidators
        });
    }

    function _termsOf(Record storage o) private view returns (OrderTerms memory terms) {
        terms.reward = o.reward;
        terms.manifestCid = o.manifestCid;
        terms.testCommitment = o.testCommitment;
        terms.scoreFunction = o.scoreFunction;
        terms.minimumScorePpm = o.minimumScorePpm;
        terms.trainSeconds = o.trainSeconds;
        terms.revealSeconds = o.revealSeconds;
        terms.validateSeconds = o.validateSeconds;
        terms.challengeSeconds = o.challengeSeconds;
        terms.minimumValidators = o.minimumValidators;
        terms.maxModelBytes = o.maxModelBytes;
        terms.maxTensorBytes = o.maxTensorBytes;
        terms.inputSize = o.inputSize;
        terms.outputSize = o.outputSize;
    }

    function _windowsOf(Record storage o) private view returns (Windows memory) {
        return Windows({
            start: o.putAt,
            train: o.trainSeconds,
            reveal: o.revealSeconds,
            validate: o.validateSeconds,
            challenge: o.challengeSeconds
        });
    }

    function _check(OrderTerms calldata terms, ProtocolParameters memory p) private pure {
        if (terms.scoreFunction == ScoreFunction.None) revert ScoreFunctionRequired();
        if (terms.manifestCid == 0) revert CommitmentRequired("manifestCid");
        if (terms.testCommitment == 0) revert CommitmentRequired("testCommitment");
        if (terms.reward < p.minimumReward) revert RewardTooSmall(p.minimumReward, terms.reward);
        // Otherwise no model could win, and the client would see them all and have its reward back.
        int64 best = ScoreFunctions.bestPpm(terms.scoreFunction);
        if (terms.minimumScorePpm > best) revert UnattainableScore(best, terms.minimumScorePpm);
        _checkWindow("trainSeconds", terms.trainSeconds, p.minimumWindow, p.maximumWindow);
        _checkWindow("revealSeconds", terms.revealSeconds, p.minimumWindow, p.maximumWindow);
        // Each half of the validation window is a window of its own.
        _checkWindow("validateSeconds", terms.validateSeconds, 2 * uint256(p.minimumWindow), p.maximumWindow);
        _checkWindow("challengeSeconds", terms.challengeSeconds, p.minimumWindow, p.maximumWindow);
        _checkLimit("reward", terms.reward, p.minimumReward, type(uint128).max);
        _checkLimit("minimumValidators", terms.minimumValidators, 1, p.maxValidators);
        _checkLimit("maxModelBytes", terms.maxModelBytes, 1, p.maxModelBytes);
        _checkLimit("maxTensorBytes", terms.maxTensorBytes, 1, p.maxTensorBytes);
        _checkLimit("inputSize", terms.inputSize, 1, MAX_INPUT_SIZE);
        bool oneNumber = ScoreFunctions.isRegression(terms.scoreFunction);
        _checkLimit("outputSize", terms.outputSize, 1, oneNumber ? 1 : MAX_OUTPUT_SIZE);
    }

    function _checkWindow(string memory name, uint256 actual, uint256 minimum, uint256 maximum) private pure {
        if (actual < minimum || actual > maximum) revert WindowOutOfBounds(name, actual, minimum, maximum);
    }

    function _checkLimit(string memory name, uint256 actual, uint256 minimum, uint256 maximum) private pure {
        if (actual < minimum || actual > maximum) revert LimitOutOfBounds(name, actual, minimum, maximum);
    }
}

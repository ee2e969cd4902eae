// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ERC20Burnable } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import { IAccuracyProofs, ProofTerms, ProverStatus } from "../interfaces/IAccuracyProofs.sol";
import { IHandoverVerifier } from "../interfaces/IHandoverVerifier.sol";
import { IParameters, ProtocolParameters } from "../interfaces/IParameters.sol";
import {
    ClaimStatus,
    Fault,
    Handover,
    IPrivateOrders,
    PrivateOutcome,
    PrivatePhase,
    PrivateTerms
} from "../interfaces/IPrivateOrders.sol";
import { PrivateDisputes } from "./PrivateDisputes.sol";
import { PrivateOrdersState } from "./PrivateOrdersState.sol";

/// @title PrivateOrders
contract PrivateOrders is PrivateDisputes {
    uint256 private constant LEAST_ELEMENTS = 3;
    uint256 private constant MOST_ELEMENTS = 2 ** 20;
    uint256 private constant MOST_SAMPLE_SIZE = 2 ** 20;

    constructor(
        ERC20Burnable token_,
        IParameters parameters_,
        IAccuracyProofs accuracyProofs_,
        IHandoverVerifier handoverVerifier_
    ) PrivateOrdersState(token_, parameters_, accuracyProofs_, handoverVerifier_) { }

    /// @inheritdoc IPrivateOrders
    function put(PrivateTerms calldata terms) external nonReentrant returns (uint256 oid) {
        ProtocolParameters memory p = _PARAMETERS.current();
        _check(terms, p);
        oid = ++_count;
        _terms[oid] = terms;
        Record storage r = _records[oid];
        r.client = msg.sender;
        r.putAt = uint64(block.timestamp);
        r.reporterShare = p.reporterSharePpm;
        r.disputeShare = p.disputeSharePpm;
        r.clientKey = terms.clientKey;
        bytes32 round = _PROOFS.roundId(address(this), bytes32(oid));
        r.round = round;
        emit PrivateOrderPut(oid, msg.sender, round, terms);
        _take(oid, msg.sender, terms.reward);
        // the round's id is what was asked for above
        // slither-disable-next-line unused-return
        _PROOFS.open(bytes32(oid), _proofTerms(terms));
    }

    /// @inheritdoc IPrivateOrders
    function cancel(uint256 oid) external nonReentrant onlyClient(oid) {
        _requirePhase(oid, PrivatePhase.Claim);
        uint256 claims = _claimants[oid].length;
        if (claims != 0) revert HasClaims(oid, claims);
        emit PrivateOrderCancelled(oid, _terms[oid].reward);
        _close(oid, PrivateOutcome.Cancelled, msg.sender);
    }

    /// @inheritdoc IPrivateOrders
    function claim(uint256 oid, uint256 modelHash) external nonReentrant {
        _requirePhase(oid, PrivatePhase.Claim);
        if (_claims[oid][msg.sender] != ClaimStatus.None) revert AlreadyClaimed(oid, msg.sender);
        uint256 place = _claimants[oid].length;
        uint256 places = _terms[oid].maximumClaims;
        if (place >= places) revert NoPlaceLeft(oid, places);
        _claims[oid][msg.sender] = ClaimStatus.Locked;
        _claimants[oid].push(msg.sender);
        emit PrivateClaimed(oid, msg.sender, modelHash, place);
        _take(oid, msg.sender, _terms[oid].bond);
        _PROOFS.commitFor(_records[oid].round, msg.sender, modelHash);
    }

    /// @inheritdoc IPrivateOrders
    function release(uint256 oid, bytes32 testKey) external onlyClient(oid) {
        _requirePhase(oid, PrivatePhase.Release);
        bytes32 actual = keccak256(abi.encode(testKey));
        if (actual != _terms[oid].testKeyHash) revert WrongTestKey(oid, _terms[oid].testKeyHash, actual);
        Record storage r = _records[oid];
        r.released = true;
        r.testKey = testKey;
        emit TestKeyReleased(oid, testKey);
        _PROOFS.endCommits(r.round);
    }

    /// @inheritdoc IPrivateOrders
    function advance(uint256 oid) external nonReentrant {
        PrivatePhase phase = _phaseOf(oid);
        if (phase == PrivatePhase.Award) _award(oid);
        else if (phase == PrivatePhase.Withheld) _share(oid);
        else if (phase == PrivatePhase.Overdue) _faulty(oid, Fault.NoHandover);
        else if (phase == PrivatePhase.Unanswered) _faulty(oid, Fault.MissingPiece);
        else if (phase == PrivatePhase.Payable) _close(oid, PrivateOutcome.Paid, _records[oid].winner);
        else revert NothingToAdvance(oid, phase);
    }

    /// @inheritdoc IPrivateOrders
    function handOver(uint256 oid, Handover calldata handover) external {
        _requirePhase(oid, PrivatePhase.Handover);
        Record storage r = _records[oid];
        if (msg.sender != r.winner) revert OnlyTheWinner(oid, r.winner, msg.sender);
        uint64 until = uint64(block.timestamp) + _terms[oid].disputeSeconds;
        r.handover = handover;
        r.disputeUntil = until;
        r.requestUntil = until;
        emit ModelHandedOver(oid, msg.sender, handover, until);
    }

    /// @inheritdoc PrivateDisputes
    // slither-disable-next-line reentrancy-benign
    function _faulty(uint256 oid, Fault fault) internal override {
        Record storage r = _records[oid];
        address provider = r.winner;
        uint256 unanswered = uint256(r.request.left) * _terms[oid].requestBond;
        r.request.left = 0;
        r.disputeUntil = 0;
        delete r.handover;
        emit HandoverFaulty(oid, provider, fault);
        _slash(oid, provider, r.client, r.disputeShare);
        _give(oid, r.client, unanswered);
        _nameBest(oid);
    }

    /// @inheritdoc PrivateDisputes
    function _share(uint256 oid) internal override {
        address[] memory claimants = _claimants[oid];
        uint256 part = _terms[oid].reward / claimants.length;
        // dust goes to the first
        // slither-disable-next-line divide-before-multiply
        uint256 dust = _terms[oid].reward - part * claimants.length;
        _records[oid].outcome = PrivateOutcome.Shared;
        emit PrivateOrderClosed(oid, PrivateOutcome.Shared, address(0), _terms[oid].reward);
        for (uint256 i = 0; i < claimants.length; ++i) {
            _returnBond(oid, claimants[i]);
            _give(oid, claimants[i], i == 0 ? part + dust : part);
        }
    }

    /// @dev Once: frees those below the minimum, slashes those who did not prove, and names the winner.
    // slither-disable-next-line reentrancy-benign
    function _award(uint256 oid) private {
        Record storage r = _records[oid];
        address[] memory claimants = _claimants[oid];
        // slither-disable-start calls-loop,unused-return
        for (uint256 i = 0; i < claimants.length; ++i) {
            (ProverStatus status,,,) = _PROOFS.proverOf(r.round, claimants[i]);
            if (status == ProverStatus.Accepted) continue;
            bool absent = status == ProverStatus.NoShow || status == ProverStatus.Slashed;
            if (absent) _slash(oid, claimants[i], msg.sender, r.reporterShare);
            else _returnBond(oid, claimants[i]);
        }
        // slither-disable-end calls-loop,unused-return
        _nameBest(oid);
    }

    /// @dev The most right samples win, the earlier claim on a tie; nobody left: the client has its reward back.
    function _nameBest(uint256 oid) private {
        Record storage r = _records[oid];
        address[] memory claimants = _claimants[oid];
        address best = address(0);
        uint256 most = 0;
        for (uint256 i = 0; i < claimants.length; ++i) {
            if (_claims[oid][claimants[i]] != ClaimStatus.Locked) continue;
            // slither-disable-next-line calls-loop,unused-return
            (,, uint256 correct,) = _PROOFS.proverOf(r.round, claimants[i]);
            if (best == address(0) || correct > most) (best, most) = (claimants[i], correct);
        }
        r.winner = best;
        if (best == address(0)) return _close(oid, PrivateOutcome.Refunded, r.client);
        uint64 until = uint64(block.timestamp) + _terms[oid].handoverSeconds;
        r.handoverUntil = until;
        emit PrivateWinnerNamed(oid, best, most, until);
    }

    /// @dev Pays the reward and frees the bonds that are left.
    function _close(uint256 oid, PrivateOutcome outcome, address payee) private {
        Record storage r = _records[oid];
        r.outcome = outcome;
        address[] memory claimants = _claimants[oid];
        emit PrivateOrderClosed(oid, outcome, r.winner, _terms[oid].reward);
        for (uint256 i = 0; i < claimants.length; ++i) {
            if (_claims[oid][claimants[i]] == ClaimStatus.Locked) _returnBond(oid, claimants[i]);
        }
        _give(oid, payee, _terms[oid].reward);
    }

    function _check(PrivateTerms calldata terms, ProtocolParameters memory p) private pure {
        _within("reward", p.minimumReward, type(uint96).max, terms.reward);
        _within("bond", p.claimBond, type(uint96).max, terms.bond);
        _within("requestBond", 1, type(uint96).max, terms.requestBond);
        _within("maximumClaims", 1, p.maxClaims, terms.maximumClaims);
        _within("elements", LEAST_ELEMENTS, MOST_ELEMENTS, terms.elements);
        bool isSealed = terms.testKeyHash != 0;
        _within("sampleSize", isSealed ? 1 : 0, isSealed ? MOST_SAMPLE_SIZE : 0, terms.sampleSize);
        if (isSealed) _window("releaseSeconds", terms.releaseSeconds, p);
        else _within("releaseSeconds", 0, 0, terms.releaseSeconds);
        _window("claimSeconds", terms.claimSeconds, p);
        _window("proveSeconds", terms.proveSeconds, p);
        _window("handoverSeconds", terms.handoverSeconds, p);
        _window("disputeSeconds", terms.disputeSeconds, p);
        _window("answerSeconds", terms.answerSeconds, p);
    }

    function _proofTerms(PrivateTerms calldata terms) private pure returns (ProofTerms memory) {
        return ProofTerms({
            verifier: terms.verifier,
            chunkRoot: terms.chunkRoot,
            chunks: terms.chunks,
            draws: terms.draws,
            minimumCorrect: terms.minimumCorrect,
            maximumProvers: terms.maximumClaims,
            commitSeconds: terms.claimSeconds + terms.releaseSeconds,
            proveSeconds: terms.proveSeconds,
            bond: 0,
            gated: true
        });
    }

    function _window(string memory term, uint256 actual, ProtocolParameters memory p) private pure {
        _within(term, p.minimumWindow, p.maximumWindow, actual);
    }

    function _within(string memory term, uint256 least, uint256 most, uint256 actual) private pure {
        if (actual < least || actual > most) revert PrivateTermOutOfRange(term, least, most, actual);
    }
}

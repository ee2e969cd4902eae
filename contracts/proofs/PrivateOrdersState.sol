// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ERC20Burnable } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IAccuracyProofs, ProofPhase } from "../interfaces/IAccuracyProofs.sol";
import { IHandoverVerifier } from "../interfaces/IHandoverVerifier.sol";
import { IParameters } from "../interfaces/IParameters.sol";
import {
    ClaimStatus,
    Handover,
    IPrivateOrders,
    PrivateOutcome,
    PrivatePhase,
    PrivateState,
    PrivateTerms
} from "../interfaces/IPrivateOrders.sol";

/// @title What private orders have in store, their phases, and every way in which their money moves
abstract contract PrivateOrdersState is IPrivateOrders, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev `left` of `count` pieces from `first` on are missing; `number` tells requests of an order apart.
    struct PieceRequest {
        uint32 number;
        uint32 first;
        uint32 count;
        uint32 left;
        uint64 until;
    }

    struct Record {
        address client;
        uint64 putAt;
        PrivateOutcome outcome;
        bool released;
        // slot
        address winner;
        // slot
        uint64 handoverUntil;
        uint64 disputeUntil;
        /// the end of the dispute window as first fixed
        uint64 requestUntil;
        // slot: parameters as they were at the put, in ppm
        uint32 reporterShare;
        uint32 disputeShare;
        /// wei in hand
        uint128 held;
        // slots
        bytes32 round;
        bytes32 clientKey;
        bytes32 testKey;
        PieceRequest request;
        Handover handover;
    }

    uint256 internal constant PPM = 1_000_000;

    ERC20Burnable internal immutable _TOKEN;
    IParameters internal immutable _PARAMETERS;
    IAccuracyProofs internal immutable _PROOFS;
    IHandoverVerifier internal immutable _VERIFIER;

    uint256 internal _count;
    mapping(uint256 oid => PrivateTerms) internal _terms;
    mapping(uint256 oid => Record) internal _records;
    mapping(uint256 oid => address[]) internal _claimants;
    mapping(uint256 oid => mapping(address provider => ClaimStatus)) internal _claims;
    /// @dev 256 pieces to a word, by their distance from the request's first
    mapping(uint256 oid => mapping(uint256 number => mapping(uint256 word => uint256 bits))) internal _answered;

    modifier onlyClient(uint256 oid) {
        address client = _known(oid).client;
        if (msg.sender != client) revert OnlyTheClient(oid, client, msg.sender);
        _;
    }

    constructor(
        ERC20Burnable token_,
        IParameters parameters_,
        IAccuracyProofs accuracyProofs_,
        IHandoverVerifier handoverVerifier_
    ) {
        _TOKEN = token_;
        _PARAMETERS = parameters_;
        _PROOFS = accuracyProofs_;
        _VERIFIER = handoverVerifier_;
    }

    /// @inheritdoc IPrivateOrders
    function orderCount() external view returns (uint256) {
        return _count;
    }

    /// @inheritdoc IPrivateOrders
    function termsOf(uint256 oid) external view returns (PrivateTerms memory) {
        _known(oid);
        return _terms[oid];
    }

    /// @inheritdoc IPrivateOrders
    function stateOf(uint256 oid) external view returns (PrivateState memory state) {
        Record storage r = _known(oid);
        state.phase = _phaseOf(oid);
        state.outcome = r.outcome;
        state.client = r.client;
        state.putAt = r.putAt;
        state.round = r.round;
        state.clientKey = r.clientKey;
        state.testKey = r.testKey;
        state.claims = _claimants[oid].length;
        state.winner = r.winner;
        state.handoverUntil = r.handoverUntil;
        state.disputeUntil = r.disputeUntil;
        state.firstPiece = r.request.first;
        state.pieces = r.request.count;
        state.missing = r.request.left;
        state.answerUntil = r.request.until;
        state.held = r.held;
    }

    /// @inheritdoc IPrivateOrders
    function phaseOf(uint256 oid) external view returns (PrivatePhase) {
        return _phaseOf(oid);
    }

    /// @inheritdoc IPrivateOrders
    function claimantsOf(uint256 oid) external view returns (address[] memory) {
        return _claimants[oid];
    }

    /// @inheritdoc IPrivateOrders
    function claimOf(uint256 oid, address provider) external view returns (ClaimStatus status, uint256 modelHash) {
        Record storage r = _known(oid);
        // slither-disable-next-line unused-return
        (, modelHash,,) = _PROOFS.proverOf(r.round, provider);
        return (_claims[oid][provider], modelHash);
    }

    /// @inheritdoc IPrivateOrders
    function handoverOf(uint256 oid) external view returns (Handover memory) {
        return _records[oid].handover;
    }

    /// @inheritdoc IPrivateOrders
    function isMissing(uint256 oid, uint256 piece) external view returns (bool) {
        return _isMissing(oid, piece);
    }

    /// @inheritdoc IPrivateOrders
    function sealingContext(uint256 oid, address provider, bytes32 clientKey, bytes32 ephemeralKey)
        external
        view
        returns (bytes32)
    {
        return _context(oid, provider, clientKey, ephemeralKey);
    }

    /// @inheritdoc IPrivateOrders
    function token() external view returns (address) {
        return address(_TOKEN);
    }

    /// @inheritdoc IPrivateOrders
    function parameters() external view returns (address) {
        return address(_PARAMETERS);
    }

    /// @inheritdoc IPrivateOrders
    function accuracyProofs() external view returns (address) {
        return address(_PROOFS);
    }

    /// @inheritdoc IPrivateOrders
    function handoverVerifier() external view returns (address) {
        return address(_VERIFIER);
    }

    /// @dev Every order has an account of its own: none can spend another's money.
    function _take(uint256 oid, address from, uint256 amount) internal {
        // the terms' amounts are below 2^96, the pieces below 2^16
        // forge-lint: disable-next-line(unsafe-typecast)
        _records[oid].held += uint128(amount);
        // the payer is always the caller
        // slither-disable-next-line arbitrary-send-erc20
        IERC20(_TOKEN).safeTransferFrom(from, address(this), amount);
    }

    // The token is ours and calls nobody; the loops are bounded by 32; all that moves money is behind the guard.
    // slither-disable-start calls-loop,reentrancy-no-eth
    function _give(uint256 oid, address to, uint256 amount) internal {
        if (amount == 0) return;
        _spend(oid, amount);
        IERC20(_TOKEN).safeTransfer(to, amount);
    }

    function _returnBond(uint256 oid, address provider) internal {
        _claims[oid][provider] = ClaimStatus.Returned;
        uint256 amount = _terms[oid].bond;
        emit PrivateBondReturned(oid, provider, amount);
        _give(oid, provider, amount);
    }

    /// @dev A share to the beneficiary, the rest is burned, so that slashing oneself never pays.
    function _slash(uint256 oid, address provider, address beneficiary, uint256 sharePpm) internal {
        _claims[oid][provider] = ClaimStatus.Slashed;
        uint256 amount = _terms[oid].bond;
        uint256 paid = Math.mulDiv(amount, sharePpm, PPM);
        emit PrivateBondSlashed(oid, provider, beneficiary, paid, amount - paid);
        _give(oid, beneficiary, paid);
        _spend(oid, amount - paid);
        _TOKEN.burn(amount - paid);
    }

    // slither-disable-end calls-loop,reentrancy-no-eth

    function _requirePhase(uint256 oid, PrivatePhase expected) internal view {
        PrivatePhase actual = _phaseOf(oid);
        if (actual != expected) revert WrongPrivatePhase(oid, expected, actual);
    }

    function _known(uint256 oid) internal view returns (Record storage r) {
        r = _records[oid];
        if (r.client == address(0)) revert PrivateOrderUnknown(oid);
    }

    function _phaseOf(uint256 oid) internal view returns (PrivatePhase) {
        Record storage r = _records[oid];
        if (r.client == address(0)) return PrivatePhase.None;
        if (r.outcome != PrivateOutcome.None) return PrivatePhase.Closed;
        if (r.winner != address(0)) return r.disputeUntil == 0 ? _handoverPhase(r) : _disputePhase(r);
        uint256 end = uint256(r.putAt) + _terms[oid].claimSeconds;
        if (block.timestamp < end) return PrivatePhase.Claim;
        if (_claimants[oid].length == 0) return PrivatePhase.Award;
        if (_terms[oid].testKeyHash != 0 && !r.released) {
            end += _terms[oid].releaseSeconds;
            return block.timestamp < end ? PrivatePhase.Release : PrivatePhase.Withheld;
        }
        return _PROOFS.phaseOf(r.round) == ProofPhase.Over ? PrivatePhase.Award : PrivatePhase.Prove;
    }

    function _isMissing(uint256 oid, uint256 piece) internal view returns (bool) {
        PieceRequest storage asked = _records[oid].request;
        if (asked.left == 0 || piece < asked.first || piece - asked.first >= asked.count) return false;
        uint256 place = piece - asked.first;
        return _answered[oid][asked.number][place >> 8] >> (place & 255) & 1 == 0;
    }

    function _context(uint256 oid, address provider, bytes32 clientKey, bytes32 ephemeralKey)
        internal
        view
        returns (bytes32)
    {
        return keccak256(
            abi.encode("Assay private order", block.chainid, address(this), oid, provider, clientKey, ephemeralKey)
        );
    }

    function _spend(uint256 oid, uint256 amount) private {
        // checked: an order's account cannot be overdrawn
        // forge-lint: disable-next-line(unsafe-typecast)
        _records[oid].held -= uint128(amount);
    }

    function _handoverPhase(Record storage r) private view returns (PrivatePhase) {
        return block.timestamp < r.handoverUntil ? PrivatePhase.Handover : PrivatePhase.Overdue;
    }

    function _disputePhase(Record storage r) private view returns (PrivatePhase) {
        bool pending = r.request.left != 0;
        if (pending && block.timestamp >= r.request.until) return PrivatePhase.Unanswered;
        return pending || block.timestamp < r.disputeUntil ? PrivatePhase.Dispute : PrivatePhase.Payable;
    }
}

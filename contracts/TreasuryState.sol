// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IAggregatorCommittee } from "./interfaces/IAggregatorCommittee.sol";
import { IParameters } from "./interfaces/IParameters.sol";
import { Holding, IRewardTreasury, Payout } from "./interfaces/IRewardTreasury.sol";
import { Commitments } from "./libraries/Commitments.sol";

/// @title What the treasury holds and owes, and how it takes charge of a sealed order
abstract contract TreasuryState is IRewardTreasury, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev `Holding`, packed in three slots; `stall` is from `sealedAt` to `directAt`, in seconds (at most 30 days).
    struct Deposit {
        bytes32 payoutsHash;
        uint128 amount;
        uint120 tax;
        bool paid;
        address client;
        uint40 sealedAt;
        uint24 stall;
        uint32 sequence;
    }

    /// @dev One slot: what every path of settling reads and writes.
    struct Counters {
        uint128 held;
        uint32 sealedCount;
        uint32 settledOtherwise;
        uint32 coveredUpTo;
    }

    /// @dev One slot: `total` given to accounts by the `cycles` roots that stand, `paid` of it claimed. All but the last
    /// `waiting` are known to have taken effect, so that a claim need not look.
    struct Totals {
        uint104 total;
        uint104 paid;
        uint32 cycles;
        uint16 waiting;
    }

    IERC20 internal immutable _TOKEN;
    IParameters internal immutable _PARAMETERS;
    address internal immutable _PROOF;
    IAggregatorCommittee internal immutable _COMMITTEE;

    uint256 private _owed;
    Counters internal _counters;
    Totals internal _totals;
    mapping(address account => uint256) private _balances;
    mapping(uint256 oid => Deposit) internal _deposits;
    mapping(uint256 sequence => bytes32) internal _histories;

    modifier onlyProofOfTraining() {
        if (msg.sender != _PROOF) revert OnlyProofOfTraining(_PROOF, msg.sender);
        _;
    }

    constructor(IERC20 token_, IParameters parameters_, address proofOfTraining_, IAggregatorCommittee committee_) {
        _TOKEN = token_;
        _PARAMETERS = parameters_;
        _PROOF = proofOfTraining_;
        _COMMITTEE = committee_;
    }

    /// @inheritdoc IRewardTreasury
    function hold(uint256 oid, bytes32 payoutsHash, uint256 amount, uint256 tax, address client)
        external
        onlyProofOfTraining
    {
        Counters memory c = _counters;
        uint24 stall = uint256(_PARAMETERS.stallDelay()).toUint24();
        ++c.sealedCount;
        _deposit(
            oid,
            Deposit({
                payoutsHash: payoutsHash,
                amount: amount.toUint128(),
                tax: tax.toUint120(),
                paid: false,
                client: client,
                sealedAt: uint40(block.timestamp),
                stall: stall,
                sequence: c.sealedCount
            })
        );
        _histories[c.sealedCount] = keccak256(abi.encode(_histories[c.sealedCount - 1], oid, payoutsHash));
        c.held += amount.toUint128();
        _counters = c;
        _emitHeld(oid);
    }

    /// @inheritdoc IRewardTreasury
    function refund(uint256 oid, address client, uint256 amount) external onlyProofOfTraining {
        _deposit(
            oid,
            Deposit({
                payoutsHash: 0,
                amount: amount.toUint128(),
                tax: 0,
                paid: true,
                client: client,
                sealedAt: uint40(block.timestamp),
                stall: 0,
                sequence: 0
            })
        );
        emit Refunded(oid, client, amount);
        _credit(oid, client, amount);
    }

    /// @inheritdoc IRewardTreasury
    function claimRewards(address account) external nonReentrant {
        uint256 amount = _balances[account];
        if (amount == 0) revert NothingToClaim(account);
        _balances[account] = 0;
        _owed -= amount;
        emit RewardsClaimed(account, amount);
        _TOKEN.safeTransfer(account, amount);
    }

    /// @inheritdoc IRewardTreasury
    function balanceOf(address account) external view returns (uint256) {
        return _balances[account];
    }

    /// @inheritdoc IRewardTreasury
    function totalOwed() external view returns (uint256) {
        return _owed;
    }

    /// @inheritdoc IRewardTreasury
    function totalHeld() external view returns (uint256) {
        return _counters.held;
    }

    /// @inheritdoc IRewardTreasury
    function rootTotals() external view returns (uint256 total, uint256 paid) {
        return (_totals.total, _totals.paid);
    }

    /// @inheritdoc IRewardTreasury
    function cycles() external view returns (uint64) {
        return _totals.cycles;
    }

    /// @inheritdoc IRewardTreasury
    function sealedCount() external view returns (uint32) {
        return _counters.sealedCount;
    }

    /// @inheritdoc IRewardTreasury
    function settledOtherwise() external view returns (uint32) {
        return _counters.settledOtherwise;
    }

    /// @inheritdoc IRewardTreasury
    function coveredUpTo() external view returns (uint32) {
        return _counters.coveredUpTo;
    }

    /// @inheritdoc IRewardTreasury
    function historyAt(uint32 sequence) external view returns (bytes32) {
        return _histories[sequence];
    }

    /// @inheritdoc IRewardTreasury
    function holdingOf(uint256 oid) external view returns (Holding memory) {
        Deposit storage d = _deposits[oid];
        return Holding({
            payoutsHash: d.payoutsHash,
            amount: d.amount,
            tax: d.tax,
            sealedAt: d.sealedAt,
            directAt: _directAt(d),
            client: d.client,
            paid: d.paid,
            sequence: d.sequence
        });
    }

    /// @inheritdoc IRewardTreasury
    function token() external view returns (address) {
        return address(_TOKEN);
    }

    /// @inheritdoc IRewardTreasury
    function parameters() external view returns (address) {
        return address(_PARAMETERS);
    }

    /// @inheritdoc IRewardTreasury
    function proofOfTraining() external view returns (address) {
        return _PROOF;
    }

    /// @inheritdoc IRewardTreasury
    function committee() external view returns (address) {
        return address(_COMMITTEE);
    }

    function _credit(uint256 oid, address account, uint256 amount) internal {
        // slither-disable-next-line incorrect-equality
        if (amount == 0) return;
        uint256 balance = _balances[account] + amount;
        _balances[account] = balance;
        _owed += amount;
        emit Credited(oid, account, amount, balance);
    }

    function _requirePayouts(uint256 oid, Payout[] calldata payouts) internal view {
        Deposit storage d = _deposits[oid];
        bytes32 actual = Commitments.payouts(oid, payouts, d.tax);
        if (actual != d.payoutsHash) revert PayoutsMismatch(d.payoutsHash, actual);
    }

    function _directAt(Deposit storage d) internal view returns (uint64) {
        return uint64(d.sealedAt) + d.stall;
    }

    /// @dev All that was promised is covered before: by what is held, owed, and left to claim against roots.
    function _deposit(uint256 oid, Deposit memory deposit) private {
        if (_deposits[oid].sealedAt != 0) revert AlreadyHeld(oid);
        uint256 expected = _owed + _counters.held + (_totals.total - _totals.paid) + deposit.amount;
        uint256 actual = _TOKEN.balanceOf(address(this));
        if (actual < expected) revert Unfunded(expected, actual);
        _deposits[oid] = deposit;
    }

    function _emitHeld(uint256 oid) private {
        Deposit storage d = _deposits[oid];
        emit Held(oid, d.client, d.payoutsHash, d.amount, d.tax, d.sealedAt, _directAt(d), d.sequence);
    }
}

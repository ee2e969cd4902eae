// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IAggregatorCommittee } from "./interfaces/IAggregatorCommittee.sol";
import { IParameters } from "./interfaces/IParameters.sol";
import { Holding, IRewardTreasury, Payout, Proposal } from "./interfaces/IRewardTreasury.sol";
import { Commitments } from "./libraries/Commitments.sol";

/// @title RewardTreasury
contract RewardTreasury is IRewardTreasury, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev `Holding`, packed.
    struct Deposit {
        bytes32 payoutsHash;
        uint128 amount;
        uint128 tax;
        address client;
        uint40 sealedAt;
        uint40 directAt;
        bool paid;
    }

    /// @dev One slot. Bit i of `confirmed` is the i-th member of the epoch; there are at most 32.
    struct Ballot {
        address proposer;
        uint64 epoch;
        uint32 confirmed;
    }

    IERC20 private immutable _TOKEN;
    IParameters private immutable _PARAMETERS;
    address private immutable _PROOF;
    IAggregatorCommittee private immutable _COMMITTEE;

    uint256 private _owed;
    uint256 private _held;
    mapping(address account => uint256) private _balances;
    mapping(uint256 oid => Deposit) private _deposits;
    mapping(uint256 oid => Ballot) private _ballots;

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
        uint40 sealedAt = uint40(block.timestamp);
        uint40 directAt = (block.timestamp + _PARAMETERS.current().stallDelay).toUint40();
        _deposit(
            oid,
            Deposit({
                payoutsHash: payoutsHash,
                amount: amount.toUint128(),
                tax: tax.toUint128(),
                client: client,
                sealedAt: sealedAt,
                directAt: directAt,
                paid: false
            })
        );
        _held += amount;
        emit Held(oid, client, payoutsHash, amount, tax, sealedAt, directAt);
    }

    /// @inheritdoc IRewardTreasury
    function refund(uint256 oid, address client, uint256 amount) external onlyProofOfTraining {
        uint40 sealedAt = uint40(block.timestamp);
        _deposit(
            oid,
            Deposit({
                payoutsHash: 0,
                amount: amount.toUint128(),
                tax: 0,
                client: client,
                sealedAt: sealedAt,
                directAt: sealedAt,
                paid: true
            })
        );
        emit Refunded(oid, client, amount);
        _credit(oid, client, amount);
    }

    /// @inheritdoc IRewardTreasury
    function propose(uint256 oid, Payout[] calldata payouts) external {
        _requirePayable(oid, payouts);
        uint256 seat = _requireMember();
        uint64 epoch = _COMMITTEE.epoch();
        if (_isOpen(oid, epoch)) revert AlreadyProposed(oid);
        _ballots[oid] = Ballot({ proposer: msg.sender, epoch: epoch, confirmed: uint32(1 << seat) });
        emit RewardProposed(oid, msg.sender, epoch, _deposits[oid].payoutsHash);
        emit RewardConfirmed(oid, msg.sender, 1, _COMMITTEE.threshold());
    }

    /// @inheritdoc IRewardTreasury
    function confirm(uint256 oid) external {
        _requireHeld(oid);
        uint256 seat = _requireMember();
        if (!_isOpen(oid, _COMMITTEE.epoch())) revert NotProposed(oid);
        uint32 confirmed = _ballots[oid].confirmed;
        if ((confirmed >> seat) & 1 == 1) revert AlreadyConfirmed(oid, msg.sender);
        confirmed |= uint32(1 << seat);
        _ballots[oid].confirmed = confirmed;
        emit RewardConfirmed(oid, msg.sender, _ones(confirmed), _COMMITTEE.threshold());
    }

    /// @inheritdoc IRewardTreasury
    function execute(uint256 oid, Payout[] calldata payouts) external {
        _requirePayable(oid, payouts);
        _requireMember();
        if (!_isOpen(oid, _COMMITTEE.epoch())) revert NotProposed(oid);
        uint32 confirmed = _ballots[oid].confirmed;
        uint256 threshold = _COMMITTEE.threshold();
        if (_ones(confirmed) < threshold) revert ThresholdNotReached(threshold, _ones(confirmed));
        _close(oid);
        emit RewardExecuted(oid, msg.sender, _deposits[oid].payoutsHash);
        _creditAll(oid, payouts);
        _creditTax(oid, confirmed, _COMMITTEE.members());
    }

    /// @inheritdoc IRewardTreasury
    function payDirect(uint256 oid, Payout[] calldata payouts) external {
        _requirePayable(oid, payouts);
        Deposit storage d = _deposits[oid];
        if (block.timestamp < d.directAt) revert NotStalled(d.directAt, uint64(block.timestamp));
        _close(oid);
        emit RewardPaidDirectly(oid, msg.sender, d.payoutsHash);
        _creditAll(oid, payouts);
        _credit(oid, d.client, d.tax);
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
        return _held;
    }

    /// @inheritdoc IRewardTreasury
    function holdingOf(uint256 oid) external view returns (Holding memory) {
        Deposit storage d = _deposits[oid];
        return Holding({
            payoutsHash: d.payoutsHash,
            amount: d.amount,
            tax: d.tax,
            sealedAt: d.sealedAt,
            directAt: d.directAt,
            client: d.client,
            paid: d.paid
        });
    }

    /// @inheritdoc IRewardTreasury
    function proposalOf(uint256 oid) external view returns (Proposal memory) {
        Ballot storage b = _ballots[oid];
        return Proposal({ proposer: b.proposer, epoch: b.epoch, confirmations: uint16(_ones(b.confirmed)) });
    }

    /// @inheritdoc IRewardTreasury
    function hasConfirmed(uint256 oid, address member) external view returns (bool) {
        (bool sits, uint256 seat) = _COMMITTEE.seatOf(member);
        return sits && _isOpen(oid, _COMMITTEE.epoch()) && (_ballots[oid].confirmed >> seat) & 1 == 1;
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

    function _deposit(uint256 oid, Deposit memory deposit) private {
        if (_deposits[oid].sealedAt != 0) revert AlreadyHeld(oid);
        uint256 expected = _owed + _held + deposit.amount;
        uint256 actual = _TOKEN.balanceOf(address(this));
        if (actual < expected) revert Unfunded(expected, actual);
        _deposits[oid] = deposit;
    }

    /// @dev From here on the order is paid: whatever is left of the holding is credited in the same transaction.
    function _close(uint256 oid) private {
        _deposits[oid].paid = true;
        _held -= _deposits[oid].amount;
    }

    function _creditAll(uint256 oid, Payout[] calldata payouts) private {
        for (uint256 i = 0; i < payouts.length; ++i) {
            _credit(oid, payouts[i].account, payouts[i].amount);
        }
    }

    function _creditTax(uint256 oid, uint32 confirmed, address[] memory members) private {
        uint256 tax = _deposits[oid].tax;
        uint256 share = tax / _ones(confirmed);
        // slither-disable-next-line weak-prng
        uint256 dust = tax % _ones(confirmed);
        for (uint256 i = 0; i < members.length; ++i) {
            if ((confirmed >> i) & 1 == 0) continue;
            _credit(oid, members[i], share + dust);
            dust = 0;
        }
    }

    function _credit(uint256 oid, address account, uint256 amount) private {
        // slither-disable-next-line incorrect-equality
        if (amount == 0) return;
        uint256 balance = _balances[account] + amount;
        _balances[account] = balance;
        _owed += amount;
        emit Credited(oid, account, amount, balance);
    }

    function _requirePayable(uint256 oid, Payout[] calldata payouts) private view {
        _requireHeld(oid);
        Deposit storage d = _deposits[oid];
        bytes32 actual = Commitments.payouts(oid, payouts, d.tax);
        if (actual != d.payoutsHash) revert PayoutsMismatch(d.payoutsHash, actual);
    }

    function _requireHeld(uint256 oid) private view {
        Deposit storage d = _deposits[oid];
        if (d.sealedAt == 0) revert NothingHeld(oid);
        if (d.paid) revert AlreadyPaid(oid);
    }

    function _requireMember() private view returns (uint256 seat) {
        bool sits;
        (sits, seat) = _COMMITTEE.seatOf(msg.sender);
        if (!sits) revert NotAMember(msg.sender);
    }

    /// @return whether the order has a proposal of this epoch
    function _isOpen(uint256 oid, uint64 epoch) private view returns (bool) {
        return _ballots[oid].proposer != address(0) && _ballots[oid].epoch == epoch;
    }

    function _ones(uint32 bits) private pure returns (uint256 count) {
        for (; bits != 0; bits &= bits - 1) {
            ++count;
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IRewardTreasury, Payout, Proposal } from "./interfaces/IRewardTreasury.sol";
import { TreasuryState } from "./TreasuryState.sol";

/// @title One order at a time: the paper's multisig, and direct payment
abstract contract TreasuryMultisig is TreasuryState {
    /// @dev One slot. Bit i of `confirmed` is the i-th member of the epoch; whoever proposes confirms, so it is not 0.
    struct Ballot {
        uint128 confirmed;
        uint64 epoch;
    }

    mapping(uint256 oid => Ballot) private _ballots;

    /// @inheritdoc IRewardTreasury
    function propose(uint256 oid, Payout[] calldata payouts) external {
        _requireOpen(oid);
        _requirePayouts(oid, payouts);
        uint256 seat = _requireMember();
        uint64 epoch = _COMMITTEE.epoch();
        if (_isOpen(oid, epoch)) revert AlreadyProposed(oid);
        _ballots[oid] = Ballot({ confirmed: uint128(1 << seat), epoch: epoch });
        emit RewardProposed(oid, msg.sender, epoch, _deposits[oid].payoutsHash);
        emit RewardConfirmed(oid, msg.sender, 1, _COMMITTEE.threshold());
    }

    /// @inheritdoc IRewardTreasury
    function confirm(uint256 oid) external {
        _requireOpen(oid);
        uint256 seat = _requireMember();
        if (!_isOpen(oid, _COMMITTEE.epoch())) revert NotProposed(oid);
        uint128 confirmed = _ballots[oid].confirmed;
        if ((confirmed >> seat) & 1 == 1) revert AlreadyConfirmed(oid, msg.sender);
        confirmed |= uint128(1 << seat);
        _ballots[oid].confirmed = confirmed;
        emit RewardConfirmed(oid, msg.sender, _ones(confirmed), _COMMITTEE.threshold());
    }

    /// @inheritdoc IRewardTreasury
    function execute(uint256 oid, Payout[] calldata payouts) external {
        _requireOpen(oid);
        _requirePayouts(oid, payouts);
        _requireMember();
        if (!_isOpen(oid, _COMMITTEE.epoch())) revert NotProposed(oid);
        uint128 confirmed = _ballots[oid].confirmed;
        uint256 threshold = _COMMITTEE.threshold();
        if (_ones(confirmed) < threshold) revert ThresholdNotReached(threshold, _ones(confirmed));
        _close(oid);
        emit RewardExecuted(oid, msg.sender, _deposits[oid].payoutsHash);
        _creditAll(oid, payouts);
        _creditTax(oid, confirmed, _COMMITTEE.members());
    }

    /// @inheritdoc IRewardTreasury
    function payDirect(uint256 oid, Payout[] calldata payouts) external {
        _requireOpen(oid);
        _requirePayouts(oid, payouts);
        Deposit storage d = _deposits[oid];
        if (block.timestamp < _directAt(d)) revert NotStalled(_directAt(d), uint64(block.timestamp));
        _close(oid);
        emit RewardPaidDirectly(oid, msg.sender, d.payoutsHash);
        _creditAll(oid, payouts);
        _credit(oid, d.client, d.tax);
    }

    /// @inheritdoc IRewardTreasury
    function proposalOf(uint256 oid) external view returns (Proposal memory) {
        Ballot storage b = _ballots[oid];
        return Proposal({ epoch: b.epoch, confirmations: uint16(_ones(b.confirmed)) });
    }

    /// @inheritdoc IRewardTreasury
    function hasConfirmed(uint256 oid, address member) external view returns (bool) {
        (bool sits, uint256 seat) = _COMMITTEE.seatOf(member);
        return sits && _isOpen(oid, _COMMITTEE.epoch()) && (_ballots[oid].confirmed >> seat) & 1 == 1;
    }

    /// @dev From here on the order is paid: whatever is left of the holding is credited in the same transaction.
    function _close(uint256 oid) private {
        Deposit storage d = _deposits[oid];
        Counters memory c = _counters;
        if (d.amount > c.held) revert TakenByRoot(d.amount, c.held);
        d.paid = true;
        c.held -= d.amount;
        ++c.settledOtherwise;
        _counters = c;
    }

    function _creditAll(uint256 oid, Payout[] calldata payouts) private {
        for (uint256 i = 0; i < payouts.length; ++i) {
            _credit(oid, payouts[i].account, payouts[i].amount);
        }
    }

    function _creditTax(uint256 oid, uint128 confirmed, address[] memory members) private {
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

    function _requireOpen(uint256 oid) private view {
        Deposit storage d = _deposits[oid];
        if (d.sealedAt == 0) revert NothingHeld(oid);
        if (d.paid) revert AlreadyPaid(oid);
        uint32 covered = _counters.coveredUpTo;
        if (d.sequence <= covered) revert CoveredByRoot(oid, d.sequence, covered);
    }

    function _requireMember() private view returns (uint256 seat) {
        bool sits;
        (sits, seat) = _COMMITTEE.seatOf(msg.sender);
        if (!sits) revert NotAMember(msg.sender);
    }

    /// @return whether the order has a proposal of this epoch
    function _isOpen(uint256 oid, uint64 epoch) private view returns (bool) {
        return _ballots[oid].confirmed != 0 && _ballots[oid].epoch == epoch;
    }

    function _ones(uint128 bits) private pure returns (uint256 count) {
        for (; bits != 0; bits &= bits - 1) {
            ++count;
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IAggregatorCommittee } from "./interfaces/IAggregatorCommittee.sol";
import { IParameters, ProtocolParameters } from "./interfaces/IParameters.sol";
import { IStakeVault, Role } from "./interfaces/IStakeVault.sol";
import { Quorum } from "./libraries/Quorum.sol";

/// @title AggregatorCommittee
contract AggregatorCommittee is IAggregatorCommittee, ReentrancyGuardTransient {
    using SafeCast for uint256;

    /// @dev `sequence` orders candidates of equal stake; `seatEpoch` is the last epoch this account sat in, `seat` its
    /// index there; `place` its index among the candidates, from 1, 0 for none.
    struct Candidate {
        uint128 stake;
        uint32 sequence;
        uint64 seatEpoch;
        uint8 seat;
        uint8 place;
    }

    /// @dev Twice the most members there can be, so that there is a bench.
    uint256 private constant MAX_CANDIDATES = 64;
    bytes32 private constant REF = "committee";

    IParameters private immutable _PARAMETERS;
    IStakeVault private immutable _VAULT;

    uint64 private _epoch;
    uint64 private _endsAt;
    uint32 private _sequence;
    address[] private _members;
    address[] private _candidates;
    mapping(address account => Candidate) private _byAccount;

    constructor(IParameters parameters_, IStakeVault vault_) {
        _PARAMETERS = parameters_;
        _VAULT = vault_;
    }

    /// @inheritdoc IAggregatorCommittee
    function join(uint256 stake) external nonReentrant {
        Candidate storage mine = _byAccount[msg.sender];
        if (mine.stake != 0) revert AlreadyCandidate(msg.sender);
        uint256 least = _PARAMETERS.minimumBond(Role.Aggregator);
        if (stake < least) revert StakeTooSmall(least, stake);
        address displaced = _candidates.length == MAX_CANDIDATES ? _displaceLowest(stake) : address(0);
        _candidates.push(msg.sender);
        mine.place = uint8(_candidates.length);
        // A stake that does not fit is one that no bond covers: the lock below reverts.
        mine.stake = uint128(stake);
        mine.sequence = ++_sequence;
        emit CandidateJoined(msg.sender, stake);
        if (displaced != address(0)) _releaseUnlessSitting(displaced);
        _VAULT.lock(msg.sender, Role.Aggregator, stake, REF);
    }

    /// @inheritdoc IAggregatorCommittee
    function leave() external nonReentrant {
        if (_byAccount[msg.sender].place == 0) revert NotACandidate(msg.sender);
        _unlist(msg.sender);
        _releaseUnlessSitting(msg.sender);
    }

    /// @inheritdoc IAggregatorCommittee
    function releaseStake(address account) external nonReentrant {
        Candidate storage theirs = _byAccount[account];
        if (theirs.stake == 0 || theirs.place != 0) revert NotACandidate(account);
        if (_sits(theirs)) revert StakeStillBound(_epoch + 1, _epoch);
        _release(account);
    }

    /// @inheritdoc IAggregatorCommittee
    function advanceEpoch() external {
        if (block.timestamp < _endsAt) revert EpochNotOver(_endsAt, uint64(block.timestamp));
        if (_candidates.length == 0 && _members.length == 0) revert NoCandidates();
        ProtocolParameters memory p = _PARAMETERS.current();
        uint64 epoch_ = ++_epoch;
        _endsAt = (block.timestamp + p.epochSeconds).toUint64();
        address[] memory elected = _elect(p.maxMembers);
        for (uint256 i = 0; i < elected.length; ++i) {
            _byAccount[elected[i]].seatEpoch = epoch_;
            _byAccount[elected[i]].seat = uint8(i);
        }
        _members = elected;
        emit EpochStarted(epoch_, elected, Quorum.threshold(elected.length), _endsAt);
    }

    /// @inheritdoc IAggregatorCommittee
    function epoch() external view returns (uint64) {
        return _epoch;
    }

    /// @inheritdoc IAggregatorCommittee
    function epochEndsAt() external view returns (uint64) {
        return _endsAt;
    }

    /// @inheritdoc IAggregatorCommittee
    function members() external view returns (address[] memory) {
        return _members;
    }

    /// @inheritdoc IAggregatorCommittee
    function candidates() external view returns (address[] memory) {
        return _candidates;
    }

    /// @inheritdoc IAggregatorCommittee
    function isMember(address account) external view returns (bool) {
        return _sits(_byAccount[account]);
    }

    /// @inheritdoc IAggregatorCommittee
    function seatOf(address account) external view returns (bool, uint256) {
        Candidate storage theirs = _byAccount[account];
        return (_sits(theirs), theirs.seat);
    }

    /// @inheritdoc IAggregatorCommittee
    function threshold() external view returns (uint256) {
        return Quorum.threshold(_members.length);
    }

    /// @inheritdoc IAggregatorCommittee
    function stakeOf(address account) external view returns (uint256) {
        return _byAccount[account].stake;
    }

    /// @inheritdoc IAggregatorCommittee
    function parameters() external view returns (address) {
        return address(_PARAMETERS);
    }

    /// @inheritdoc IAggregatorCommittee
    function vault() external view returns (address) {
        return address(_VAULT);
    }

    function _displaceLowest(uint256 stake) private returns (address lowest) {
        lowest = _candidates[0];
        for (uint256 i = 1; i < MAX_CANDIDATES; ++i) {
            if (_ranksAbove(lowest, _candidates[i])) lowest = _candidates[i];
        }
        uint256 least = uint256(_byAccount[lowest].stake) + 1;
        if (stake < least) revert StakeTooSmall(least, stake);
        _unlist(lowest);
    }

    function _unlist(address account) private {
        Candidate storage theirs = _byAccount[account];
        address last = _candidates[_candidates.length - 1];
        _candidates[theirs.place - 1] = last;
        _byAccount[last].place = theirs.place;
        _candidates.pop();
        theirs.place = 0;
        emit CandidateLeft(account, _sits(theirs) ? _epoch + 1 : _epoch);
    }

    function _releaseUnlessSitting(address account) private {
        if (!_sits(_byAccount[account])) _release(account);
    }

    function _release(address account) private {
        uint256 stake = _byAccount[account].stake;
        _byAccount[account].stake = 0;
        emit StakeReleased(account, stake);
        _VAULT.unlock(account, Role.Aggregator, stake, REF);
    }

    /// @dev The `seats` highest candidates, highest first: an insertion sort, for there are at most 64.
    function _elect(uint256 seats) private view returns (address[] memory elected) {
        address[] memory order = _candidates;
        for (uint256 i = 1; i < order.length; ++i) {
            address candidate = order[i];
            uint256 j = i;
            for (; j > 0 && _ranksAbove(candidate, order[j - 1]); --j) {
                order[j] = order[j - 1];
            }
            order[j] = candidate;
        }
        elected = new address[](order.length < seats ? order.length : seats);
        for (uint256 i = 0; i < elected.length; ++i) {
            elected[i] = order[i];
        }
    }

    /// @return whether `a` has the higher stake, or joined earlier with the same
    function _ranksAbove(address a, address b) private view returns (bool) {
        Candidate storage x = _byAccount[a];
        Candidate storage y = _byAccount[b];
        return x.stake == y.stake ? x.sequence < y.sequence : x.stake > y.stake;
    }

    function _sits(Candidate storage candidate) private view returns (bool) {
        return _epoch != 0 && candidate.seatEpoch == _epoch;
    }
}

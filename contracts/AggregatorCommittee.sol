// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IAggregatorCommittee } from "./interfaces/IAggregatorCommittee.sol";
import { IParameters, ProtocolParameters } from "./interfaces/IParameters.sol";
import { IStakeVault, Role } from "./interfaces/IStakeVault.sol";
import { Certificates } from "./libraries/Certificates.sol";
import { Quorum } from "./libraries/Quorum.sol";
import { RewardRoot, RewardRoots } from "./libraries/RewardRoots.sol";

/// @title AggregatorCommittee
contract AggregatorCommittee is IAggregatorCommittee, EIP712, ReentrancyGuardTransient {
    using SafeCast for uint256;

    /// @dev `sequence` orders candidates of equal stake; `seatEpoch` is the last epoch this account sat in, `seat` its
    /// index there; `place` its index among the candidates, from 1, 0 for none; `released` the most that it ever got back
    /// unlocked, of which it still has to answer with what is left of its bond.
    struct Candidate {
        uint128 stake;
        uint32 sequence;
        uint64 seatEpoch;
        uint8 seat;
        uint8 place;
        uint128 released;
    }

    /// @dev More than there can be members, so that there is a bench.
    uint256 private constant MAX_CANDIDATES = 128;
    uint256 private constant MAX_ENDPOINT = 256;
    uint256 private constant SIGNATURE = Certificates.SIGNATURE;
    bytes32 private constant REF = "committee";

    IParameters private immutable _PARAMETERS;
    IStakeVault private immutable _VAULT;
    address private immutable _TREASURY;

    uint64 private _epoch;
    uint64 private _endsAt;
    uint32 private _sequence;
    bool private _suspended;
    address[] private _members;
    address[] private _candidates;
    mapping(address account => Candidate) private _byAccount;
    mapping(uint64 epoch => bytes32) private _membersHashes;
    /// @dev Seats, so that nobody is slashed twice for an epoch.
    mapping(uint64 epoch => uint128) private _slashed;

    constructor(IParameters parameters_, IStakeVault vault_, address treasury_) EIP712("Assay", "1") {
        _PARAMETERS = parameters_;
        _VAULT = vault_;
        _TREASURY = treasury_;
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
    function announce(string calldata endpoint) external {
        Candidate storage mine = _byAccount[msg.sender];
        if (mine.place == 0 && !_sits(mine)) revert NotACandidate(msg.sender);
        if (bytes(endpoint).length > MAX_ENDPOINT) revert EndpointTooLong(MAX_ENDPOINT, bytes(endpoint).length);
        emit EndpointAnnounced(msg.sender, endpoint);
    }

    /// @inheritdoc IAggregatorCommittee
    function slashSigners(uint64 epoch_, address[] calldata members_, uint128 signers, address beneficiary)
        external
        nonReentrant
    {
        if (msg.sender != _TREASURY) revert OnlyTreasury(_TREASURY, msg.sender);
        _requireMembers(epoch_, members_, signers);
        uint128 fresh = signers & ~_slashed[epoch_];
        _slashed[epoch_] |= signers;
        // slither-disable-start calls-loop,reentrancy-no-eth
        for (uint256 seat = 0; seat < members_.length; ++seat) {
            if ((fresh >> seat) & 1 == 1) _slash(epoch_, members_[seat], beneficiary);
        }
        // slither-disable-end calls-loop,reentrancy-no-eth
    }

    /// @inheritdoc IAggregatorCommittee
    function slashEquivocation(
        RewardRoot calldata a,
        bytes calldata signatureA,
        RewardRoot calldata b,
        bytes calldata signatureB,
        address[] calldata members_
    ) external nonReentrant {
        if (a.epoch != b.epoch || a.attempt != b.attempt) revert NoEquivocation();
        _requireMembers(a.epoch, members_, 0);
        address signer = _signerOfBoth(RewardRoots.structHash(a), signatureA, RewardRoots.structHash(b), signatureB);
        uint128 mark = uint128(1 << _seatIn(a.epoch, members_, signer));
        if (_slashed[a.epoch] & mark != 0) revert AlreadySlashed(a.epoch, signer);
        _slashed[a.epoch] |= mark;
        _slash(a.epoch, signer, msg.sender);
    }

    /// @inheritdoc IAggregatorCommittee
    function advanceEpoch() external {
        if (block.timestamp < _endsAt) revert EpochNotOver(_endsAt, uint64(block.timestamp));
        if (_candidates.length == 0 && _members.length == 0) revert NoCandidates();
        ProtocolParameters memory p = _PARAMETERS.current();
        uint64 epoch_ = ++_epoch;
        _endsAt = (block.timestamp + p.epochSeconds).toUint64();
        _suspended = false;
        address[] memory elected = _elect(p.maxMembers);
        for (uint256 i = 0; i < elected.length; ++i) {
            _byAccount[elected[i]].seatEpoch = epoch_;
            _byAccount[elected[i]].seat = uint8(i);
        }
        _members = elected;
        _membersHashes[epoch_] = keccak256(abi.encodePacked(elected));
        emit EpochStarted(epoch_, elected, Quorum.threshold(elected.length), _endsAt);
    }

    /// @inheritdoc IAggregatorCommittee
    function requireCertificate(
        bytes32 structHash,
        uint64 epoch_,
        address[] calldata members_,
        uint128 signers,
        bytes calldata signatures
    ) external view {
        if (epoch_ != _epoch) revert NotTheEpoch(_epoch, epoch_);
        if (_suspended) revert Suspended(epoch_);
        _requireMembers(epoch_, members_, signers);
        uint256 length = signatures.length;
        uint256 least = Quorum.threshold(members_.length);
        if (length < least * SIGNATURE) revert TooFewSigners(least, length / SIGNATURE);
        (uint256 seat, uint256 used, address actual) =
            Certificates.firstWrong(_hashTypedDataV4(structHash), members_, signers, signatures);
        if (signers >> seat != 0) {
            if (used + SIGNATURE > length) revert WrongSignatureLength(used + SIGNATURE, length);
            revert WrongSigner(seat, members_[seat], actual);
        }
        if (used != length) revert WrongSignatureLength(used, length);
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
    function isSuspended() external view returns (bool) {
        return _suspended;
    }

    /// @inheritdoc IAggregatorCommittee
    function membersHashOf(uint64 epoch_) external view returns (bytes32) {
        return _membersHashes[epoch_];
    }

    /// @inheritdoc IAggregatorCommittee
    function slashedOf(uint64 epoch_) external view returns (uint128) {
        return _slashed[epoch_];
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

    /// @inheritdoc IAggregatorCommittee
    function treasury() external view returns (address) {
        return _TREASURY;
    }

    // Few members are slashed at once, and a root that is wrong is to fall whatever that costs.
    // slither-disable-start calls-loop,costly-loop
    /// @dev All that is locked, and of what was unlocked since as much as is there: who has left has not been paid out, for
    /// the fraud window is no longer than the exit. Nothing here may fail, or a wrong root would stand.
    function _slash(uint64 epoch_, address account, address beneficiary) private {
        Candidate storage theirs = _byAccount[account];
        if (_sits(theirs)) _suspend();
        uint256 amount = theirs.stake;
        theirs.stake = 0;
        theirs.seatEpoch = 0;
        if (theirs.place != 0) _unlist(account);
        ProtocolParameters memory p = _PARAMETERS.current();
        uint256 due = amount == 0 && theirs.released < p.aggregatorMinimum ? p.aggregatorMinimum : theirs.released;
        if (amount != 0) {
            _VAULT.slashLocked(account, Role.Aggregator, amount, beneficiary, p.reporterSharePpm, REF);
        }
        if (due > amount) {
            amount += _VAULT.slashFree(account, Role.Aggregator, due - amount, beneficiary, p.reporterSharePpm, REF);
        }
        // slither-disable-next-line reentrancy-events
        emit MemberSlashed(account, epoch_, amount, beneficiary);
    }

    function _suspend() private {
        if (_suspended) return;
        _suspended = true;
        if (block.timestamp < _endsAt) _endsAt = uint64(block.timestamp);
        emit EpochSuspended(_epoch);
    }
    // slither-disable-end calls-loop,costly-loop

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
        // slither-disable-next-line costly-loop
        _candidates.pop();
        theirs.place = 0;
        emit CandidateLeft(account, _sits(theirs) ? _epoch + 1 : _epoch);
    }

    function _releaseUnlessSitting(address account) private {
        if (!_sits(_byAccount[account])) _release(account);
    }

    function _release(address account) private {
        Candidate storage theirs = _byAccount[account];
        uint128 stake = theirs.stake;
        theirs.stake = 0;
        if (stake > theirs.released) theirs.released = stake;
        emit StakeReleased(account, stake);
        _VAULT.unlock(account, Role.Aggregator, stake, REF);
    }

    /// @dev The `seats` highest candidates, highest first: an insertion sort of one key for each, for there are at most
    /// 128. A key is the stake, then how early it joined, then its index.
    function _elect(uint256 seats) private view returns (address[] memory elected) {
        address[] memory standing = _candidates;
        uint256[] memory order = new uint256[](standing.length);
        for (uint256 i = 0; i < order.length; ++i) {
            Candidate storage candidate = _byAccount[standing[i]];
            uint256 key = uint256(candidate.stake) << 40 | uint256(type(uint32).max - candidate.sequence) << 8 | i;
            uint256 j = i;
            for (; j > 0 && key > order[j - 1]; --j) {
                order[j] = order[j - 1];
            }
            order[j] = key;
        }
        elected = new address[](order.length < seats ? order.length : seats);
        for (uint256 i = 0; i < elected.length; ++i) {
            elected[i] = standing[uint8(order[i])];
        }
    }

    function _requireMembers(uint64 epoch_, address[] calldata members_, uint128 signers) private view {
        bytes32 actual = Certificates.hashOf(members_);
        if (actual != _membersHashes[epoch_]) revert WrongMembers(_membersHashes[epoch_], actual);
        if (signers >> members_.length != 0) revert NoSuchSeat(members_.length, signers);
    }

    function _signerOfBoth(bytes32 a, bytes calldata signatureA, bytes32 b, bytes calldata signatureB)
        private
        view
        returns (address signer)
    {
        if (a == b) revert NoEquivocation();
        signer = _signerOf(a, signatureA);
        address other = _signerOf(b, signatureB);
        if (other != signer) revert DifferentSigners(signer, other);
    }

    /// @return nobody when it is no signature
    function _signerOf(bytes32 structHash, bytes calldata signature) private view returns (address) {
        if (signature.length != SIGNATURE) revert WrongSignatureLength(SIGNATURE, signature.length);
        // slither-disable-next-line unused-return
        (address signer,,) =
            ECDSA.tryRecover(_hashTypedDataV4(structHash), bytes32(signature[:32]), bytes32(signature[32:]));
        return signer;
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

    function _seatIn(uint64 epoch_, address[] calldata members_, address account) private pure returns (uint256 seat) {
        for (; seat < members_.length; ++seat) {
            if (members_[seat] == account) return seat;
        }
        revert NotAMemberOf(epoch_, account);
    }
}

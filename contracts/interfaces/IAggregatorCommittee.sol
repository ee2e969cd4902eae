// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { RewardRoot } from "../libraries/RewardRoots.sol";

/// @title The aggregators of an epoch
/// @notice Candidates lock a stake; at the start of each epoch those with the most form the committee. The quorum k is
/// the least with which two quorums share an honest member when f = (n-1)/3 lie: k = ceil((n+f+1)/2), which is 2f+1 at
/// n = 3f+1. Epochs do not turn by themselves: a committee sits until someone, who may be anyone, starts the next.
/// There are at most 100 members and 128 candidates. Members sign rewards (docs/rewards.md) under the EIP-712 domain
/// ("Assay", "1", chain id, this contract); who signs what is wrong, or two things in one place, loses its stake.
interface IAggregatorCommittee {
    event CandidateJoined(address indexed account, uint256 stake);
    /// @notice The stake is free from the epoch `freeFromEpoch` on; at once if that is not later than the present one.
    event CandidateLeft(address indexed account, uint64 freeFromEpoch);
    event StakeReleased(address indexed account, uint256 stake);
    event EpochStarted(uint64 indexed epoch, address[] members, uint256 threshold, uint64 endsAt);
    /// @notice No certificate of this epoch is accepted any more, and anyone may start the next.
    event EpochSuspended(uint64 indexed epoch);
    /// @notice `account` lost `amount` for what it signed as a member of `epoch`; it neither sits nor stands any more.
    event MemberSlashed(address indexed account, uint64 indexed epoch, uint256 amount, address indexed beneficiary);
    /// @notice Where the account's node can be reached by the others.
    event EndpointAnnounced(address indexed account, string endpoint);

    error AlreadyCandidate(address account);
    error NotACandidate(address account);
    error StakeTooSmall(uint256 expected, uint256 actual);
    error EpochNotOver(uint64 expected, uint64 actual);
    error NoCandidates();
    error StakeStillBound(uint64 expected, uint64 actual);
    error OnlyTreasury(address expected, address actual);
    error EndpointTooLong(uint256 expected, uint256 actual);
    error NotTheEpoch(uint64 expected, uint64 actual);
    error Suspended(uint64 epoch);
    error WrongMembers(bytes32 expected, bytes32 actual);
    /// @notice A bit of `signers` is no member.
    error NoSuchSeat(uint256 members, uint128 signers);
    error TooFewSigners(uint256 expected, uint256 actual);
    error WrongSignatureLength(uint256 expected, uint256 actual);
    error WrongSigner(uint256 seat, address expected, address actual);
    /// @notice `account` did not sit in `epoch`.
    error NotAMemberOf(uint64 epoch, address account);
    error DifferentSigners(address a, address b);
    /// @notice Statements of different epochs or attempts, or the same twice.
    error NoEquivocation();
    error AlreadySlashed(uint64 epoch, address account);

    /// @notice Offers the caller as a member from the next epoch on and locks `stake` of its aggregator bond. When there
    /// are as many candidates as there may be, only a higher stake displaces the lowest (the latest of them on a tie).
    /// @dev Reverts with AlreadyCandidate (also while a former stake is bound), StakeTooSmall, the vault's
    /// InsufficientFreeBond. Emits CandidateLeft for the displaced, CandidateJoined.
    function join(uint256 stake) external;

    /// @notice Withdraws the caller's candidacy; a sitting member serves its epoch to the end and has its stake bound as
    /// long, the stake of any other is free at once.
    /// @dev Reverts with NotACandidate. Emits CandidateLeft, StakeReleased.
    function leave() external;

    /// @notice Frees the stake of a former candidate once the epoch it served in is over. Anyone.
    /// @dev Reverts with NotACandidate (no stake, or still a candidate), StakeStillBound. Emits StakeReleased.
    function releaseStake(address account) external;

    /// @notice Says where the caller's node can be reached, in at most 256 bytes. Candidates and members.
    /// @dev Reverts with NotACandidate, EndpointTooLong. Emits EndpointAnnounced.
    function announce(string calldata endpoint) external;

    /// @notice Slashes members of `epoch_` for a root that was refuted: all that they have locked, or, when nothing is,
    /// as much as it ever stood with (at least the least bond) from what is free or leaving. Each loses seat and candidacy;
    /// each is slashed once for an epoch. When one of them sits in the present epoch, that is suspended. The treasury only.
    /// @param members_ those of the epoch, in order
    /// @param signers bit i is the i-th member
    /// @param beneficiary has the reporter's share, the rest is burned
    /// @dev Reverts with OnlyTreasury, WrongMembers, NoSuchSeat. Emits MemberSlashed, CandidateLeft, EpochSuspended.
    function slashSigners(uint64 epoch_, address[] calldata members_, uint128 signers, address beneficiary) external;

    /// @notice Slashes a member that signed two statements of the same epoch and attempt, like `slashSigners`; the
    /// reporter's share is the caller's. Anyone.
    /// @param signatureA,signatureB 64 bytes each (EIP-2098)
    /// @param members_ those of the epoch, in order
    /// @dev Reverts with NoEquivocation, WrongMembers, WrongSignatureLength, DifferentSigners, NotAMemberOf,
    /// AlreadySlashed. Emits MemberSlashed, CandidateLeft, EpochSuspended.
    function slashEquivocation(
        RewardRoot calldata a,
        bytes calldata signatureA,
        RewardRoot calldata b,
        bytes calldata signatureB,
        address[] calldata members_
    ) external;

    /// @notice Starts the next epoch with the highest stakes as members (the earlier candidate on a tie). Anyone, once the
    /// present epoch is over (at once for the first, or when it is suspended). With no candidates left the sitting members are released and the
    /// committee is empty: orders are then paid directly.
    /// @dev Reverts with EpochNotOver, NoCandidates (nobody sits either). Emits EpochStarted.
    function advanceEpoch() external;

    /// @notice Succeeds if members of `epoch_`, which is the present one and not suspended, have signed, at least the
    /// threshold of them.
    /// @param structHash EIP-712 hash of what they signed
    /// @param members_ those of the epoch, in order
    /// @param signers bit i is the i-th member
    /// @param signatures 64 bytes (EIP-2098) for each signer, in the members' order
    /// @dev Reverts with NotTheEpoch, Suspended, WrongMembers, NoSuchSeat, TooFewSigners, WrongSignatureLength, WrongSigner.
    function requireCertificate(
        bytes32 structHash,
        uint64 epoch_,
        address[] calldata members_,
        uint128 signers,
        bytes calldata signatures
    ) external view;

    /// @return the present epoch; 0 before the first
    function epoch() external view returns (uint64);

    /// @return when the next epoch may start
    function epochEndsAt() external view returns (uint64);

    /// @return whether the present epoch is suspended
    function isSuspended() external view returns (bool);

    /// @return the members of the present epoch, by stake; their order is fixed while it lasts. Those who were slashed
    /// meanwhile are still listed, so that the places of the others stay
    function members() external view returns (address[] memory);

    /// @return keccak256(abi.encodePacked(members)) of any epoch until now, each address padded to 32 bytes; zero of others
    function membersHashOf(uint64 epoch_) external view returns (bytes32);

    /// @return bit i is set when the i-th member of `epoch_` was slashed for what it signed then
    function slashedOf(uint64 epoch_) external view returns (uint128);

    /// @return who stands for the next epoch, in no particular order
    function candidates() external view returns (address[] memory);

    function isMember(address account) external view returns (bool);

    /// @return whether `account` is a member of the present epoch, and its index in `members`
    function seatOf(address account) external view returns (bool, uint256);

    /// @return k, the number of members that must agree; at least 1
    function threshold() external view returns (uint256);

    /// @return the stake that `account` has locked as candidate, member or both, in wei
    function stakeOf(address account) external view returns (uint256);

    function parameters() external view returns (address);

    function vault() external view returns (address);

    function treasury() external view returns (address);
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title The aggregators of an epoch
/// @notice Candidates lock a stake; at the start of each epoch those with the most form the committee. The quorum k is
/// the least with which two quorums share an honest member when f = (n-1)/3 lie: k = ceil((n+f+1)/2), which is 2f+1 at
/// n = 3f+1. Epochs do not turn by themselves: a committee sits until someone, who may be anyone, starts the next.
interface IAggregatorCommittee {
    event CandidateJoined(address indexed account, uint256 stake);
    /// @notice The stake is free from the epoch `freeFromEpoch` on; at once if that is not later than the present one.
    event CandidateLeft(address indexed account, uint64 freeFromEpoch);
    event StakeReleased(address indexed account, uint256 stake);
    event EpochStarted(uint64 indexed epoch, address[] members, uint256 threshold, uint64 endsAt);

    error AlreadyCandidate(address account);
    error NotACandidate(address account);
    error StakeTooSmall(uint256 expected, uint256 actual);
    error EpochNotOver(uint64 expected, uint64 actual);
    error NoCandidates();
    error StakeStillBound(uint64 expected, uint64 actual);

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

    /// @notice Starts the next epoch with the highest stakes as members (the earlier candidate on a tie). Anyone, once the
    /// present epoch is over (at once for the first). With no candidates left the sitting members are released and the
    /// committee is empty: orders are then paid directly.
    /// @dev Reverts with EpochNotOver, NoCandidates (nobody sits either). Emits EpochStarted.
    function advanceEpoch() external;

    /// @return the present epoch; 0 before the first
    function epoch() external view returns (uint64);

    /// @return when the next epoch may start
    function epochEndsAt() external view returns (uint64);

    /// @return the members of the present epoch, by stake; their order is fixed while it lasts
    function members() external view returns (address[] memory);

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
}

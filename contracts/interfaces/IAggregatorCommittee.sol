// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title The aggregators of an epoch
/// @notice Candidates lock a stake; at the start of each epoch those with the most form the committee. The quorum k is
/// the least with which two quorums share an honest member when f = (n-1)/3 lie: k = ceil((n+f+1)/2), which is 2f+1 at
/// n = 3f+1.
interface IAggregatorCommittee {
    event CandidateJoined(address indexed account, uint256 stake);
    event CandidateLeft(address indexed account, uint64 freeFromEpoch);
    event StakeReleased(address indexed account, uint256 stake);
    event EpochStarted(uint64 indexed epoch, address[] members, uint256 threshold, uint64 endsAt);

    error AlreadyCandidate(address account);
    error NotACandidate(address account);
    error StakeTooSmall(uint256 expected, uint256 actual);
    error EpochNotOver(uint64 expected, uint64 actual);
    error NoCandidates();
    error StakeStillBound(uint64 expected, uint64 actual);

    /// @notice Offers the caller as a member and locks `stake` of its aggregator bond. When there are as many candidates
    /// as there may be, only a higher stake displaces the lowest.
    function join(uint256 stake) external;

    /// @notice Withdraws the caller's candidacy; a sitting member serves its epoch to the end.
    function leave() external;

    /// @notice Frees the stake of a former candidate once the epoch it served in is over. Anyone.
    function releaseStake(address account) external;

    /// @notice Starts the next epoch with the highest stakes as members. Anyone, once the present epoch is over (at once
    /// for the first).
    function advanceEpoch() external;

    function epoch() external view returns (uint64);

    function epochEndsAt() external view returns (uint64);

    function members() external view returns (address[] memory);

    function candidates() external view returns (address[] memory);

    function isMember(address account) external view returns (bool);

    /// @return k, the number of members that must agree; at least 1
    function threshold() external view returns (uint256);

    function stakeOf(address account) external view returns (uint256);
}

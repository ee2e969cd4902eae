// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title The owner of the parameters on public networks: what changes them waits, in sight of everybody
/// @notice OpenZeppelin's TimelockController (`schedule`, `execute`, `cancel`, roles, `OperationState`) without an
/// administrator: roles and delay change by its own operations only. On top of it a list of all operations, so that
/// those that wait are found without reading the chain's whole history: the event `CallScheduled` of an operation is
/// in the block that the list names.
interface IParametersTimelock {
    /// @notice A delay, a list of proposers or one of executors that would make it no timelock, or one of nobody.
    /// `name` is "delay", "proposers" or "executors"; `actual` is the delay in seconds or the length of the list.
    error TermsTooSmall(string name, uint256 expected, uint256 actual);

    /// @notice There is no operation with this index.
    error UnknownOperation(uint256 expected, uint256 actual);

    /// @return how many operations were ever scheduled, the cancelled included
    function operationCount() external view returns (uint256);

    /// @param index counts from 0, in order of scheduling
    /// @return id of the operation
    /// @return blockNumber in which it was scheduled
    /// @dev Reverts with UnknownOperation.
    function operationAt(uint256 index) external view returns (bytes32 id, uint256 blockNumber);
}

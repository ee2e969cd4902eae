// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { TimelockController } from "@openzeppelin/contracts/governance/TimelockController.sol";
import { IParametersTimelock } from "./interfaces/IParametersTimelock.sol";

/// @title ParametersTimelock
contract ParametersTimelock is IParametersTimelock, TimelockController {
    struct Operation {
        bytes32 id;
        uint256 blockNumber;
    }

    Operation[] private _operations;

    /// @param delay seconds between scheduling and execution, at least 1
    /// @param proposers who may schedule, and cancel; at least one
    /// @param cancellers who may cancel besides them
    /// @param executors who may execute; the zero address stands for anybody; at least one
    constructor(uint256 delay, address[] memory proposers, address[] memory cancellers, address[] memory executors)
        TimelockController(delay, proposers, executors, address(0))
    {
        if (delay == 0) revert TermsTooSmall("delay", 1, delay);
        if (proposers.length == 0) revert TermsTooSmall("proposers", 1, 0);
        if (executors.length == 0) revert TermsTooSmall("executors", 1, 0);
        for (uint256 i = 0; i < cancellers.length; ++i) {
            _grantRole(CANCELLER_ROLE, cancellers[i]);
        }
    }

    /// @inheritdoc TimelockController
    function schedule(
        address target,
        uint256 value,
        bytes calldata data,
        bytes32 predecessor,
        bytes32 salt,
        uint256 delay
    ) public override {
        super.schedule(target, value, data, predecessor, salt, delay);
        _operations.push(Operation(hashOperation(target, value, data, predecessor, salt), block.number));
    }

    /// @inheritdoc TimelockController
    function scheduleBatch(
        address[] calldata targets,
        uint256[] calldata values,
        bytes[] calldata payloads,
        bytes32 predecessor,
        bytes32 salt,
        uint256 delay
    ) public override {
        super.scheduleBatch(targets, values, payloads, predecessor, salt, delay);
        _operations.push(Operation(hashOperationBatch(targets, values, payloads, predecessor, salt), block.number));
    }

    /// @inheritdoc IParametersTimelock
    function operationCount() external view returns (uint256) {
        return _operations.length;
    }

    /// @inheritdoc IParametersTimelock
    function operationAt(uint256 index) external view returns (bytes32 id, uint256 blockNumber) {
        if (index >= _operations.length) revert UnknownOperation(_operations.length, index);
        Operation storage operation = _operations[index];
        return (operation.id, operation.blockNumber);
    }
}

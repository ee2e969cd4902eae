// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { FederatedTerms } from "../interfaces/FederatedTypes.sol";
import { IFederatedActions } from "../interfaces/IFederatedActions.sol";

/// @title What FederatedTraining leaves to its extension
/// @notice Plain passing on, with the caller, the storage and the address unchanged, to code that no one can replace.
abstract contract FederatedForwards is IFederatedActions {
    address private immutable _EXTENSION;

    constructor(address federatedExtension_) {
        _EXTENSION = federatedExtension_;
    }

    /// @inheritdoc IFederatedActions
    function create(FederatedTerms calldata) external returns (uint256) {
        _forward();
    }

    /// @inheritdoc IFederatedActions
    function join(uint256, uint96, bytes32[] calldata) external returns (uint16) {
        _forward();
    }

    /// @inheritdoc IFederatedActions
    function leave(uint256) external {
        _forward();
    }

    /// @inheritdoc IFederatedActions
    function cancel(uint256) external {
        _forward();
    }

    /// @inheritdoc IFederatedActions
    function withdraw(uint256) external {
        _forward();
    }

    /// @inheritdoc IFederatedActions
    function postKeys(uint256, bytes32, bytes32) external {
        _forward();
    }

    /// @inheritdoc IFederatedActions
    function postShares(uint256, bytes32, bytes32, bytes32) external {
        _forward();
    }

    /// @inheritdoc IFederatedActions
    function postMasked(uint256, bytes32, bytes32) external {
        _forward();
    }

    /// @inheritdoc IFederatedActions
    function request(uint256, uint16, uint32) external {
        _forward();
    }

    /// @inheritdoc IFederatedActions
    function answer(uint256, uint16, uint32, bytes calldata, bytes32[] calldata) external {
        _forward();
    }

    /// @inheritdoc IFederatedActions
    function expire(uint256, uint16) external {
        _forward();
    }

    /// @inheritdoc IFederatedActions
    function postUnmask(uint256, bytes32, bytes32) external {
        _forward();
    }

    /// @inheritdoc IFederatedActions
    function claimReward(uint256, uint32, uint16, bytes calldata, bytes32[] calldata) external {
        _forward();
    }

    /// @dev Ends the call with the extension's answer or failure.
    function _forward() private {
        address extension = _EXTENSION;
        assembly ("memory-safe") {
            let data := mload(0x40)
            calldatacopy(data, 0, calldatasize())
            let ok := delegatecall(gas(), extension, data, calldatasize(), 0, 0)
            returndatacopy(data, 0, returndatasize())
            if ok { return(data, returndatasize()) }
            revert(data, returndatasize())
        }
    }
}

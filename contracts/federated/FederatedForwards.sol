// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    AccuracyRecord,
    FederatedTerms,
    Participant,
    RoundRecord,
    RoundState,
    TaskState,
    UpdateRequest
} from "../interfaces/FederatedTypes.sol";
import { IFederatedAccuracy } from "../interfaces/IFederatedAccuracy.sol";
import { IFederatedActions } from "../interfaces/IFederatedActions.sol";
import { IFederatedViews } from "../interfaces/IFederatedViews.sol";

/// @title What FederatedTraining leaves to its extension and its annex
/// @notice Plain passing on, with the caller, the storage and the address unchanged, to code that no one can replace.
abstract contract FederatedForwards is IFederatedActions, IFederatedAccuracy, IFederatedViews {
    address private immutable _EXTENSION;
    address private immutable _ANNEX;

    constructor(address federatedExtension_, address federatedAnnex_) {
        _EXTENSION = federatedExtension_;
        _ANNEX = federatedAnnex_;
    }

    /// @inheritdoc IFederatedActions
    function create(FederatedTerms calldata) external returns (uint256) {
        _forward(_EXTENSION);
    }

    /// @inheritdoc IFederatedActions
    function join(uint256, uint96, bytes32[] calldata) external returns (uint16) {
        _forward(_EXTENSION);
    }

    /// @inheritdoc IFederatedActions
    function leave(uint256) external {
        _forward(_EXTENSION);
    }

    /// @inheritdoc IFederatedActions
    function cancel(uint256) external {
        _forward(_EXTENSION);
    }

    /// @inheritdoc IFederatedActions
    function withdraw(uint256) external {
        _forward(_EXTENSION);
    }

    /// @inheritdoc IFederatedActions
    function postKeys(uint256, bytes32, bytes32) external {
        _forward(_EXTENSION);
    }

    /// @inheritdoc IFederatedActions
    function postShares(uint256, bytes32, bytes32, bytes32) external {
        _forward(_EXTENSION);
    }

    /// @inheritdoc IFederatedActions
    function postMasked(uint256, bytes32, bytes32) external {
        _forward(_EXTENSION);
    }

    /// @inheritdoc IFederatedActions
    function request(uint256, uint16, uint32) external {
        _forward(_EXTENSION);
    }

    /// @inheritdoc IFederatedActions
    function answer(uint256, uint16, uint32, bytes calldata, bytes32[] calldata) external {
        _forward(_EXTENSION);
    }

    /// @inheritdoc IFederatedActions
    function expire(uint256, uint16) external {
        _forward(_EXTENSION);
    }

    /// @inheritdoc IFederatedActions
    function postUnmask(uint256, bytes32, bytes32) external {
        _forward(_EXTENSION);
    }

    /// @inheritdoc IFederatedAccuracy
    function commitModel(uint256, uint256) external {
        _forward(_ANNEX);
    }

    /// @inheritdoc IFederatedAccuracy
    function drawChunks(uint256) external {
        _forward(_ANNEX);
    }

    /// @inheritdoc IFederatedAccuracy
    function countProofs(uint256) external {
        _forward(_ANNEX);
    }

    /// @inheritdoc IFederatedAccuracy
    function claimReward(uint256, uint32, uint16, bytes calldata, bytes32[] calldata) external {
        _forward(_ANNEX);
    }

    /// @inheritdoc IFederatedViews
    function termsOf(uint256) external view returns (FederatedTerms memory) {
        _read();
    }

    /// @inheritdoc IFederatedViews
    function taskOf(uint256) external view returns (TaskState memory) {
        _read();
    }

    /// @inheritdoc IFederatedViews
    function roundOf(uint256) external view returns (RoundState memory) {
        _read();
    }

    /// @inheritdoc IFederatedViews
    function recordOf(uint256, uint32) external view returns (RoundRecord memory) {
        _read();
    }

    /// @inheritdoc IFederatedViews
    function accuracyOf(uint256, uint32) external view returns (AccuracyRecord memory) {
        _read();
    }

    /// @inheritdoc IFederatedViews
    function participantAt(uint256, uint16) external view returns (Participant memory) {
        _read();
    }

    /// @inheritdoc IFederatedViews
    function requestsOf(uint256, uint16) external view returns (UpdateRequest[4] memory) {
        _read();
    }

    /// @dev The annex' code of a view writes nothing, which the compiler cannot see through a delegatecall.
    function _read() private view {
        function(address) passOn = _forward;
        function(address) view reads;
        assembly ("memory-safe") {
            reads := passOn
        }
        reads(_ANNEX);
        // the call has ended by now, which the compiler cannot see either
        revert NotToBeCalled();
    }

    /// @dev Ends the call with the answer or failure of the code at `code`.
    function _forward(address code) private {
        assembly ("memory-safe") {
            let data := mload(0x40)
            calldatacopy(data, 0, calldatasize())
            let ok := delegatecall(gas(), code, data, calldatasize(), 0, 0)
            returndatacopy(data, 0, returndatasize())
            if ok { return(data, returndatasize()) }
            revert(data, returndatasize())
        }
    }
}

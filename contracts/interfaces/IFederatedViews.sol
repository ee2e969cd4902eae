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
} from "./FederatedTypes.sol";

/// @title What is read of federated tasks as whole structs, by code of the annex (`IFederatedActions`)
/// @dev Those that take a task revert with UnknownTask when there is none.
interface IFederatedViews {
    function termsOf(uint256 task) external view returns (FederatedTerms memory);
    function taskOf(uint256 task) external view returns (TaskState memory);
    function roundOf(uint256 task) external view returns (RoundState memory);
    function recordOf(uint256 task, uint32 round) external view returns (RoundRecord memory);
    function accuracyOf(uint256 task, uint32 round) external view returns (AccuracyRecord memory);
    function participantAt(uint256 task, uint16 index) external view returns (Participant memory);
    /// @return the questions asked about an update, those of earlier rounds among them
    function requestsOf(uint256 task, uint16 index) external view returns (UpdateRequest[4] memory);
}

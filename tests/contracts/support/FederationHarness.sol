// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Posting } from "../../../contracts/interfaces/FederatedTypes.sol";

/// @dev Stands where FederatedTraining does and has posted what it is told; for games, which know nothing else of it.
contract FederationHarness {
    uint32 public open;
    address public winner;

    uint256 private _task;
    Posting private _posting;
    bytes32[] private _roots;
    uint32[] private _weights;

    error NothingPosted(uint256 task);

    function put(uint256 task, Posting calldata posting, bytes32[] calldata roots, uint32[] calldata weights) external {
        (_task, _posting, _roots, _weights) = (task, posting, roots, weights);
        (open, winner) = (0, address(0));
    }

    function withdraw() external {
        _posting.posting = 0;
    }

    function disputeOpened(uint256) external {
        ++open;
    }

    function disputeClosed(uint256, uint32 posting) external {
        if (posting == _posting.posting) --open;
    }

    function leaderProvenWrong(uint256 task, uint32 posting, address challenger) external {
        if (inForce(task) != posting) revert NothingPosted(task);
        winner = challenger;
        _posting.posting = 0;
    }

    function postingOf(uint256 task) external view returns (Posting memory) {
        if (inForce(task) == 0) revert NothingPosted(task);
        return _posting;
    }

    function columnRoot(uint256, uint16 column) external view returns (bytes32) {
        return _roots[column];
    }

    function columnWeights(uint256) external view returns (uint32[] memory) {
        return _weights;
    }

    function inForce(uint256 task) public view returns (uint32) {
        return task == _task ? _posting.posting : 0;
    }
}

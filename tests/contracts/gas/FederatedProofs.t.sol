// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { FederatedTerms } from "../../../contracts/interfaces/FederatedTypes.sol";
import { ProvenWorld } from "../federated/support/ProvenWorld.sol";
import { vm } from "../support/Vm.sol";

/// @dev What proofs of accuracy add to a federated round; a proof itself is in `Proofs.t.sol`.
contract FederatedProofsGasTest is ProvenWorld {
    function test_gas_of_a_round_of_12_with_proofs() public {
        FederatedTerms memory t = _provenTerms();
        t.maximumParticipants = 128;
        uint256 task = create(t);
        _note("federated with proofs: create");
        _round(task, 12, "12");
    }

    function test_gas_of_a_round_of_100_with_proofs() public {
        FederatedTerms memory t = _provenTerms();
        t.maximumParticipants = 128;
        _round(create(t), 100, "100");
    }

    /// @dev The second round is measured: the first writes many words for the first time.
    function _round(uint256 task, uint256 n, string memory size) private {
        for (uint256 i = 0; i < n; ++i) {
            join(task, member(i), STAKE);
        }
        vm.warp(state_(task).joinEnds);
        federation.start(task);
        uint256[] memory correct = new uint256[](n);
        for (uint256 i = 0; i < n; ++i) {
            correct[i] = 60 + i % 60;
        }
        provenRound(task, correct);
        toSettle(task);
        federation.finalize(task);
        commitModel(task, 0);
        if (n == 12) _note("federated with proofs: commitModel, the first, which opens the round");
        commitModel(task, 1);
        if (n == 12) _note("federated with proofs: commitModel");
        for (uint256 i = 2; i < n; ++i) {
            commitModel(task, i);
        }
        committed(task, n);
        federation.drawChunks(task);
        if (n == 12) _note("federated with proofs: drawChunks");
        vm.roll(block.number + 2);
        proofs.draw(proofRound(task));
        for (uint256 i = 0; i < n; ++i) {
            reveal(task, i);
            prove(task, i, correct[i]);
        }
        toCount(task);
        federation.countProofs(task);
        _noteOf("federated with proofs: countProofs", size);
        post(task, evenRow(n));
        _noteOf("federated with proofs: post", size);
        toSettle(task);
        federation.finalize(task);
        _noteOf("federated with proofs: finalize", size);
        federation.claimReward(task, 2, 3, "", new bytes32[](0));
        _noteOf("federated with proofs: claimReward", size);
    }

    function _noteOf(string memory action, string memory size) private {
        _note(string.concat(action, ", ", size, " participants"));
    }

    function _note(string memory action) private {
        vm.snapshotGasLastCall("actions", action);
    }
}

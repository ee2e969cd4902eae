// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { FederatedTerms } from "../../../contracts/interfaces/FederatedTypes.sol";
import { FederatedWorld } from "../federated/support/FederatedWorld.sol";
import { vm } from "../support/Vm.sol";

/// @dev What a federated task costs: each participant for joining and in a round, the leader, and who drives the task on.
contract FederatedGasTest is FederatedWorld {
    function _federatedTerms() internal pure override returns (FederatedTerms memory t) {
        t = super._federatedTerms();
        t.maximumParticipants = 128;
    }

    function test_gas_of_a_round_of_12() public {
        uint256 task = create(_federatedTerms());
        _note("federated: create");
        _round(task, 12, "12");
        federation.withdraw(_ended());
        _note("federated: withdraw");
    }

    function test_gas_of_a_round_of_100() public {
        _round(create(_federatedTerms()), 100, "100");
    }

    function test_gas_of_requests_and_replacements() public {
        uint256 task = started(_federatedTerms(), 4);
        revealed(task, 4);
        ask(task, actor("asker", 0), 1, 0);
        _note("federated: request");
        answer(task, 1, 0);
        _note("federated: answer, a chunk of 512 bytes");
        ask(task, actor("asker", 1), 2, 0);
        toAggregate(task);
        federation.expire(task, 2);
        _note("federated: expire");
        vm.warp(round_(task).postEnds);
        federation.replaceLeader(task);
        _note("federated: replaceLeader");
    }

    /// @dev The second round is measured: the first writes many words for the first time.
    function _round(uint256 task, uint256 n, string memory size) private {
        for (uint256 i = 0; i < n; ++i) {
            join(task, member(i), STAKE);
        }
        if (n == 12) _note("federated: join");
        vm.warp(state_(task).joinEnds);
        federation.start(task);
        played(task, n);
        committed(task, n - 1);
        _noteOf("federated: commit", size);
        commit(task, n - 1);
        for (uint256 i = 0; i < n - 1; ++i) {
            reveal(task, i);
        }
        _noteOf("federated: reveal", size);
        reveal(task, n - 1);
        toAggregate(task);
        bytes memory row = evenRow(n);
        post(task, row);
        _noteOf("federated: post", size);
        toSettle(task);
        federation.finalize(task);
        _noteOf("federated: finalize", size);
        claim(task, 2, 1, row);
        claim(task, 2, 2, row);
        federation.claimReward(task, 2, 3, row, new bytes32[](0));
        _noteOf("federated: claimReward", size);
        if (n != 12) return;
        commit(task, 0);
        vm.prank(member(1));
        federation.leave(task);
        _note("federated: leave");
    }

    function _ended() private returns (uint256 task) {
        task = create(_federatedTerms());
        vm.warp(state_(task).joinEnds);
        federation.cancel(task);
    }

    function _noteOf(string memory action, string memory size) private {
        _note(string.concat(action, ", ", size, " participants"));
    }

    function _note(string memory action) private {
        vm.snapshotGasLastCall("actions", action);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { FederatedTerms, Mode, TaskPhase } from "../../../contracts/interfaces/FederatedTypes.sol";
import { IFederatedEvents } from "../../../contracts/interfaces/IFederatedEvents.sol";
import { vm } from "../support/Vm.sol";
import { FederatedWorld } from "./support/FederatedWorld.sol";

contract CreateTest is FederatedWorld {
    function test_create_escrows_the_rewards_of_all_rounds() public {
        uint256 task = create(_federatedTerms());
        vm.assertEq(task, 1, "id");
        vm.assertEq(token.balanceOf(address(federation)), 3 * ROUND_REWARD, "escrow");
        vm.assertEq(token.balanceOf(client), 0, "paid");
        requirePhase(task, TaskPhase.Joining);
        vm.assertEq(
            keccak256(abi.encode(federation.termsOf(task))), keccak256(abi.encode(_federatedTerms())), "as they were"
        );
        vm.assertEq(state_(task).modelRoot, keccak256("model"), "the first model");
        vm.assertEq(state_(task).joinEnds, block.timestamp + 1000, "time to join");
    }

    function test_terms_out_of_bounds_are_refused_by_name() public {
        FederatedTerms memory t = _federatedTerms();
        t.dimension = 2 ** 24 + 1;
        _refused(t, "dimension", t.dimension, 1, 2 ** 24);
        t = _federatedTerms();
        t.maximumParticipants = 2;
        _refused(t, "maximumParticipants", 2, 3, 128);
        t = _federatedTerms();
        t.groupSize = 5;
        _refused(t, "groupSize", 5, 0, 0);
        t = _federatedTerms();
        t.requestBond = uint96(ASK_BOND - 1);
        _refused(t, "requestBond", ASK_BOND - 1, ASK_BOND, 2 ** 90);
        t = _federatedTerms();
        t.leaderPenalty = uint96(STAKE + 1);
        _refused(t, "leaderPenalty", STAKE + 1, 1, STAKE);
        t = _federatedTerms();
        t.windows.keys = 1;
        _refused(t, "keys", 1, 0, 0);
        t = _federatedTerms();
        t.windows.reveal = 0;
        _refused(t, "reveal", 0, 1, 30 days);
        t = _federatedTerms();
        t.optimizer.tau = 1;
        _refused(t, "tau", 1, 0, 0);
        t = _federatedTerms();
        t.rule.parameter = 1;
        _refused(t, "parameter", 1, 0, 0);
        t = _federatedTerms();
        t.mode = Mode.None;
        _refused(t, "mode", 0, 1, 2);
        t = _federatedTerms();
        (t.privacy.orders, t.privacy.costs) = (new uint32[](2), new uint64[](2));
        (t.privacy.orders[0], t.privacy.orders[1]) = (2000, 2000);
        _refused(t, "privacy limits", 0, 2, 2);
        t.privacy.limits = new uint64[](2);
        (t.privacy.costs[0], t.privacy.costs[1]) = (1, 1);
        _refused(t, "privacy order", 2000, 2001, type(uint32).max);
    }

    function test_nobody_creates_in_the_extension() public {
        vm.expectRevert(IFederatedEvents.NotToBeCalled.selector);
        extension.create(_federatedTerms());
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.UnknownTask.selector, 1));
        extension.leave(1);
    }

    function test_what_is_not_there_is_said() public {
        requirePhase(7, TaskPhase.None);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.UnknownTask.selector, 7));
        federation.taskOf(7);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.UnknownTask.selector, 7));
        federation.commit(7, "c");
    }

    function _refused(FederatedTerms memory t, string memory name, uint256 actual, uint256 low, uint256 high) private {
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.TermOutOfBounds.selector, name, actual, low, high));
        federation.create(t);
    }
}

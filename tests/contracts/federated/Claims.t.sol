// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { FederatedTerms } from "../../../contracts/interfaces/FederatedTypes.sol";
import { IFederatedEvents } from "../../../contracts/interfaces/IFederatedEvents.sol";
import { Contributions } from "../../../contracts/federated/Contributions.sol";
import { vm } from "../support/Vm.sol";
import { FederatedWorld } from "./support/FederatedWorld.sol";

contract ClaimsTest is FederatedWorld {
    uint256 private constant LED = ROUND_REWARD / 10;
    uint256 private constant POOL = ROUND_REWARD - LED;

    function test_contributions_are_clamped_and_paid_in_proportion() public {
        (uint256 task, uint16 leader) = _final(_row(-5, 30, 1000, 20, 100));
        uint256[4] memory expected = [uint256(0), POOL * 30 / 150, POOL * 100 / 150, POOL * 20 / 150];
        uint256 dust = POOL - expected[1] - expected[2] - expected[3];
        for (uint256 i = 0; i < 4; ++i) {
            uint256 paid = claim(task, 1, i, _row(-5, 30, 1000, 20, 100));
            vm.assertEq(paid, expected[i] + (i == leader ? LED + dust : 0), "paid");
        }
        vm.assertEq(token.balanceOf(address(federation)), 2 * ROUND_REWARD, "the other rounds");
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.AlreadyClaimed.selector, task, 1, 1));
        federation.claimReward(task, 1, 1, _row(-5, 30, 1000, 20, 100), new bytes32[](0));
    }

    function test_a_pool_that_nobody_earned_goes_back_once() public {
        bytes memory row = _row(-5, 0, -1, -7, 100);
        (uint256 task, uint16 leader) = _final(row);
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertEq(claim(task, 1, i, row), i == leader ? LED : 0, "for leading");
        }
        vm.assertEq(state_(task).refundable, POOL, "the client's");
        federation.withdraw(task);
        vm.assertEq(token.balanceOf(client), POOL, "back");
    }

    function test_only_the_row_of_the_record_pays() public {
        bytes memory row = _row(10, 20, 30, 40, 100);
        (uint256 task,) = _final(row);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotFinal.selector, task, 2));
        federation.claimReward(task, 2, 0, row, new bytes32[](0));
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotIncluded.selector, task, 1, 4));
        federation.claimReward(task, 1, 4, row, new bytes32[](0));
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotIncluded.selector, task, 1, 4000));
        federation.claimReward(task, 1, 4000, row, new bytes32[](0));
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.WrongLength.selector, 40, 48));
        federation.claimReward(task, 1, 0, bytes.concat(row, bytes8(0)), new bytes32[](0));
        vm.expectPartialRevert(IFederatedEvents.WrongOpening.selector);
        federation.claimReward(task, 1, 0, _row(100, 20, 30, 40, 100), new bytes32[](0));
    }

    function test_a_posting_that_is_not_final_pays_nobody() public {
        bytes memory row = _row(10, 20, 30, 40, 100);
        uint256 task = started(_federatedTerms(), 4);
        revealed(task, 4);
        toAggregate(task);
        post(task, row);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotFinal.selector, task, 1));
        federation.claimReward(task, 1, 0, row, new bytes32[](0));
        vm.assertEq(federation.recordOf(task, 1).resultRoot, 0, "nothing remains yet");
    }

    function test_who_was_excluded_keeps_what_its_updates_earned() public {
        bytes memory row = _row(10, 20, 30, 40, 100);
        uint256 task = started(_federatedTerms(), 4);
        revealed(task, 4);
        toAggregate(task);
        uint16 liar = post(task, row);
        vm.startPrank(court_);
        federation.disputeOpened(task);
        federation.leaderProvenWrong(task, 1, address(7));
        vm.stopPrank();
        post(task, row);
        toSettle(task);
        federation.finalize(task);
        vm.assertEq(claim(task, 1, liar, row), POOL * (10 + 10 * uint256(liar)) / 100, "its column counted");
    }

    function testFuzz_what_is_divided_is_no_more_than_the_pool(int64[6] memory c, int64 whole, uint88 pool)
        public
        view
    {
        bytes memory row = abi.encodePacked(c[0], c[1], c[2], c[3], c[4], c[5], whole);
        uint256[6] memory parts = this.divide(row, pool);
        uint256 sum = 0;
        for (uint256 i = 0; i < 6; ++i) {
            sum += parts[i];
            if (c[i] <= 0 || whole <= 0) vm.assertEq(parts[i], 0, "nothing for nothing");
            for (uint256 j = 0; j < 6; ++j) {
                if (c[i] >= c[j]) vm.assertGe(parts[i], parts[j], "monotone");
            }
        }
        vm.assertLe(sum, pool, "no more than there is");
        if (sum != 0) vm.assertGe(sum + 6, pool, "all but dust");
    }

    function divide(bytes calldata row, uint256 pool) external pure returns (uint256[6] memory parts) {
        uint256 sum = Contributions.total(row);
        for (uint256 i = 0; i < 6; ++i) {
            parts[i] = Contributions.part(row, i, sum, pool);
        }
    }

    function _final(bytes memory row) private returns (uint256 task, uint16 leader) {
        task = started(_federatedTerms(), 4);
        revealed(task, 4);
        toAggregate(task);
        leader = post(task, row);
        toSettle(task);
        federation.finalize(task);
    }

    function _row(int64 a, int64 b, int64 c, int64 d, int64 whole) private pure returns (bytes memory) {
        return abi.encodePacked(a, b, c, d, whole);
    }
}

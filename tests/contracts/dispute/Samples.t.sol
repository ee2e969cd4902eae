// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Dispute, IDisputeCourt, Stage } from "../../../contracts/interfaces/IDisputeCourt.sol";
import { vm } from "../support/Vm.sol";
import { Game } from "./support/DisputeWorld.sol";
import { Players } from "./support/Players.sol";

/// @dev Sums and their choice: from all samples to one.
contract SamplesTest is Players {
    Stage private constant SUMS = Stage.Sums;
    Stage private constant PICK = Stage.PickSum;

    function setUp() public override {
        super.setUp();
        Game memory g = lying(small(), 40, 3, 1, 0);
        reached(g, SUMS);
        keep(g);
    }

    function test_sums_are_emitted_and_only_their_hash_is_kept() public {
        Game memory g = lying(small(), 100, 37, 1, 0);
        Dispute memory d = reached(g, SUMS);
        int64[] memory list = sums(g, 0, 100);
        vm.assertEq(list.length, 25, "segments of four");
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.SumsPosted(g.id, 0, 100, list);
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.Moved(g.id, PICK, uint64(block.timestamp + MOVE));
        play(g);
        d = disputes.disputeOf(g.id);
        vm.assertEq(d.posted, keccak256(abi.encode(list)), "posted");
    }

    function test_a_choice_narrows_the_range() public {
        Game memory g = lying(small(), 100, 99, 1, 0);
        reached(g, PICK);
        int64 picked = g.values[24];
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.SumPicked(g.id, 96, 100, picked);
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.Moved(g.id, SUMS, uint64(block.timestamp + MOVE));
        play(g);
        Dispute memory d = disputes.disputeOf(g.id);
        vm.assertEq(int256(d.value), picked, "the claim is now that sum");
        play(g);
        play(g);
        d = disputes.disputeOf(g.id);
        vm.assertTrue(d.stage == Stage.Trace, "one sample is left");
        vm.assertEq(d.low, 99, "the one");
        vm.assertEq(int256(d.value), g.claims[99], "and what it is claimed to score");
    }

    function test_eleven_hundred_samples_take_three_rounds() public {
        Game memory g = lying(small(), 1100, 0, 1, 0);
        opened(g);
        uint256 rounds = 0;
        for (; stageOf(g) != Stage.Trace; ++rounds) {
            play(g);
            play(g);
        }
        vm.assertEq(rounds, 3, "1100, 35, 2, 1");
        vm.assertEq(disputes.disputeOf(g.id).low, 0, "the first");
    }

    function test_sums_must_be_as_many_as_there_are_segments() public {
        Game memory g = lying(small(), 100, 37, 1, 0);
        reached(g, SUMS);
        int64[] memory list = new int64[](24);
        list[0] = total(g.claims);
        _expectRefused(g, list, abi.encodeWithSelector(IDisputeCourt.WrongCount.selector, 25, 24));
        list = new int64[](26);
        list[0] = total(g.claims);
        _expectRefused(g, list, abi.encodeWithSelector(IDisputeCourt.WrongCount.selector, 25, 26));
        _expectRefused(g, new int64[](0), abi.encodeWithSelector(IDisputeCourt.WrongCount.selector, 25, 0));
    }

    function test_fuzz_sums_must_add_up(int64 off, uint256 where) public {
        vm.assume(off != 0);
        Game memory g = kept();
        int64[] memory list = sums(g, 0, 40);
        int256 changed = int256(list[where % list.length]) + off;
        vm.assume(changed >= type(int64).min && changed <= type(int64).max);
        list[where % list.length] = int64(changed);
        int256 claim = total(g.claims);
        _expectRefused(g, list, abi.encodeWithSelector(IDisputeCourt.WrongSum.selector, claim, claim + off));
    }

    function test_sums_do_not_wrap_around() public {
        Game memory g = kept();
        int64[] memory list = sums(g, 0, 40);
        int256 claim = total(g.claims);
        // four times 2^62 is nothing in 64 bits
        for (uint256 i = 0; i < 4; ++i) {
            list[i] += 2 ** 62;
        }
        _expectRefused(g, list, abi.encodeWithSelector(IDisputeCourt.WrongSum.selector, claim, claim + 2 ** 64));
    }

    function test_extreme_sums_are_added_up_like_others() public {
        Game memory g = lying(small(), 64, 3, 1, 0);
        reached(g, SUMS);
        int64[] memory list = new int64[](32);
        for (uint256 i = 0; i < 30; ++i) {
            list[i] = i % 2 == 0 ? type(int64).max : -type(int64).max;
        }
        list[30] = total(g.claims);
        vm.prank(liar);
        disputes.postSums(g.id, list);
    }

    function test_a_choice_is_made_from_what_was_posted() public {
        Game memory g = lying(small(), 100, 37, 1, 0);
        bytes32 kept = reached(g, PICK).posted;
        int64[] memory list = new int64[](25);
        bytes memory refused =
            abi.encodeWithSelector(IDisputeCourt.WrongList.selector, kept, keccak256(abi.encode(list)));
        vm.expectRevert(refused);
        vm.prank(challenger);
        disputes.pickSum(g.id, list, 0);
    }

    function test_a_list_of_another_game_is_refused() public {
        Game memory g = lying(small(), 100, 37, 1, 0);
        reached(g, PICK);
        int64[] memory first = g.values;
        reopened(g, challenger);
        int64[] memory second = sums(g, 0, 100);
        (second[0], second[1]) = (second[0] + 1, second[1] - 1);
        vm.prank(liar);
        disputes.postSums(g.id, second);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDisputeCourt.WrongList.selector, keccak256(abi.encode(second)), keccak256(abi.encode(first))
            )
        );
        vm.prank(challenger);
        disputes.pickSum(g.id, first, 0);
    }

    function test_a_list_of_an_earlier_round_is_refused() public {
        Game memory g = lying(small(), 100, 37, 1, 0);
        reached(g, PICK);
        int64[] memory first = g.values;
        play(g);
        play(g);
        bytes32 kept = disputes.disputeOf(g.id).posted;
        bytes memory refused =
            abi.encodeWithSelector(IDisputeCourt.WrongList.selector, kept, keccak256(abi.encode(first)));
        vm.expectRevert(refused);
        vm.prank(challenger);
        disputes.pickSum(g.id, first, 0);
    }

    function test_fuzz_there_is_nothing_beyond_the_list(uint256 index) public {
        Game memory g = kept();
        advanced(g, PICK);
        vm.assume(index >= 20);
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.NoSuchChoice.selector, 20, index));
        vm.prank(challenger);
        disputes.pickSum(g.id, g.values, index);
    }

    function _expectRefused(Game memory g, int64[] memory list, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(liar);
        disputes.postSums(g.id, list);
    }
}

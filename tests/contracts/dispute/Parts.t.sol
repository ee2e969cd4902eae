// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Dispute, IDisputeCourt, Stage, Verdict } from "../../../contracts/interfaces/IDisputeCourt.sol";
import { IStepVerifier } from "../../../contracts/interfaces/IStepVerifier.sol";
import { NodeOpening, UnitOpening } from "../../../contracts/libraries/ModelTree.sol";
import { vm } from "../support/Vm.sol";
import { Game } from "./support/DisputeWorld.sol";
import { Network, Networks } from "./support/Networks.sol";
import { Players } from "./support/Players.sol";

/// @dev Reductions, divided until one part fits a move.
contract PartsTest is Players {
    using Networks for Network;

    function test_a_row_of_a_thousand_weights_is_divided_once() public {
        _expectVerdict(lying(pooled(), 1, 0, 1, 0), 1, Verdict.False);
        _expectVerdict(honest(pooled(), 1, 0, 1, 0), 1, Verdict.Stands);
    }

    function test_and_again() public {
        Game memory g = lying(pooled(), 1, 0, 1, 0);
        g.depth = 2;
        Dispute memory d = reached(g, Stage.PickPart);
        vm.assertEq(g.values.length, 32, "1,089 terms in 35s");
        vm.assertEq(d.from, 0, "all");
        vm.assertEq(d.to, 1089, "of them");
        int64 claimed = g.values[0];
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.PartPicked(g.id, 0, 35, claimed);
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.Moved(g.id, Stage.Parts, uint64(block.timestamp + MOVE));
        play(g);
        d = disputes.disputeOf(g.id);
        vm.assertEq(d.to, 35, "the first 35");
        vm.assertEq(int256(d.value), claimed, "the claim");
        play(g);
        vm.assertEq(g.values.length, 18, "in twos");
        play(g);
        play(g);
        vm.assertEq(g.values.length, 2, "one by one");
        int64 first = g.values[0];
        int64 truth = int64(Networks.part(g.net.layers[1], g.lie[1], 0, 0, 1));
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.Computed(g.id, 1, 0, 0, 1, first, truth);
        play(g);
        vm.assertTrue(verdictOf(g) == Verdict.False, "found");
    }

    function test_a_true_row_stands_however_deep() public {
        _expectVerdict(honest(pooled(), 1, 0, 1, 0), 9, Verdict.Stands);
    }

    function test_a_false_maximum_is_found_by_its_parts() public {
        for (uint256 element = 0; element < 4; ++element) {
            Game memory low = lying(wide(), 1, 0, 0, element);
            _expectVerdict(low, 1, Verdict.False);
            _expectVerdict(lying(wide(), 1, 0, 0, element), 9, Verdict.False);
            _expectVerdict(honest(wide(), 1, 0, 0, element), 1, Verdict.Stands);
            _expectVerdict(honest(wide(), 1, 0, 0, element), 9, Verdict.Stands);
        }
    }

    function test_a_maximum_that_is_too_high_is_found_by_its_parts() public {
        for (uint256 depth = 1; depth < 10; depth += 8) {
            Game memory g = _tooHigh();
            g.depth = depth;
            opened(g);
            while (stageOf(g) != Stage.Closed) play(g);
            vm.assertTrue(verdictOf(g) == Verdict.False, "too high");
        }
    }

    /// @dev Were they added up, a maximum could be claimed that no part is.
    function test_parts_of_a_maximum_are_not_added_up() public {
        Game memory g = lying(wide(), 1, 0, 0, 0);
        g.depth = 9;
        Dispute memory d = reached(g, Stage.PickPart);
        play(g);
        d = disputes.disputeOf(g.id);
        int64[] memory list = new int64[](2);
        (list[0], list[1]) = (int64(d.value) - 1, 1);
        int256 largest = list[0] > list[1] ? list[0] : list[1];
        vm.assertTrue(largest != d.value, "the sum is claimed, and the largest is another");
        _expectParts(g, list, abi.encodeWithSelector(IDisputeCourt.WrongSum.selector, int256(d.value), largest));
    }

    /// @dev Nor is the largest taken where they must be added up.
    function test_parts_of_a_sum_are_not_compared() public {
        Game memory g = lying(pooled(), 1, 0, 1, 0);
        g.depth = 2;
        reached(g, Stage.PickPart);
        play(g);
        Dispute memory d = disputes.disputeOf(g.id);
        int64[] memory list = new int64[](18);
        for (uint256 i = 0; i < 18; ++i) {
            list[i] = d.value;
        }
        int256 sum = 18 * int256(d.value);
        _expectParts(g, list, abi.encodeWithSelector(IDisputeCourt.WrongSum.selector, int256(d.value), sum));
    }

    function test_first_parts_must_finish_to_the_element() public {
        Game memory g = lying(pooled(), 1, 0, 1, 0);
        g.depth = 1;
        Dispute memory d = reached(g, Stage.Parts);
        int64[] memory truth = trueParts(g, 0, 1089);
        int256 value = Networks.read(g.truth[2], 1, 0);
        _expectParts(g, truth, abi.encodeWithSelector(IDisputeCourt.WrongSum.selector, int256(d.value), value));
        int64[] memory short = new int64[](31);
        _expectParts(g, short, abi.encodeWithSelector(IDisputeCourt.WrongCount.selector, 32, 31));
        _expectParts(g, new int64[](0), abi.encodeWithSelector(IDisputeCourt.WrongCount.selector, 32, 0));
        play(g);
        vm.assertEq(disputes.disputeOf(g.id).to, 1089, "all terms are in play");
    }

    function test_parts_do_not_wrap_around() public {
        Game memory g = lying(pooled(), 1, 0, 1, 0);
        g.depth = 2;
        reached(g, Stage.PickPart);
        play(g);
        Dispute memory d = disputes.disputeOf(g.id);
        int64[] memory list = parts(g, d);
        for (uint256 i = 0; i < 4; ++i) {
            list[4 + i] += 2 ** 62;
        }
        int256 sum = int256(d.value) + 2 ** 64;
        _expectParts(g, list, abi.encodeWithSelector(IDisputeCourt.WrongSum.selector, int256(d.value), sum));
    }

    function test_first_parts_need_the_node_and_the_unit() public {
        Game memory g = lying(pooled(), 1, 0, 1, 0);
        g.depth = 1;
        Dispute memory d = reached(g, Stage.Parts);
        int64[] memory list = parts(g, d);
        NodeOpening memory node = g.net.openNode(0);
        UnitOpening memory unit = g.net.openUnit(1, 0);
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.WrongNode.selector, 1, 0));
        vm.prank(liar);
        disputes.postParts(g.id, list, node, unit);
        node = g.net.openNode(1);
        unit.index = 1;
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.WrongUnit.selector, 0, 1));
        vm.prank(liar);
        disputes.postParts(g.id, list, node, unit);
        unit.index = 0;
        unit.unit.shift -= 1;
        bytes memory bent = abi.encodeCall(IDisputeCourt.postParts, (g.id, list, node, unit));
        vm.assertFalse(attempt(liar, bent), "a bent unit");
        unit.unit.shift += 1;
        vm.prank(liar);
        disputes.postParts(g.id, list, node, unit);
    }

    function test_a_part_is_picked_from_what_was_posted() public {
        Game memory g = lying(pooled(), 1, 0, 1, 0);
        g.depth = 1;
        bytes32 posted = reached(g, Stage.PickPart).posted;
        int64[] memory list = new int64[](32);
        bytes memory reason =
            abi.encodeWithSelector(IDisputeCourt.WrongList.selector, posted, keccak256(abi.encode(list)));
        _expectChoice(g, list, 0, reason);
        _expectChoice(g, g.values, 32, abi.encodeWithSelector(IDisputeCourt.NoSuchChoice.selector, 32, 32));
        uint256 beyond = 1 << 32;
        _expectChoice(g, g.values, beyond, abi.encodeWithSelector(IDisputeCourt.NoSuchChoice.selector, 32, beyond));
    }

    function test_one_term_is_not_divided() public {
        Game memory g = lying(small(), 1, 0, 0, 0);
        g.depth = 1;
        reached(g, Stage.PickPart);
        vm.assertEq(g.values.length, 6, "one by one");
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.Indivisible.selector, g.id));
        vm.prank(challenger);
        disputes.contestPart(g.id, g.values, 2);
    }

    function test_fuzz_false_parts_are_false_wherever_the_lie_is(uint256 where, int64 off) public {
        Game memory g = kept();
        advanced(g, Stage.Parts);
        int64[] memory list = trueParts(g, 0, 1089);
        where %= list.length;
        off = off % 2 ** 40;
        int256 goal = Networks.unfinish(g.net.layers[1], 0, disputes.disputeOf(g.id).value);
        list[where] += off;
        list[(where + 1) % list.length] += int64(goal - total(list));
        (NodeOpening memory node, UnitOpening memory unit) = (g.net.openNode(1), g.net.openUnit(1, 0));
        vm.prank(liar);
        disputes.postParts(g.id, list, node, unit);
        g.values = list;
        play(g);
        vm.assertTrue(verdictOf(g) == Verdict.False, "a part is false, and found");
    }

    function setUp() public override {
        super.setUp();
        Game memory g = lying(pooled(), 1, 0, 1, 0);
        g.depth = 1;
        reached(g, Stage.PickElement);
        keep(g);
    }

    /// @dev The element is one above the truth, if that is not 127; no network would show it, but a liar can.
    function _tooHigh() private pure returns (Game memory g) {
        g = honest(wide(), 1, 0, 0, 0);
        for (uint256 e = 0; e < 4; ++e) {
            for (uint256 delta = 1; delta < 40; ++delta) {
                int256 x = Networks.at(g.truth[1], e) + int256(delta);
                if (x > 127) break;
                bytes[] memory tensors = new bytes[](3);
                (tensors[0], tensors[1]) = (g.truth[0], bytes.concat(g.truth[1]));
                Networks.write(tensors[1], 4, e, x);
                g.net.resume(tensors, 1);
                (g.lie, g.element) = (tensors, e);
                g.claims = row(scoreOf(g.net, tensors, 0));
                if (g.claims[0] != g.scores[0]) return g;
            }
        }
        vm.assertTrue(false, "no such lie");
    }

    function _expectVerdict(Game memory g, uint256 depth, Verdict verdict) private {
        g.depth = depth;
        opened(g);
        while (stageOf(g) != Stage.Closed) play(g);
        vm.assertTrue(verdictOf(g) == verdict, "verdict");
    }

    function _expectParts(Game memory g, int64[] memory list, bytes memory reason) private {
        NodeOpening memory node = g.net.openNode(g.node);
        UnitOpening memory unit = g.net.openUnit(g.node, g.element);
        vm.expectRevert(reason);
        vm.prank(liar);
        disputes.postParts(g.id, list, node, unit);
    }

    function _expectChoice(Game memory g, int64[] memory list, uint256 index, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(challenger);
        disputes.contestPart(g.id, list, index);
    }
}

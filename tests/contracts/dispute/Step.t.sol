// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Dispute, IDisputeCourt, Stage, Verdict } from "../../../contracts/interfaces/IDisputeCourt.sol";
import { IStepVerifier } from "../../../contracts/interfaces/IStepVerifier.sol";
import { Operands } from "../../../contracts/libraries/ModelTree.sol";
import { vm } from "../support/Vm.sol";
import { Game } from "./support/DisputeWorld.sol";
import { Layer, Network, Networks } from "./support/Networks.sol";
import { Players } from "./support/Players.sol";

/// @dev One element, computed whole or asked to be divided.
contract StepTest is Players {
    using Networks for Network;

    function test_a_false_element_ends_the_dispute_for_the_challenger() public {
        Game memory g = lying(small(), 1, 0, 0, 0);
        reached(g, Stage.PickElement);
        int64 claimed = int64(Networks.at(g.lie[1], g.element));
        int64 computed = int64(Networks.at(g.truth[1], g.element));
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.Computed(g.id, 0, uint32(g.element), 0, 0, claimed, computed);
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.Closed(g.id, Verdict.False, false, challenger, VSTAKE / 2, VSTAKE / 2);
        play(g);
        vm.assertTrue(verdictOf(g) == Verdict.False, "false");
        vm.assertTrue(stageOf(g) == Stage.Closed, "closed");
    }

    function test_a_true_element_ends_the_dispute_for_the_defendant() public {
        Game memory g = honest(small(), 1, 0, 0, 3);
        reached(g, Stage.PickElement);
        int64 value = int64(Networks.at(g.truth[1], 3));
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.Computed(g.id, 0, 3, 0, 0, value, value);
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.Closed(g.id, Verdict.Stands, false, liar, STAKE / 2, STAKE / 2);
        play(g);
        vm.assertTrue(verdictOf(g) == Verdict.Stands, "stands");
    }

    /// @dev A liar's true elements prove nothing against it; its challenger must name the false one.
    function test_a_true_element_of_a_lie_stands() public {
        Game memory g = lying(small(), 1, 0, 0, 0);
        uint256 other = g.element == 4 ? 3 : 4;
        g.element = other;
        reached(g, Stage.PickElement);
        play(g);
        vm.assertTrue(verdictOf(g) == Verdict.Stands, "the wrong one was named");
        vm.assertTrue(proof.isLive(g.oid, liar, 0), "so it counts until somebody does better");
    }

    function test_negative_outputs_are_read_with_their_sign() public {
        uint256 found = 0;
        for (uint256 i = 0; i < 8; ++i) {
            Game memory g = honest(small(), 8, i, 1, 0);
            if (Networks.read(g.truth[2], 1, 0) >= 0) continue;
            ++found;
            reached(g, Stage.PickElement);
            play(g);
            vm.assertTrue(verdictOf(g) == Verdict.Stands, "as computed");
        }
        vm.assertTrue(found > 0, "there are some");
    }

    function test_the_chunk_is_the_posted_one() public {
        Game memory g = lying(small(), 1, 0, 0, 0);
        Dispute memory d = reached(g, Stage.PickElement);
        bytes memory posted = g.chunk;
        g.chunk = g.truth[1];
        bytes memory reason = abi.encodeWithSelector(IDisputeCourt.WrongList.selector, d.blob, keccak256(g.chunk));
        _expectRefused(g, reason);
        g.depth = 1;
        _expectRefused(g, reason);
        g.chunk = posted;
        play(g);
    }

    function test_the_element_lies_in_the_chunk() public {
        Game memory g = lying(pooled(), 1, 0, 0, 1050);
        reached(g, Stage.PickElement);
        uint32[4] memory outside = [uint32(0), 1023, 1089, type(uint32).max];
        for (uint256 i = 0; i < 4; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.NoSuchChoice.selector, 1089, outside[i]));
            vm.prank(challenger);
            disputes.contest(g.id, outside[i], g.chunk, g.net.openNode(0));
        }
        uint32[2] memory inside = [uint32(1024), 1088];
        for (uint256 i = 0; i < 2; ++i) {
            uint256 snapshot = vm.snapshotState();
            vm.prank(challenger);
            disputes.contest(g.id, inside[i], g.chunk, g.net.openNode(0));
            vm.revertToState(snapshot);
        }
    }

    function test_an_output_ends_where_its_bytes_end() public {
        Game memory g = lying(small(), 1, 0, 1, 0);
        reached(g, Stage.PickElement);
        Operands memory o = g.net.operands(g.lie, 1, 0);
        uint32[3] memory outside = [uint32(1), 4, 1 << 30];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.NoSuchChoice.selector, 1, outside[i]));
            vm.prank(challenger);
            disputes.compute(g.id, outside[i], g.chunk, o);
        }
    }

    function test_operands_come_from_the_model_and_the_trace() public {
        Game memory g = lying(small(), 1, 0, 1, 0);
        reached(g, Stage.PickElement);
        bytes memory right = abi.encode(g.net.operands(g.lie, 1, 0));
        Operands memory o = abi.decode(right, (Operands));
        o.tensors[0].root = keccak256("other");
        vm.assertFalse(_computes(g, o), "another input");
        o = abi.decode(right, (Operands));
        o.unit.unit.bias += 1;
        vm.assertFalse(_computes(g, o), "another bias");
        o = abi.decode(right, (Operands));
        o.weights[0].data[0] ^= 0x01;
        vm.assertFalse(_computes(g, o), "another weight");
        vm.assertFalse(_computes(g, g.net.operands(g.lie, 0, 0)), "another node");
        vm.assertTrue(stageOf(g) == Stage.PickElement, "nothing has changed");
        vm.assertTrue(_computes(g, abi.decode(right, (Operands))), "these");
    }

    function test_what_has_one_term_is_not_divided() public {
        Layer[] memory layers = new Layer[](2);
        layers[0] = Networks.dense(1, 6, 1);
        layers[1] = Networks.dense(2, 1, 1);
        Game memory g = lying(Networks.assemble(Networks.vector(6), layers), 1, 0, 1, 0);
        g.depth = 1;
        reached(g, Stage.PickElement);
        _expectRefused(g, abi.encodeWithSelector(IDisputeCourt.Indivisible.selector, g.id));
    }

    function test_what_is_no_reduction_is_not_divided() public {
        Game memory g = lying(embedded(), 1, 0, 1, 0);
        g.depth = 1;
        reached(g, Stage.PickElement);
        _expectRefused(g, abi.encodeWithSelector(IDisputeCourt.Indivisible.selector, g.id));
    }

    function test_the_node_to_divide_is_the_one_in_play() public {
        Game memory g = lying(small(), 1, 0, 0, 0);
        reached(g, Stage.PickElement);
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.WrongNode.selector, 0, 1));
        vm.prank(challenger);
        disputes.contest(g.id, 0, g.chunk, g.net.openNode(1));
    }

    function test_a_contest_names_an_element() public {
        Game memory g = lying(small(), 1, 0, 0, 0);
        g.depth = 1;
        reached(g, Stage.PickElement);
        int64 claimed = int64(Networks.at(g.lie[1], g.element));
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.ElementPicked(g.id, uint32(g.element), claimed);
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.Moved(g.id, Stage.Parts, uint64(block.timestamp + MOVE));
        play(g);
        Dispute memory d = disputes.disputeOf(g.id);
        vm.assertEq(int256(d.value), claimed, "the claim is the element");
        vm.assertEq(d.element, g.element, "element");
        vm.assertEq(d.to, 0, "all terms");
    }

    function _computes(Game memory g, Operands memory o) private returns (bool) {
        return attempt(challenger, abi.encodeCall(IDisputeCourt.compute, (g.id, uint32(g.element), g.chunk, o)));
    }

    function _expectRefused(Game memory g, bytes memory reason) private {
        (address player, bytes memory data) = move(g);
        vm.expectRevert(reason);
        send(player, data);
    }
}

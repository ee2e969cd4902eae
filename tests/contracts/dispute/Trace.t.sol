// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Dispute, IDisputeCourt, Stage, TracePosting } from "../../../contracts/interfaces/IDisputeCourt.sol";
import { IndexedMerkle } from "../../../contracts/libraries/IndexedMerkle.sol";
import { vm } from "../support/Vm.sol";
import { Game } from "./support/DisputeWorld.sol";
import { Networks } from "./support/Networks.sol";
import { Players } from "./support/Players.sol";
import { Trees } from "./support/Trees.sol";

/// @dev One sample is left: the defendant shows what its network made of it.
contract TraceTest is Players {
    function setUp() public override {
        super.setUp();
        Game memory g = lying(small(), 100, 5, 1, 0);
        reached(g, Stage.Trace);
        keep(g);
    }

    function test_a_trace_begins_with_the_sample_and_ends_with_the_output() public {
        Game memory g = kept();
        TracePosting memory p = posting(g);
        bytes32 root = Trees.root(Networks.traceLeaves(g.lie));
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.TracePosted(g.id, 5, root, p.sample.inputRoot, p.roots, p.output);
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.Moved(g.id, Stage.PickTensor, uint64(block.timestamp + MOVE));
        play(g);
        Dispute memory d = disputes.disputeOf(g.id);
        vm.assertEq(d.traceRoot, root, "root over input and outputs");
        vm.assertEq(d.nodes, 2, "nodes");
    }

    function test_another_models_header_is_refused() public {
        Game memory g = kept();
        TracePosting memory p = posting(g);
        p.header.outputScale += 1;
        bytes32 other = keccak256(abi.encode(uint256(1), p.header));
        _expectRefused(g, p, abi.encodeWithSelector(IDisputeCourt.WrongRoot.selector, g.net.root, other));
    }

    function test_there_is_one_root_for_each_node() public {
        Game memory g = kept();
        TracePosting memory p = posting(g);
        bytes32[] memory roots = p.roots;
        p.roots = new bytes32[](3);
        (p.roots[0], p.roots[1], p.roots[2]) = (roots[0], roots[0], roots[1]);
        _expectRefused(g, p, abi.encodeWithSelector(IDisputeCourt.WrongCount.selector, 2, 3));
        p.roots = new bytes32[](1);
        p.roots[0] = roots[1];
        _expectRefused(g, p, abi.encodeWithSelector(IDisputeCourt.WrongCount.selector, 2, 1));
        p.roots = new bytes32[](0);
        _expectRefused(g, p, abi.encodeWithSelector(IDisputeCourt.WrongCount.selector, 2, 0));
    }

    function test_a_model_of_no_node_or_too_many_has_no_trace() public {
        uint256[2] memory sizes = [uint256(0), 513];
        for (uint256 i = 0; i < 2; ++i) {
            Game memory g = lying(small(), 1, 0, 1, 0);
            g.net.header.nodes = sizes[i];
            g.net.root = keccak256(abi.encode(uint256(1), g.net.header));
            opened(g);
            TracePosting memory p = posting(g);
            p.roots = new bytes32[](sizes[i]);
            _expectRefused(g, p, abi.encodeWithSelector(IDisputeCourt.WrongCount.selector, 512, sizes[i]));
        }
    }

    function test_the_output_is_as_long_as_the_order_says() public {
        Game memory g = kept();
        TracePosting memory p = posting(g);
        p.output = bytes.concat(p.output, hex"00000000");
        _expectRefused(g, p, abi.encodeWithSelector(IDisputeCourt.WrongOutputSize.selector, 4, 8));
        p.output = "";
        _expectRefused(g, p, abi.encodeWithSelector(IDisputeCourt.WrongOutputSize.selector, 4, 0));
    }

    function test_the_output_is_that_of_the_last_node() public {
        Game memory g = kept();
        TracePosting memory p = posting(g);
        bytes32 root = p.roots[1];
        p.roots[1] = p.roots[0];
        _expectRefused(g, p, abi.encodeWithSelector(IDisputeCourt.WrongRoot.selector, p.roots[0], root));
    }

    function test_the_output_must_score_what_is_claimed() public {
        Game memory g = kept();
        g.lie = g.truth;
        bytes memory reason = abi.encodeWithSelector(IDisputeCourt.WrongScore.selector, g.claims[5], g.scores[5]);
        _expectRefused(g, posting(g), reason);
    }

    function test_the_label_is_the_test_sets() public {
        Game memory g = kept();
        TracePosting memory p = posting(g);
        p.sample.label += 1;
        _expectNotInTestSet(g, p);
    }

    function test_the_input_is_the_test_sets() public {
        Game memory g = kept();
        TracePosting memory p = posting(g);
        p.sample.inputRoot = Trees.blob(inputOf(g.net, 6));
        _expectNotInTestSet(g, p);
    }

    function test_no_other_sample_of_the_test_set_will_do() public {
        Game memory g = kept();
        TracePosting memory p = posting(g);
        for (uint256 i = 0; i < 100; i += 9) {
            p.sample = sampleOf(g.net, i);
            p.sampleProof = Trees.proofOf(sampleLeaves(g), i);
            vm.assertFalse(attempt(liar, abi.encodeCall(IDisputeCourt.postTrace, (g.id, p))), "only the one in play");
        }
    }

    function test_the_path_has_one_length() public {
        Game memory g = kept();
        TracePosting memory p = posting(g);
        bytes32[] memory path = p.sampleProof;
        p.sampleProof = new bytes32[](path.length - 1);
        bytes4 wrong = IndexedMerkle.WrongProofLength.selector;
        _expectRefused(g, p, abi.encodeWithSelector(wrong, 5, path.length - 1));
        p.sampleProof = new bytes32[](path.length + 1);
        for (uint256 i = 0; i < path.length; ++i) {
            p.sampleProof[i] = path[i];
        }
        _expectRefused(g, p, abi.encodeWithSelector(wrong, 5, path.length + 1));
    }

    function test_fuzz_inner_roots_may_be_anything_and_bind(bytes32 root) public {
        Game memory g = kept();
        TracePosting memory p = posting(g);
        p.roots[0] = root;
        _post(g, p);
        bytes32[] memory leaves = Networks.traceLeaves(g.lie);
        leaves[1] = root;
        vm.assertEq(disputes.disputeOf(g.id).traceRoot, Trees.root(leaves), "bound");
    }

    function _expectNotInTestSet(Game memory g, TracePosting memory p) private {
        bytes32[] memory leaves = sampleLeaves(g);
        bytes32 expected = Trees.root(leaves);
        leaves[5] = keccak256(abi.encode(uint256(4), p.sample));
        _expectRefused(g, p, abi.encodeWithSelector(IDisputeCourt.WrongRoot.selector, expected, Trees.root(leaves)));
    }

    function _post(Game memory g, TracePosting memory p) private {
        vm.prank(liar);
        disputes.postTrace(g.id, p);
    }

    function _expectRefused(Game memory g, TracePosting memory p, bytes memory reason) private {
        vm.expectRevert(reason);
        _post(g, p);
        vm.assertTrue(stageOf(g) == Stage.Trace, "and nothing has changed");
    }
}

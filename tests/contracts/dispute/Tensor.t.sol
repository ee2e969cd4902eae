// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Dispute, IDisputeCourt, Stage } from "../../../contracts/interfaces/IDisputeCourt.sol";
import { IndexedMerkle } from "../../../contracts/libraries/IndexedMerkle.sol";
import { NodeOpening } from "../../../contracts/libraries/ModelTree.sol";
import { between, vm } from "../support/Vm.sol";
import { Game } from "./support/DisputeWorld.sol";
import { Layer, Network, Networks } from "./support/Networks.sol";
import { Players } from "./support/Players.sol";
import { Trees } from "./support/Trees.sol";

/// @dev From the trace to one chunk of one tensor.
contract TensorTest is Players {
    using Networks for Network;

    uint256 private constant MEBIBYTE = 2 ** 20;

    function test_a_tensor_of_one_chunk_needs_no_hashes() public {
        Game memory g = lying(small(), 1, 0, 0, 0);
        reached(g, Stage.PickTensor);
        bytes32 root = Trees.blob(g.lie[1]);
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.TensorPicked(g.id, 0, Networks.DENSE, root, 5);
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.Moved(g.id, Stage.Chunk, uint64(block.timestamp + MOVE));
        play(g);
        Dispute memory d = disputes.disputeOf(g.id);
        vm.assertEq(d.blob, root, "blob");
        vm.assertEq(d.count, 1, "chunks");
        vm.assertEq(d.op, Networks.DENSE, "operation");
    }

    function test_elements_of_the_last_tensor_have_four_bytes() public {
        Game memory g = lying(small(), 1, 0, 1, 0);
        Dispute memory d = reached(g, Stage.Chunk);
        vm.assertEq(d.size, 4, "one int32");
        vm.assertEq(d.node, 1, "node");
    }

    function test_a_node_must_be_the_models() public {
        Game memory g = lying(small(), 1, 0, 0, 0);
        reached(g, Stage.PickTensor);
        bytes memory right = abi.encode(g.net.openNode(0));
        NodeOpening memory opening = abi.decode(right, (NodeOpening));
        opening.node.offset = 1;
        vm.assertFalse(_pick(g, opening, 0), "a bent descriptor");
        opening = abi.decode(right, (NodeOpening));
        opening.header.outputScale += 1;
        vm.assertFalse(_pick(g, opening, 0), "another model");
        opening = abi.decode(right, (NodeOpening));
        opening.proof = new bytes32[](0);
        vm.assertFalse(_pick(g, opening, 0), "half a proof");
        opening = abi.decode(right, (NodeOpening));
        opening.node = g.net.layers[1].node;
        vm.assertFalse(_pick(g, opening, 1), "the other node's proof");
        vm.assertTrue(_pick(g, g.net.openNode(1), 1), "either of them");
    }

    function test_a_tensor_must_be_the_nodes() public {
        Game memory g = lying(small(), 1, 0, 0, 0);
        reached(g, Stage.PickTensor);
        vm.assertFalse(_pick(g, g.net.openNode(0), 1), "the next node's");
        vm.assertFalse(_pick(g, g.net.openNode(1), 0), "the node's before it");
        bytes32[] memory leaves = Networks.traceLeaves(g.lie);
        bytes32[] memory path = Trees.proofOf(leaves, 0);
        NodeOpening memory opening = g.net.openNode(0);
        bytes memory input = abi.encodeCall(IDisputeCourt.pickTensor, (g.id, opening, leaves[0], path));
        vm.assertFalse(attempt(challenger, input), "the input is nobody's claim");
        path = Trees.proofOf(leaves, 1);
        leaves[1] = keccak256("other");
        vm.expectRevert(
            abi.encodeWithSelector(
                IDisputeCourt.WrongRoot.selector, disputes.disputeOf(g.id).traceRoot, Trees.root(leaves)
            )
        );
        vm.prank(challenger);
        disputes.pickTensor(g.id, opening, leaves[1], path);
    }

    function test_a_proof_of_the_wrong_length_is_refused() public {
        Game memory g = lying(small(), 1, 0, 0, 0);
        reached(g, Stage.PickTensor);
        bytes32[] memory leaves = Networks.traceLeaves(g.lie);
        vm.expectRevert(abi.encodeWithSelector(IndexedMerkle.WrongProofLength.selector, 1, 5));
        vm.prank(challenger);
        disputes.pickTensor(g.id, g.net.openNode(0), leaves[1], new bytes32[](5));
    }

    function test_two_chunks_are_two_hashes() public {
        Game memory g = lying(pooled(), 1, 0, 0, 1050);
        Dispute memory d = reached(g, Stage.Hashes);
        vm.assertEq(d.size, 1089, "bytes");
        vm.assertEq(d.count, 2, "chunks");
        bytes32[] memory list = hashes(g, d);
        vm.assertEq(list.length, 2, "one for each");
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.HashesPosted(g.id, 0, list);
        play(g);
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.HashPicked(g.id, 1, 1, list[1]);
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.Moved(g.id, Stage.Chunk, uint64(block.timestamp + MOVE));
        play(g);
        bytes memory data = chunk(g, disputes.disputeOf(g.id));
        vm.assertEq(data.length, 65, "the last chunk is short");
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.ChunkPosted(g.id, 1, data);
        play(g);
        vm.assertTrue(stageOf(g) == Stage.PickElement, "an element of it");
    }

    function test_forty_chunks_are_two_subtrees() public {
        Game memory g = lying(embedded(), 1, 0, 0, 39 * 1024 + 100);
        Dispute memory d = reached(g, Stage.Hashes);
        vm.assertEq(hashes(g, d).length, 2, "32 and 8");
        play(g);
        play(g);
        d = disputes.disputeOf(g.id);
        vm.assertTrue(d.stage == Stage.Hashes, "once more");
        vm.assertEq(d.base, 32, "from");
        vm.assertEq(d.count, 8, "how many");
        vm.assertEq(hashes(g, d).length, 8, "one for each");
        play(g);
        play(g);
        d = disputes.disputeOf(g.id);
        vm.assertEq(d.base, 39, "the last");
        vm.assertEq(d.count, 1, "alone");
        vm.assertEq(d.blob, Trees.chunkHashes(g.lie[1])[39], "its hash");
    }

    /// forge-config: default.fuzz.runs = 50
    function test_fuzz_every_chunk_of_a_mebibyte_can_be_reached(uint256 index) public {
        Game memory g = _mebibyte();
        g.element = between(index, 0, MEBIBYTE - 1);
        reached(g, Stage.PickElement);
        Dispute memory d = disputes.disputeOf(g.id);
        vm.assertEq(d.base, g.element / 1024, "the element's chunk");
        vm.assertEq(d.blob, keccak256(Trees.chunk(g.lie[1], g.element / 1024)), "and its hash");
        play(g);
        vm.assertTrue(stageOf(g) == Stage.Closed, "an embedding is computed whole");
    }

    function test_hashes_must_lead_to_the_root() public {
        Game memory g = lying(embedded(), 1, 0, 0, 39 * 1024 + 100);
        Dispute memory d = reached(g, Stage.Hashes);
        bytes32[] memory list = hashes(g, d);
        (list[0], list[1]) = (list[1], list[0]);
        bytes32 swapped = keccak256(abi.encodePacked(list));
        _expectHashes(g, list, abi.encodeWithSelector(IDisputeCourt.WrongRoot.selector, d.blob, swapped));
        list = Trees.chunkHashes(g.lie[1]);
        _expectHashes(g, list, abi.encodeWithSelector(IDisputeCourt.WrongCount.selector, 2, 40));
        list = new bytes32[](1);
        list[0] = d.blob;
        _expectHashes(g, list, abi.encodeWithSelector(IDisputeCourt.WrongCount.selector, 2, 1));
        _expectHashes(g, new bytes32[](0), abi.encodeWithSelector(IDisputeCourt.WrongCount.selector, 2, 0));
    }

    function test_a_hash_is_picked_from_what_was_posted() public {
        Game memory g = lying(embedded(), 1, 0, 0, 39 * 1024 + 100);
        bytes32 posted = reached(g, Stage.PickHash).posted;
        bytes32[] memory list = new bytes32[](2);
        bytes memory reason =
            abi.encodeWithSelector(IDisputeCourt.WrongList.selector, posted, keccak256(abi.encode(list)));
        _expectChoice(g, list, 0, reason);
        _expectChoice(g, g.hashes, 2, abi.encodeWithSelector(IDisputeCourt.NoSuchChoice.selector, 2, 2));
        uint256 last = type(uint256).max;
        _expectChoice(g, g.hashes, last, abi.encodeWithSelector(IDisputeCourt.NoSuchChoice.selector, 2, last));
        _expectChoice(g, g.hashes, 1 << 32, abi.encodeWithSelector(IDisputeCourt.NoSuchChoice.selector, 2, 1 << 32));
    }

    function test_a_chunk_has_its_hash_and_its_length() public {
        Game memory g = lying(pooled(), 1, 0, 0, 1050);
        Dispute memory d = reached(g, Stage.Chunk);
        bytes memory data = chunk(g, d);
        data[0] ^= 0x01;
        bytes memory reason = abi.encodeWithSelector(IDisputeCourt.WrongRoot.selector, d.blob, keccak256(data));
        _expectChunk(g, data, reason);
        _expectChunk(g, "", abi.encodeWithSelector(IDisputeCourt.WrongCount.selector, 65, 0));
        _expectChunk(g, new bytes(1024), abi.encodeWithSelector(IDisputeCourt.WrongCount.selector, 65, 1024));
    }

    /// @dev A root over bytes of another length is one that its own author cannot open.
    function test_a_blob_of_the_wrong_length_cannot_be_opened() public {
        Game memory g = lying(small(), 1, 0, 0, 0);
        g.lie[1] = bytes.concat(g.lie[1], hex"00");
        reached(g, Stage.Chunk);
        _expectChunk(g, g.lie[1], abi.encodeWithSelector(IDisputeCourt.WrongCount.selector, 5, 6));
        vm.assertFalse(attempt(liar, abi.encodeCall(IDisputeCourt.postChunk, (g.id, g.truth[1]))), "nor the truth");
    }

    /// @dev 256 tokens of one row of 4,096 features; put together by hand, which is faster than evaluating it.
    function _mebibyte() private pure returns (Game memory g) {
        Layer[] memory layers = new Layer[](3);
        layers[0] = Networks.embedding(9, 256, 1, 4096);
        layers[1] = Networks.slice(MEBIBYTE - 4, 4);
        layers[2] = Networks.dense(10, 4, 1);
        g.net = Networks.assemble(Networks.vector(256), layers);
        bytes memory eight = layers[0].rows[0];
        for (uint256 i = 0; i < 8; ++i) {
            eight = bytes.concat(eight, eight);
        }
        g.truth = new bytes[](4);
        (g.truth[0], g.truth[1]) = (inputOf(g.net, 0), eight);
        g.net.resume(g.truth, 1);
        g.scores = row(scoreOf(g.net, g.truth, 0));
        (g.claims, g.lie) = (g.scores, g.truth);
    }

    function _pick(Game memory g, NodeOpening memory opening, uint256 node) private returns (bool ok) {
        bytes32[] memory leaves = Networks.traceLeaves(g.lie);
        bytes32[] memory path = Trees.proofOf(leaves, node + 1);
        return attempt(challenger, abi.encodeCall(IDisputeCourt.pickTensor, (g.id, opening, leaves[node + 1], path)));
    }

    function _expectHashes(Game memory g, bytes32[] memory list, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(liar);
        disputes.postHashes(g.id, list);
    }

    function _expectChoice(Game memory g, bytes32[] memory list, uint256 index, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(challenger);
        disputes.pickHash(g.id, list, index);
    }

    function _expectChunk(Game memory g, bytes memory data, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(liar);
        disputes.postChunk(g.id, data);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    IAvailabilityCourt,
    Item,
    NodeAnswer,
    RequestStatus
} from "../../../contracts/interfaces/IAvailabilityCourt.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { IndexedMerkle } from "../../../contracts/libraries/IndexedMerkle.sol";
import { ChunkOpening, Header, NodeOpening, Sample, UnitOpening } from "../../../contracts/libraries/ModelTree.sol";
import { vm } from "../support/Vm.sol";
import { Hall } from "./Hall.sol";

/// @dev What answers a request, what does not, and who is paid.
contract AnswerTest is Hall {
    uint256 private oid;

    function setUp() public override {
        super.setUp();
        oid = revealedRoot(validRoot());
    }

    function test_a_header_earns_the_bond() public {
        uint256 id = ask(target(oid, Item.Header));
        Header memory header = makeHeader(makeNode());
        vm.expectEmit(address(hall));
        emit IAvailabilityCourt.Answered(id, holder, abi.encode(header), bondOf());
        vm.prank(holder);
        hall.answerHeader(id, header);
        _paid(id);
        vm.assertEq(proof.factsOf(oid).openDisputes, 0, "the order goes on");
        vm.assertEq(
            proof.factsOf(oid).challengeUntil, block.timestamp + _terms().challengeSeconds, "with time to use it"
        );
    }

    function test_a_node() public {
        uint256 id = ask(target(oid, Item.Node));
        vm.expectEmit(address(hall));
        emit IAvailabilityCourt.Answered(id, holder, abi.encode(makeNode(), new bytes32[](0)), bondOf());
        vm.prank(holder);
        hall.answerNode(id, answerNode());
        _paid(id);
    }

    function test_a_unit() public {
        uint256 id = ask(target(oid, Item.Unit, 0, 1, 0));
        vm.expectEmit(address(hall));
        emit IAvailabilityCourt.Answered(id, holder, abi.encode(makeUnit(1), one(unitLeaf(0))), bondOf());
        vm.prank(holder);
        hall.answerUnit(id, openNode(), openUnit(1));
        _paid(id);
    }

    function test_weights() public {
        uint256 id = ask(target(oid, Item.Weights, 0, 1, 1));
        vm.expectEmit(address(hall));
        ChunkOpening memory chunk = openChunk(weights(1), 1);
        emit IAvailabilityCourt.Answered(id, holder, abi.encode(chunk.data, chunk.proof), bondOf());
        vm.prank(holder);
        hall.answerWeights(id, openNode(), openUnit(1), openChunk(weights(1), 1));
        _paid(id);
    }

    function test_a_sample() public {
        uint256 id = ask(target(oid, Item.Sample, 0, 1, 0));
        ChunkOpening memory chunk = openChunk(input(1), 0);
        bytes memory payload = abi.encode(makeSample(1), one(sampleLeaf(0)), chunk.data, chunk.proof);
        vm.expectEmit(address(hall));
        emit IAvailabilityCourt.Answered(id, holder, payload, bondOf());
        vm.prank(holder);
        hall.answerSample(id, makeSample(1), one(sampleLeaf(0)), openChunk(input(1), 0));
        _paid(id);
    }

    // What there is not

    function test_no_such_node_is_shown_by_the_header() public {
        NodeAnswer memory bare;
        bare.opening.header = makeHeader(makeNode());
        uint256 id = ask(target(oid, Item.Node, 1, 0, 0));
        vm.expectEmit(address(hall));
        emit IAvailabilityCourt.Answered(id, address(this), abi.encode(bare.opening.header), bondOf());
        hall.answerNode(id, bare);
        UnitOpening memory noUnit;
        ChunkOpening memory noChunk;
        hall.answerUnit(ask(target(oid, Item.Unit, 7, 0, 0)), bare.opening, noUnit);
        hall.answerWeights(ask(target(oid, Item.Weights, type(uint32).max, 0, 0)), bare.opening, noUnit, noChunk);
        vm.assertEq(token.balanceOf(holder), 0, "not the holder");
    }

    function test_no_such_unit_or_chunk_is_shown_by_the_node() public {
        UnitOpening memory noUnit;
        ChunkOpening memory noChunk;
        uint256 id = ask(target(oid, Item.Unit, 0, 2, 0));
        vm.expectEmit(address(hall));
        emit IAvailabilityCourt.Answered(id, address(this), abi.encode(makeNode()), bondOf());
        hall.answerUnit(id, openNode(), noUnit);
        hall.answerWeights(ask(target(oid, Item.Weights, 0, 2, 0)), openNode(), noUnit, noChunk);
        hall.answerWeights(ask(target(oid, Item.Weights, 0, 0, 2)), openNode(), noUnit, noChunk);
    }

    function test_no_such_sample_or_chunk_needs_nothing() public {
        Sample memory nothing;
        ChunkOpening memory noChunk;
        uint256 id = ask(target(oid, Item.Sample, 0, 2, 0));
        vm.expectEmit(address(hall));
        emit IAvailabilityCourt.Answered(id, address(this), "", bondOf());
        hall.answerSample(id, nothing, new bytes32[](0), noChunk);
        hall.answerSample(ask(target(oid, Item.Sample, 0, 0, 2)), nothing, new bytes32[](0), noChunk);
    }

    // What is no answer

    function test_a_header_of_another_model() public {
        uint256 id = ask(target(oid, Item.Header));
        Header memory other = makeHeader(makeNode());
        other.outputScale += 1;
        _wrongOpening("header", validRoot(), rootOf(other));
        hall.answerHeader(id, other);
        NodeAnswer memory bare;
        bare.opening.header = other;
        other.nodes = 0;
        id = ask(target(oid, Item.Node));
        _wrongOpening("header", validRoot(), rootOf(other));
        hall.answerNode(id, bare);
    }

    function test_a_node_that_is_not_under_the_root() public {
        uint256 id = ask(target(oid, Item.Node));
        NodeAnswer memory answer = answerNode();
        answer.opening.node.low -= 1;
        bytes32 leaf = keccak256(abi.encode(uint256(2), answer.opening.node));
        _wrongOpening("node", answer.opening.header.nodesRoot, leaf);
        hall.answerNode(id, answer);
        answer = answerNode();
        answer.opening.proof = one(0);
        vm.expectRevert(abi.encodeWithSelector(IndexedMerkle.WrongProofLength.selector, 0, 1));
        hall.answerNode(id, answer);
    }

    function test_a_unit_of_another_place() public {
        uint256 id = ask(target(oid, Item.Unit, 0, 1, 0));
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityCourt.WrongIndex.selector, 1, 0));
        hall.answerUnit(id, openNode(), openUnit(0));
        UnitOpening memory moved = openUnit(0);
        moved.index = 1;
        _wrongOpening("unit", makeNode().unitsRoot, pair(unitLeaf(1), unitLeaf(0)));
        hall.answerUnit(id, openNode(), moved);
    }

    function test_weights_of_another_place_length_or_content() public {
        uint256 id = ask(target(oid, Item.Weights, 0, 0, 1));
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityCourt.WrongIndex.selector, 1, 0));
        hall.answerWeights(id, openNode(), openUnit(0), openChunk(weights(0), 0));
        ChunkOpening memory chunk = openChunk(weights(0), 1);
        chunk.data = part(weights(0), 1024, INPUTS - 1);
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityCourt.WrongLength.selector, 76, 75));
        hall.answerWeights(id, openNode(), openUnit(0), chunk);
        chunk = openChunk(weights(0), 1);
        chunk.data[0] ^= 0x01;
        _wrongOpening("weights", makeUnit(0).weightRoot, pair(chunk.proof[0], keccak256(chunk.data)));
        hall.answerWeights(id, openNode(), openUnit(0), chunk);
    }

    function test_another_sample_or_its_chunk() public {
        uint256 id = ask(target(oid, Item.Sample, 0, 1, 1));
        _wrongOpening("sample", testRoot(), pair(sampleLeaf(1), sampleLeaf(0)));
        hall.answerSample(id, makeSample(0), one(sampleLeaf(1)), openChunk(input(0), 1));
        _wrongOpening("input", makeSample(1).inputRoot, blobRoot(input(0)));
        hall.answerSample(id, makeSample(1), one(sampleLeaf(0)), openChunk(input(0), 1));
    }

    function test_an_answer_to_another_question() public {
        uint256 header = ask(target(oid, Item.Header));
        uint256 node = ask(target(oid, Item.Node));
        _wrongItem(header, Item.Header, Item.Node);
        hall.answerNode(header, answerNode());
        _wrongItem(header, Item.Header, Item.Unit);
        hall.answerUnit(header, openNode(), openUnit(0));
        _wrongItem(header, Item.Header, Item.Weights);
        hall.answerWeights(header, openNode(), openUnit(0), openChunk(weights(0), 0));
        _wrongItem(header, Item.Header, Item.Sample);
        hall.answerSample(header, makeSample(0), one(sampleLeaf(1)), openChunk(input(0), 0));
        _wrongItem(node, Item.Node, Item.Header);
        hall.answerHeader(node, makeHeader(makeNode()));
    }

    function test_answers_end_at_the_deadline() public {
        uint256 id = ask(target(oid, Item.Header));
        uint256 late = ask(target(oid, Item.Node));
        uint64 deadline = hall.requestOf(id).deadline;
        vm.warp(deadline - 1);
        hall.answerHeader(id, makeHeader(makeNode()));
        vm.warp(deadline);
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityCourt.TooLate.selector, late, deadline));
        hall.answerNode(late, answerNode());
    }

    function test_nothing_is_answered_twice() public {
        uint256 id = ask(target(oid, Item.Header));
        hall.answerHeader(id, makeHeader(makeNode()));
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityCourt.NotOpen.selector, id, RequestStatus.Answered));
        hall.answerHeader(id, makeHeader(makeNode()));
        pastDeadline(id);
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityCourt.NotOpen.selector, id, RequestStatus.Answered));
        hall.expire(id);
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityCourt.NotOpen.selector, id, RequestStatus.Answered));
        hall.dismiss(id);
        vm.assertFalse(proof.isVoid(oid, 0), "not void");
    }

    function test_one_who_answers_itself_has_its_bond_back_outside_the_vault() public {
        uint256 id = ask(target(oid, Item.Header));
        vm.prank(asker);
        hall.answerHeader(id, makeHeader(makeNode()));
        vm.assertEq(token.balanceOf(asker), bondOf(), "paid to itself");
        vm.assertEq(bonded(asker, Role.Verifier), BOND - bondOf(), "out of its bond");
        vm.assertEq(locked(asker, Role.Verifier), 0, "nothing locked");
    }

    function _paid(uint256 id) private view {
        vm.assertTrue(hall.requestOf(id).status == RequestStatus.Answered, "answered");
        vm.assertEq(token.balanceOf(holder), bondOf(), "the bond");
        vm.assertEq(bonded(asker, Role.Verifier), BOND - bondOf(), "of the asker");
        vm.assertEq(locked(asker, Role.Verifier), 0, "unlocked");
    }

    function _wrongOpening(string memory what, bytes32 expected, bytes32 actual) private {
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityCourt.WrongOpening.selector, what, expected, actual));
    }

    function _wrongItem(uint256 id, Item expected, Item actual) private {
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityCourt.WrongItem.selector, id, expected, actual));
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Dispute, IDisputeCourt, Stage, TracePosting } from "../../../../contracts/interfaces/IDisputeCourt.sol";
import { NodeOpening, UnitOpening } from "../../../../contracts/libraries/ModelTree.sol";
import { vm } from "../../support/Vm.sol";
import { DisputeWorld, Game } from "./DisputeWorld.sol";
import { Layer, Network, Networks } from "./Networks.sol";
import { Trees } from "./Trees.sol";

/// @dev What the two players of a game do next. Moves are made as calldata, so that tests can send them as somebody else,
/// too late, or bent.
abstract contract Players is DisputeWorld {
    using Networks for Network;

    bytes private _kept;

    /// @dev Lets a test start from a game that `setUp` has played so far.
    function keep(Game memory g) internal {
        _kept = abi.encode(g);
    }

    function kept() internal view returns (Game memory) {
        return abi.decode(_kept, (Game));
    }

    function play(Game memory g) internal {
        (address player, bytes memory data) = move(g);
        send(player, data);
    }

    function send(address player, bytes memory data) internal {
        vm.prank(player);
        (bool ok, bytes memory result) = address(disputes).call(data);
        if (ok) return;
        assembly ("memory-safe") {
            revert(add(result, 32), mload(result))
        }
    }

    /// @dev Whether the player could make the move; leaves everything as it was otherwise.
    function attempt(address player, bytes memory data) internal returns (bool ok) {
        vm.prank(player);
        (ok,) = address(disputes).call(data);
    }

    function advanced(Game memory g, Stage stage) internal override returns (Dispute memory d) {
        for (d = disputes.disputeOf(g.id); d.stage != stage; d = disputes.disputeOf(g.id)) {
            vm.assertTrue(d.stage != Stage.Closed, "the game comes by the stage");
            play(g);
        }
    }

    /// @return player whose turn it is
    /// @return data the call that it should make
    function move(Game memory g) internal view returns (address player, bytes memory data) {
        Dispute memory d = disputes.disputeOf(g.id);
        player = defends(d.stage) ? d.defendant : d.challenger;
        if (d.stage == Stage.Sums) data = abi.encodeCall(IDisputeCourt.postSums, (g.id, sums(g, d.low, d.high)));
        if (d.stage == Stage.PickSum) {
            data = abi.encodeCall(IDisputeCourt.pickSum, (g.id, g.values, (g.sample - d.low) / segment(d.low, d.high)));
        }
        if (d.stage == Stage.Trace) data = abi.encodeCall(IDisputeCourt.postTrace, (g.id, posting(g)));
        if (d.stage == Stage.PickTensor) data = pickTensor(g, g.node);
        if (d.stage == Stage.Hashes) data = abi.encodeCall(IDisputeCourt.postHashes, (g.id, hashes(g, d)));
        if (d.stage == Stage.PickHash) data = abi.encodeCall(IDisputeCourt.pickHash, (g.id, g.hashes, branch(g, d)));
        if (d.stage == Stage.Chunk) data = abi.encodeCall(IDisputeCourt.postChunk, (g.id, chunk(g, d)));
        if (d.stage == Stage.PickElement) data = pickElement(g);
        if (d.stage == Stage.Parts) data = postParts(g, d);
        if (d.stage == Stage.PickPart) data = pickPart(g, d);
    }

    function defends(Stage stage) internal pure returns (bool) {
        return stage == Stage.Sums || stage == Stage.Trace || stage == Stage.Hashes || stage == Stage.Chunk
            || stage == Stage.Parts;
    }

    /// @dev Written from docs/dispute.md: the length of all segments but the last.
    function segment(uint256 low, uint256 high) internal pure returns (uint256) {
        return (high - low + 31) / 32;
    }

    function segments(uint256 low, uint256 high) internal pure returns (uint256) {
        return (high - low + segment(low, high) - 1) / segment(low, high);
    }

    function least(uint256 a, uint256 b) internal pure returns (uint256) {
        return a < b ? a : b;
    }

    function sums(Game memory g, uint256 low, uint256 high) internal pure returns (int64[] memory list) {
        list = new int64[](segments(low, high));
        for (uint256 i = low; i < high; ++i) {
            list[(i - low) / segment(low, high)] += g.claims[i];
        }
        g.values = list;
    }

    function posting(Game memory g) internal pure returns (TracePosting memory p) {
        bytes32[] memory leaves = Networks.traceLeaves(g.lie);
        p.header = g.net.header;
        p.roots = new bytes32[](leaves.length - 1);
        for (uint256 i = 0; i < p.roots.length; ++i) {
            p.roots[i] = leaves[i + 1];
        }
        p.output = g.lie[g.lie.length - 1];
        p.sample = sampleOf(g.net, g.sample);
        p.sampleProof = Trees.proofOf(sampleLeaves(g), g.sample);
    }

    function pickTensor(Game memory g, uint256 node) internal pure returns (bytes memory) {
        bytes32[] memory leaves = Networks.traceLeaves(g.lie);
        NodeOpening memory opening = g.net.openNode(node);
        bytes32[] memory path = Trees.proofOf(leaves, node + 1);
        return abi.encodeCall(IDisputeCourt.pickTensor, (g.id, opening, leaves[node + 1], path));
    }

    function hashes(Game memory g, Dispute memory d) internal pure returns (bytes32[] memory) {
        g.hashes = Trees.branches(g.lie[d.node + 1], d.base, d.count);
        return g.hashes;
    }

    function width(Game memory g) internal pure returns (uint256) {
        return g.node + 1 == g.net.layers.length ? 4 : 1;
    }

    /// @dev Which of the hashes the element is below.
    function branch(Game memory g, Dispute memory d) internal pure returns (uint256) {
        uint256 index = g.element * width(g) / Trees.CHUNK - d.base;
        return d.count > 32 ? index / 32 : index;
    }

    function chunk(Game memory g, Dispute memory d) internal pure returns (bytes memory) {
        g.chunk = Trees.chunk(g.lie[d.node + 1], d.base);
        return g.chunk;
    }

    function pickElement(Game memory g) internal pure returns (bytes memory) {
        uint32 element = uint32(g.element);
        if (g.depth == 0) {
            return
                abi.encodeCall(
                    IDisputeCourt.compute, (g.id, element, g.chunk, g.net.operands(g.lie, g.node, g.element))
                );
        }
        return abi.encodeCall(IDisputeCourt.contest, (g.id, element, g.chunk, g.net.openNode(g.node)));
    }

    function postParts(Game memory g, Dispute memory d) internal pure returns (bytes memory) {
        bool whole = d.to == 0;
        NodeOpening memory node;
        UnitOpening memory unit;
        if (whole) (node, unit) = (g.net.openNode(g.node), g.net.openUnit(g.node, g.element));
        g.values = parts(g, d);
        return abi.encodeCall(IDisputeCourt.postParts, (g.id, g.values, node, unit));
    }

    /// @dev True parts, bent in as few places as the claim demands.
    function parts(Game memory g, Dispute memory d) internal pure returns (int64[] memory list) {
        Layer memory layer = g.net.layers[g.node];
        bool whole = d.to == 0;
        list = trueParts(g, d.from, whole ? Networks.terms(layer) : d.to);
        int256 goal = d.value;
        int256 combined = combine(layer, list);
        if (whole) {
            if (Networks.finish(layer, g.element, combined) == goal) return list;
            goal = Networks.unfinish(layer, g.element, goal);
        }
        if (layer.node.op != Networks.MAX_POOL2D) list[0] += int64(goal - combined);
        else if (goal > combined) list[0] = int64(goal);
        for (uint256 i = 0; i < list.length && layer.node.op == Networks.MAX_POOL2D; ++i) {
            if (list[i] > goal) list[i] = int64(goal);
        }
    }

    function trueParts(Game memory g, uint256 from, uint256 to) internal pure returns (int64[] memory list) {
        list = new int64[](segments(from, to));
        uint256 length = segment(from, to);
        for (uint256 i = 0; i < list.length; ++i) {
            uint256 start = from + i * length;
            uint256 end = least(start + length, to);
            list[i] = int64(Networks.part(g.net.layers[g.node], g.lie[g.node], g.element, start, end));
        }
    }

    function combine(Layer memory layer, int64[] memory list) internal pure returns (int256 value) {
        if (layer.node.op != Networks.MAX_POOL2D) return total(list);
        value = -128;
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] > value) value = list[i];
        }
    }

    /// @dev The first part that is false, or the first when all are true; `depth` counts how often parts are asked for.
    function pickPart(Game memory g, Dispute memory d) internal pure returns (bytes memory) {
        int64[] memory truth = trueParts(g, d.from, d.to);
        uint256 index = 0;
        while (index < truth.length && truth[index] == g.values[index]) ++index;
        if (index == truth.length) index = 0;
        uint256 length = segment(d.from, d.to);
        bool divisible = index * length + 1 < d.to - d.from && length > 1;
        if (g.depth > 1 && divisible) return abi.encodeCall(IDisputeCourt.contestPart, (g.id, g.values, index));
        return
            abi.encodeCall(IDisputeCourt.computePart, (g.id, g.values, index, g.net.operands(g.lie, g.node, g.element)));
    }
}

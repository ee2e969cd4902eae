// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    ChunkOpening,
    Descriptor,
    Header,
    NodeOpening,
    Operands,
    TensorOpening,
    Unit,
    UnitOpening
} from "../../../../contracts/libraries/ModelTree.sol";
import { draw } from "../../support/Vm.sol";
import { Trees } from "./Trees.sol";

/// @dev A node with its parameters; `rows[i]` are the int8 parameters of unit i.
struct Layer {
    Descriptor node;
    bytes[] rows;
    Unit[] units;
}

struct Network {
    Header header;
    Layer[] layers;
    bytes32 root;
}

/// @dev Small networks of four operations: made, evaluated and opened, the plain way. Each node reads the one before it.
library Networks {
    uint256 internal constant DENSE = 1;
    uint256 internal constant MAX_POOL2D = 4;
    uint256 internal constant EMBEDDING = 9;
    uint256 internal constant SLICE = 10;
    int256 internal constant OUTPUT_BOUND = 2 ** 23 - 1;

    // Making

    function dense(uint256 seed, uint256 inputs, uint256 outputs) internal pure returns (Layer memory layer) {
        Descriptor memory node = layer.node;
        node.op = DENSE;
        node.shape = vector(outputs);
        (node.units, node.rowBytes) = (outputs, inputs);
        layer.rows = _rows(seed, outputs, inputs);
        layer.units = new Unit[](outputs);
        for (uint256 i = 0; i < outputs; ++i) {
            int256 bias = int256(draw(seed, i + 1) % 200) - 100;
            layer.units[i] = Unit(Trees.blob(layer.rows[i]), bias, 1, _shiftFor(inputs));
        }
    }

    function maxPool(uint256 kernel, uint256 outputs) internal pure returns (Layer memory layer) {
        layer.node.op = MAX_POOL2D;
        layer.node.shape = image(outputs);
        layer.node.kernel = [kernel, kernel];
    }

    function embedding(uint256 seed, uint256 tokens, uint256 rows, uint256 features)
        internal
        pure
        returns (Layer memory layer)
    {
        layer.node.op = EMBEDDING;
        layer.node.shape = [uint256(3), tokens, 1, features];
        (layer.node.units, layer.node.rowBytes) = (rows, features);
        layer.rows = _rows(seed, rows, features);
        layer.units = new Unit[](rows);
        for (uint256 i = 0; i < rows; ++i) {
            layer.units[i].weightRoot = Trees.blob(layer.rows[i]);
        }
    }

    function slice(uint256 offset, uint256 outputs) internal pure returns (Layer memory layer) {
        layer.node.op = SLICE;
        layer.node.shape = vector(outputs);
        layer.node.offset = offset;
    }

    /// @dev Fills in what follows from the order of the layers, and hashes.
    function assemble(uint256[4] memory inputShape, Layer[] memory layers) internal pure returns (Network memory net) {
        uint256[4] memory shape = inputShape;
        for (uint256 i = 0; i < layers.length; ++i) {
            Descriptor memory node = layers[i].node;
            bool last = i + 1 == layers.length;
            (node.index, node.inputs, node.inputShape) = (i, [i, uint256(0)], shape);
            (node.low, node.high) = last ? (-OUTPUT_BOUND, OUTPUT_BOUND) : (int256(-128), int256(127));
            if (node.kernel[0] == 0) node.kernel = [uint256(1), 1];
            node.stride = [uint256(1), 1];
            if (node.units != 0) node.unitsRoot = Trees.root(unitLeaves(layers[i]));
            shape = node.shape;
        }
        net.layers = layers;
        net.header.inputShape = inputShape;
        net.header.nodes = layers.length;
        net.header.outputScale = 0x3FF0000000000000;
        net.header.nodesRoot = Trees.root(nodeLeaves(net));
        net.root = keccak256(abi.encode(uint256(1), net.header));
    }

    function vector(uint256 length) internal pure returns (uint256[4] memory) {
        return [uint256(1), length, 0, 0];
    }

    /// @dev A square with one channel.
    function image(uint256 side) internal pure returns (uint256[4] memory) {
        return [uint256(3), side, side, 1];
    }

    function elements(uint256[4] memory shape) internal pure returns (uint256) {
        return shape[0] == 1 ? shape[1] : shape[1] * shape[2] * shape[3];
    }

    // Opening

    function nodeLeaves(Network memory net) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](net.layers.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = keccak256(abi.encode(uint256(2), net.layers[i].node));
        }
    }

    function unitLeaves(Layer memory layer) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](layer.units.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = keccak256(abi.encode(uint256(3), layer.units[i]));
        }
    }

    function openNode(Network memory net, uint256 node) internal pure returns (NodeOpening memory) {
        return
            NodeOpening({
                header: net.header, node: net.layers[node].node, proof: Trees.proofOf(nodeLeaves(net), node)
            });
    }

    /// @dev Empty for a node without units.
    function openUnit(Network memory net, uint256 node, uint256 unit)
        internal
        pure
        returns (UnitOpening memory opening)
    {
        Layer memory layer = net.layers[node];
        if (layer.units.length == 0) return opening;
        return UnitOpening({ index: unit, unit: layer.units[unit], proof: Trees.proofOf(unitLeaves(layer), unit) });
    }

    /// @return o with all chunks of the row of weights and of the input
    function operands(Network memory net, bytes[] memory tensors, uint256 node, uint256 element)
        internal
        pure
        returns (Operands memory o)
    {
        Layer memory layer = net.layers[node];
        bytes memory input = tensors[node];
        uint256 unit = element;
        if (layer.node.op == EMBEDDING) unit = _token(layer, input, element);
        o.node = openNode(net, node);
        o.unit = openUnit(net, node, unit);
        if (layer.rows.length != 0) o.weights = Trees.openAll(layer.rows[unit]);
        o.tensors = new TensorOpening[](1);
        bytes32[] memory blobs = traceLeaves(tensors);
        o.tensors[0] = TensorOpening({ root: blobs[node], proof: Trees.proofOf(blobs, node) });
        if (layer.node.op == SLICE) {
            o.first = new ChunkOpening[](1);
            o.first[0] = Trees.openChunk(input, (layer.node.offset + element) / Trees.CHUNK);
        } else {
            o.first = Trees.openAll(input);
        }
    }

    function traceLeaves(bytes[] memory tensors) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](tensors.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = Trees.blob(tensors[i]);
        }
    }

    // Evaluating

    /// @return tensors the input, then each node's output, encoded
    function trace(Network memory net, bytes memory input) internal pure returns (bytes[] memory tensors) {
        tensors = new bytes[](net.layers.length + 1);
        tensors[0] = input;
        resume(net, tensors, 0);
    }

    /// @dev Computes all outputs from that of `node` on anew.
    function resume(Network memory net, bytes[] memory tensors, uint256 node) internal pure {
        for (uint256 i = node; i < net.layers.length; ++i) {
            Layer memory layer = net.layers[i];
            uint256 length = elements(layer.node.shape);
            tensors[i + 1] = new bytes(i + 1 == net.layers.length ? 4 * length : length);
            for (uint256 e = 0; e < length; ++e) {
                write(tensors[i + 1], length, e, value(layer, tensors[i], e));
            }
        }
    }

    function value(Layer memory layer, bytes memory input, uint256 element) internal pure returns (int256) {
        if (layer.node.op == SLICE) return at(input, layer.node.offset + element);
        if (layer.node.op == EMBEDDING) {
            return at(layer.rows[_token(layer, input, element)], element % layer.node.rowBytes);
        }
        return finish(layer, element, part(layer, input, element, 0, terms(layer)));
    }

    function terms(Layer memory layer) internal pure returns (uint256) {
        return layer.node.op == DENSE ? layer.node.rowBytes : layer.node.kernel[0] * layer.node.kernel[1];
    }

    function finish(Layer memory layer, uint256 element, int256 combined) internal pure returns (int256) {
        if (layer.node.op == DENSE) {
            Unit memory unit = layer.units[element];
            int256 half = int256(1 << (unit.shift - 1));
            combined = ((combined + unit.bias) * int256(unit.multiplier) + half) >> unit.shift;
        }
        if (combined < layer.node.low) return layer.node.low;
        return combined > layer.node.high ? layer.node.high : combined;
    }

    /// @dev A sum that finishes to `result`, which lies within the clamp.
    function unfinish(Layer memory layer, uint256 element, int256 result) internal pure returns (int256) {
        if (layer.node.op != DENSE) return result;
        Unit memory unit = layer.units[element];
        return result * int256(1 << unit.shift) - unit.bias;
    }

    /// @return combined the terms [from, to) of a dense layer or max-pool with one channel
    function part(Layer memory layer, bytes memory input, uint256 element, uint256 from, uint256 to)
        internal
        pure
        returns (int256 combined)
    {
        if (layer.node.op == DENSE) {
            bytes memory row = layer.rows[element];
            for (uint256 k = from; k < to; ++k) {
                combined += at(row, k) * at(input, k);
            }
            return combined;
        }
        combined = -128;
        (uint256 side, uint256 width, uint256 kernel) =
            (layer.node.shape[2], layer.node.inputShape[2], layer.node.kernel[1]);
        uint256 origin = element / side * width + element % side;
        for (uint256 k = from; k < to; ++k) {
            int256 x = at(input, origin + k / kernel * width + k % kernel);
            if (x > combined) combined = x;
        }
    }

    function at(bytes memory data, uint256 index) internal pure returns (int256) {
        return int8(uint8(data[index]));
    }

    /// @dev One byte an element, or four if `data` has room for them.
    function write(bytes memory data, uint256 length, uint256 index, int256 x) internal pure {
        if (data.length == length) {
            data[index] = bytes1(uint8(int8(x)));
            return;
        }
        bytes4 word = bytes4(uint32(int32(x)));
        for (uint256 i = 0; i < 4; ++i) {
            data[4 * index + i] = word[i];
        }
    }

    /// @dev Element of a tensor of `length` elements.
    function read(bytes memory data, uint256 length, uint256 index) internal pure returns (int256) {
        if (data.length == length) return at(data, index);
        uint32 word = 0;
        for (uint256 i = 0; i < 4; ++i) {
            word = (word << 8) | uint8(data[4 * index + i]);
        }
        return int32(word);
    }

    function _token(Layer memory layer, bytes memory input, uint256 element) private pure returns (uint256 row) {
        row = uint256(at(input, element / layer.node.rowBytes) + 128);
        if (row >= layer.node.units) row = layer.node.units - 1;
    }

    function _rows(uint256 seed, uint256 count, uint256 length) private pure returns (bytes[] memory rows) {
        rows = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            rows[i] = noise(draw(seed, 1000 + i), length);
        }
    }

    function noise(uint256 seed, uint256 length) internal pure returns (bytes memory data) {
        data = new bytes(length);
        uint256 word = 0;
        for (uint256 i = 0; i < length; ++i) {
            if (i % 32 == 0) word = draw(seed, i);
            data[i] = bytes1(uint8(word >> (8 * (i % 32))));
        }
    }

    /// @dev So that outputs neither vanish nor all saturate: products have about 13 bits.
    function _shiftFor(uint256 inputs) private pure returns (uint256 shift) {
        shift = 7;
        for (uint256 n = inputs; n > 1; n /= 4) {
            ++shift;
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAvailabilityCourt } from "../interfaces/IAvailabilityCourt.sol";
import { Descriptor } from "./ModelTree.sol";

/// @dev What an operation needs.
struct Demand {
    uint256 units;
    uint256 rowBytes;
    /// terms of each output element
    uint256 terms;
}

/// @title What each operation makes of its inputs' shapes, and which of a descriptor's fields it uses
/// @notice Fields that an operation does not use have one value, so that a network has one root. Shapes are words
/// (rank, sides…, zeros), see ModelTree.
library OperationRules {
    uint256 internal constant DENSE = 1;
    uint256 internal constant CONV2D = 2;
    uint256 internal constant DEPTHWISE_CONV2D = 3;
    uint256 internal constant MAX_POOL2D = 4;
    uint256 internal constant AVERAGE_POOL2D = 5;
    uint256 internal constant ADD = 6;
    uint256 internal constant MULTIPLY = 7;
    uint256 internal constant LOOKUP = 8;
    uint256 internal constant EMBEDDING = 9;
    uint256 internal constant SLICE = 10;
    uint256 internal constant CONCAT = 11;

    uint256 internal constant MAX_ELEMENTS = 2 ** 20;
    uint256 internal constant MAX_SIDE = 2 ** 20;
    uint256 internal constant MAX_PADDED_ELEMENTS = 2 ** 24;
    uint256 internal constant MAX_ROWS = 256;
    uint256 internal constant TABLE_BYTES = 256;
    uint256 internal constant MULTIPLIER_BOUND = 2 ** 22;
    uint256 internal constant MAX_SHIFT = 47;

    /// @return the elements of a shape, which must be (features) or (height, width, channels), none of them 0
    function elementsOf(uint256[4] memory shape) internal pure returns (uint256) {
        (uint256 a, uint256 b, uint256 c) = (shape[1], shape[2], shape[3]);
        if (shape[0] == 1) _require(b == 0 && c == 0, "shape");
        else _require(shape[0] == 3 && b != 0 && c != 0, "shape");
        _require(a != 0 && a <= MAX_SIDE && b <= MAX_SIDE && c <= MAX_SIDE, "shape");
        uint256 elements = shape[0] == 1 ? a : a * b * c;
        _require(elements <= MAX_ELEMENTS, "shape");
        return elements;
    }

    function isWeighted(uint256 op) internal pure returns (bool) {
        return op == DENSE || op == CONV2D || op == DEPTHWISE_CONV2D;
    }

    /// @return whether its parameters are looked up, not multiplied
    function isTable(uint256 op) internal pure returns (bool) {
        return op == LOOKUP || op == EMBEDDING;
    }

    function isWindowed(uint256 op) internal pure returns (bool) {
        return op >= CONV2D && op <= AVERAGE_POOL2D;
    }

    function readsTwo(uint256 op) internal pure returns (bool) {
        return op == ADD || op == MULTIPLY || op == CONCAT;
    }

    function isMultiplier(uint256 value) internal pure returns (bool) {
        return value != 0 && value < MULTIPLIER_BOUND;
    }

    function isShift(uint256 value) internal pure returns (bool) {
        return value != 0 && value <= MAX_SHIFT;
    }

    /// @notice Checks everything about a node that follows from its operation and inputs. `node.inputShape` and
    /// `node.shape` are what they should be or `Malformed`; `node.shape` must be known to be a shape.
    /// @param second shape of the second input, if the operation has one
    function demandOf(Descriptor calldata node, uint256[4] memory second) internal pure returns (Demand memory) {
        uint256 elements = elementsOf(node.inputShape);
        _checkScale(node);
        _require(node.op == SLICE || node.offset == 0, "offset");
        if (isWindowed(node.op)) return _windowed(node);
        _checkNoWindow(node);
        if (node.op == DENSE) return _dense(node, elements);
        if (node.op == ADD || node.op == MULTIPLY) return _pairwise(node, second);
        if (node.op == LOOKUP) return _lookup(node);
        if (node.op == EMBEDDING) return _embedding(node);
        if (node.op == SLICE) return _slice(node, elements);
        _require(node.op == CONCAT, "operation");
        return _concat(node, elements, second);
    }

    function _dense(Descriptor calldata node, uint256 elements) private pure returns (Demand memory) {
        _require(node.shape[0] == 1, "shape");
        return Demand({ units: node.shape[1], rowBytes: elements, terms: elements });
    }

    function _windowed(Descriptor calldata node) private pure returns (Demand memory demand) {
        _require(node.inputShape[0] == 3, "shape");
        _checkWindow(node);
        uint256 area = node.kernel[0] * node.kernel[1];
        uint256 channels = node.inputShape[3];
        demand.terms = area;
        if (node.op == CONV2D) {
            demand.terms = area * channels;
            channels = node.shape[3];
        }
        if (isWeighted(node.op)) (demand.units, demand.rowBytes) = (channels, demand.terms);
        _require(
            node.shape[0] == 3 && node.shape[1] == _positions(node, 0) && node.shape[2] == _positions(node, 1)
                && node.shape[3] == channels,
            "shape"
        );
    }

    function _pairwise(Descriptor calldata node, uint256[4] memory second) private pure returns (Demand memory) {
        _requireSame(node.inputShape, second);
        _requireSame(node.inputShape, node.shape);
        return Demand({ units: 0, rowBytes: 0, terms: 1 });
    }

    function _lookup(Descriptor calldata node) private pure returns (Demand memory) {
        _requireSame(node.inputShape, node.shape);
        return Demand({ units: 1, rowBytes: TABLE_BYTES, terms: 1 });
    }

    /// @dev (tokens) to (tokens, 1, features); how many rows there are follows from nothing else.
    function _embedding(Descriptor calldata node) private pure returns (Demand memory) {
        _require(node.inputShape[0] == 1, "shape");
        _require(node.shape[0] == 3 && node.shape[1] == node.inputShape[1] && node.shape[2] == 1, "shape");
        _require(node.units != 0 && node.units <= MAX_ROWS, "units");
        return Demand({ units: node.units, rowBytes: node.shape[3], terms: 1 });
    }

    function _slice(Descriptor calldata node, uint256 elements) private pure returns (Demand memory) {
        _require(node.offset < elements && elementsOf(node.shape) <= elements - node.offset, "offset");
        return Demand({ units: 0, rowBytes: 0, terms: 1 });
    }

    function _concat(Descriptor calldata node, uint256 elements, uint256[4] memory second)
        private
        pure
        returns (Demand memory)
    {
        _require(node.shape[0] == 1 && node.shape[1] == elements + elementsOf(second), "shape");
        return Demand({ units: 0, rowBytes: 0, terms: 1 });
    }

    /// @dev Padding is smaller than the kernel, so that every window of a pool holds a real element.
    function _checkWindow(Descriptor calldata node) private pure {
        for (uint256 i = 0; i < 2; ++i) {
            (uint256 side, uint256 stride) = (node.kernel[i], node.stride[i]);
            _require(side != 0 && side <= MAX_SIDE && stride != 0 && stride <= MAX_SIDE, "window");
            _require(node.padding[i] < side && node.padding[i + 2] < side, "padding");
            _require(_padded(node, i) >= side, "window");
        }
        _require(_padded(node, 0) * _padded(node, 1) * node.inputShape[3] <= MAX_PADDED_ELEMENTS, "padding");
    }

    function _checkNoWindow(Descriptor calldata node) private pure {
        for (uint256 i = 0; i < 2; ++i) {
            _require(node.kernel[i] == 1 && node.stride[i] == 1, "window");
            _require(node.padding[i] == 0 && node.padding[i + 2] == 0, "window");
        }
    }

    /// @dev Weighted operations have a scale for each unit; of the others only three have any.
    function _checkScale(Descriptor calldata node) private pure {
        bool two = node.op == ADD;
        bool one = two || node.op == MULTIPLY || node.op == AVERAGE_POOL2D;
        _require(one ? isMultiplier(node.multipliers[0]) : node.multipliers[0] == 0, "scale");
        _require(two ? isMultiplier(node.multipliers[1]) : node.multipliers[1] == 0, "scale");
        _require(one ? isShift(node.shift) : node.shift == 0, "scale");
    }

    /// @return side of the input along an axis (0: height, 1: width), with its padding
    function _padded(Descriptor calldata node, uint256 axis) private pure returns (uint256) {
        return node.inputShape[axis + 1] + node.padding[axis] + node.padding[axis + 2];
    }

    /// @return side of the output along an axis
    function _positions(Descriptor calldata node, uint256 axis) private pure returns (uint256) {
        return (_padded(node, axis) - node.kernel[axis]) / node.stride[axis] + 1;
    }

    function _requireSame(uint256[4] memory expected, uint256[4] memory actual) private pure {
        _require(keccak256(abi.encode(expected)) == keccak256(abi.encode(actual)), "shape");
    }

    function _require(bool obeyed, string memory rule) private pure {
        if (!obeyed) revert IAvailabilityCourt.Malformed(rule);
    }
}

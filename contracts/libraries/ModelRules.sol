// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAvailabilityCourt } from "../interfaces/IAvailabilityCourt.sol";
import { Descriptor, Header, Sample, Totals, Unit } from "./ModelTree.sol";
import { Demand, OperationRules } from "./OperationRules.sol";

/// @dev What an order demands of a model, of docs/integer-networks.md.
struct OrderLimits {
    uint256 inputSize;
    uint256 outputSize;
    uint256 maxModelBytes;
    uint256 maxTensorBytes;
}

/// @dev Where a node stands: its network's size, what ran up before it, and the shapes that it reads.
struct Surroundings {
    uint256 nodes;
    Totals before;
    uint256[4] first;
    /// all zero for an operation with one input
    uint256[4] second;
}

/// @title Which leaves of a model and of a test set are valid
/// @notice Each rule looks at one leaf and its neighbours. Reverts with `Malformed`, or with a panic where numbers are
/// beyond all bounds. `offchain/model/validation.py` is its twin; tests/contracts/availability holds the two together.
library ModelRules {
    uint256 internal constant MAX_NODES = 512;
    uint256 internal constant MAX_UNITS = 2 ** 20;
    uint256 internal constant MAX_WEIGHTS = 10_000_000;
    uint256 internal constant MAX_TOTAL_ELEMENTS = 2 ** 26;
    uint256 internal constant MAX_WORK = 2 ** 32;
    /// @dev Beside its weights, a unit costs a model file the bytes of bias, multiplier and shift.
    uint256 internal constant UNIT_BYTES = 9;
    int256 internal constant OUTPUT_BOUND = 2 ** 23;
    int256 internal constant WORD_BOUND = 2 ** 31;
    /// @dev The bits of a binary64 that is infinite; positive finite numbers are below.
    uint256 internal constant INFINITE_BITS = 0x7FF0000000000000;

    function checkHeader(Header calldata header, uint256 inputSize) internal pure {
        _require(OperationRules.elementsOf(header.inputShape) == inputSize, "input");
        _require(header.nodes != 0 && header.nodes <= MAX_NODES, "nodes");
        _require(header.outputScale != 0 && header.outputScale < INFINITE_BITS, "scale");
    }

    /// @dev A node reads what is before it.
    function checkInputs(Descriptor calldata node, uint256 index) internal pure {
        _require(node.inputs[0] <= index, "inputs");
        _require(readsTwo(node) ? node.inputs[1] <= index : node.inputs[1] == 0, "inputs");
    }

    /// @notice `checkInputs` comes first: it says which shapes are in `at`.
    function checkNode(Descriptor calldata node, Surroundings memory at, uint256 index, OrderLimits memory limits)
        internal
        pure
    {
        _require(node.index == index, "index");
        _require(keccak256(abi.encode(node.inputShape)) == keccak256(abi.encode(at.first)), "source");
        uint256 elements = OperationRules.elementsOf(node.shape);
        Demand memory demand = OperationRules.demandOf(node, at.second);
        _checkClamp(node, index + 1 == at.nodes);
        _require(index + 1 != at.nodes || elements == limits.outputSize, "output");
        _checkUnits(node, demand, limits.maxTensorBytes);
        _checkTotals(node.totals, at.before, elements, demand);
        _checkCost(node.totals, limits.maxModelBytes);
    }

    function readsTwo(Descriptor calldata node) internal pure returns (bool) {
        return OperationRules.readsTwo(node.op);
    }

    function elementsOf(uint256[4] memory shape) internal pure returns (uint256) {
        return OperationRules.elementsOf(shape);
    }

    /// @param node the node that it is a unit of
    function checkUnit(Descriptor calldata node, Unit calldata unit) internal pure {
        if (OperationRules.isTable(node.op)) {
            _require(unit.bias == 0 && unit.multiplier == 0 && unit.shift == 0, "unit");
            return;
        }
        _require(OperationRules.isWeighted(node.op), "operation");
        _require(unit.bias > -WORD_BOUND && unit.bias < WORD_BOUND, "bias");
        _require(OperationRules.isMultiplier(unit.multiplier) && OperationRules.isShift(unit.shift), "requantisation");
    }

    function checkSample(Sample calldata sample) internal pure {
        _require(sample.label >= -WORD_BOUND && sample.label < WORD_BOUND, "label");
    }

    /// @dev Only the last node may be wider than int8; nobody reads it, for a node reads what is before it.
    function _checkClamp(Descriptor calldata node, bool last) private pure {
        (int256 least, int256 most) = last ? (1 - OUTPUT_BOUND, OUTPUT_BOUND - 1) : (int256(-128), int256(127));
        _require(least <= node.low && node.low <= node.high && node.high <= most, "clamp");
    }

    function _checkUnits(Descriptor calldata node, Demand memory demand, uint256 maxTensorBytes) private pure {
        _require(node.units == demand.units && node.rowBytes == demand.rowBytes, "units");
        _require(demand.units != 0 || node.unitsRoot == 0, "units");
        _require(demand.units * demand.rowBytes <= maxTensorBytes && 4 * demand.units <= maxTensorBytes, "tensor");
    }

    function _checkTotals(Totals calldata totals, Totals memory before, uint256 elements, Demand memory demand)
        private
        pure
    {
        _require(
            totals.elements == before.elements + elements && totals.units == before.units + demand.units
                && totals.weights == before.weights + demand.units * demand.rowBytes
                && totals.work == before.work + elements * demand.terms,
            "totals"
        );
    }

    function _checkCost(Totals calldata totals, uint256 maxModelBytes) private pure {
        _require(
            totals.elements <= MAX_TOTAL_ELEMENTS && totals.units <= MAX_UNITS && totals.weights <= MAX_WEIGHTS
                && totals.work <= MAX_WORK && totals.weights + UNIT_BYTES * totals.units <= maxModelBytes,
            "cost"
        );
    }

    function _require(bool obeyed, string memory rule) private pure {
        if (!obeyed) revert IAvailabilityCourt.Malformed(rule);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev The structs of this file are what the leaves of a model's and a test set's trees are made of. Every field is one
/// 32-byte word, so `abi.encode` of them is what `offchain/model/roots.py` hashes. `docs/integer-networks.md` says what
/// each means. `shape` words are (rank, sides…, zeros).
struct Header {
    uint256[4] inputShape;
    uint256 nodes;
    /// IEEE 754 binary64 bits of the real value of one output step; information for people
    uint256 outputScale;
    bytes32 nodesRoot;
}

/// @dev What a network costs up to and including a node.
struct Totals {
    /// elements of the input and of all outputs so far
    uint256 elements;
    /// unit leaves
    uint256 units;
    /// int8 parameters: units * rowBytes
    uint256 weights;
    /// terms of all output elements
    uint256 work;
}

struct Descriptor {
    uint256 index;
    uint256 op;
    uint256[2] inputs;
    /// shape of the first input
    uint256[4] inputShape;
    uint256[4] shape;
    int256 low;
    int256 high;
    uint256[2] kernel;
    uint256[2] stride;
    uint256[4] padding;
    uint256 offset;
    uint256[2] multipliers;
    uint256 shift;
    /// int8 parameters of one unit; 0 when the operation has none
    uint256 rowBytes;
    uint256 units;
    bytes32 unitsRoot;
    Totals totals;
}

struct Unit {
    /// root of the blob of the unit's `rowBytes` int8 parameters
    bytes32 weightRoot;
    int256 bias;
    uint256 multiplier;
    uint256 shift;
}

struct Sample {
    /// root of the blob of the sample's int8 inputs
    bytes32 inputRoot;
    int256 label;
}

/// @dev A node with its proof; `proof` leads from the descriptor's leaf to `header.nodesRoot`.
struct NodeOpening {
    Header header;
    Descriptor node;
    bytes32[] proof;
}

struct UnitOpening {
    uint256 index;
    Unit unit;
    bytes32[] proof;
}

/// @dev One chunk of a blob.
struct ChunkOpening {
    uint256 index;
    bytes data;
    bytes32[] proof;
}

/// @dev The root of one tensor's blob within a trace.
struct TensorOpening {
    bytes32 root;
    bytes32[] proof;
}

/// @dev Everything that one step of an evaluation needs. `unit` is all zero and `weights` empty for operations without
/// parameters, `second` is empty but for operations with two inputs. Chunks in ascending order of index; only those that
/// the step reads.
struct Operands {
    NodeOpening node;
    UnitOpening unit;
    ChunkOpening[] weights;
    /// one for each input of the node
    TensorOpening[] tensors;
    ChunkOpening[] first;
    ChunkOpening[] second;
}

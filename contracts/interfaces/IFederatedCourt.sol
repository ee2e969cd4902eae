// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

enum Subject {
    None,
    Result,
    Measures
}

enum FederatedStage {
    None,
    Descend,
    Pick,
    Leaf,
    Name,
    Column,
    Falsify,
    Segments,
    Choose,
    Product,
    /// decided, or moot
    Closed
}

enum FederatedVerdict {
    None,
    LeaderWrong,
    LeaderRight,
    Moot
}

/// @dev A leaf's content with the way to its root.
struct LeafOpening {
    bytes content;
    bytes32[] proof;
}

/// @dev A game. `node` at `height` and `index` is what is in play while it descends; later `index` is the chunk or the row,
/// `place` the coordinate or the row's entry; `word` the hash of what the next move must repeat (nodes, column, sums).
struct FederatedGame {
    uint256 task;
    uint32 posting;
    Subject subject;
    FederatedStage stage;
    FederatedVerdict verdict;
    address challenger;
    uint64 deadline;
    bytes32 node;
    uint8 height;
    uint32 index;
    uint32 place;
    /// chunks in play, [low, high)
    uint32 low;
    uint32 high;
    /// what the sum over them is said to be
    int64 claimed;
    bytes32 word;
}

/// @title The game about a posted aggregate (docs/federated.md)
interface IFederatedCourt {
    // Helper K2 completes: events (each move's content readable from logs), errors, NatSpec.

    function challenge(uint256 task, Subject subject) external returns (uint256 id);
    function challengeCoordinate(uint256 task, uint32 coordinate) external returns (uint256 id);
    function challengeMeasure(uint256 task, uint32 row, uint32 column) external returns (uint256 id);
    function proveSelection(uint256 task, uint16 s, uint16 t, LeafOpening calldata rowS, LeafOpening calldata rowT)
        external;

    function descend(uint256 id, bytes32[] calldata nodes) external;
    function pick(uint256 id, bytes32[] calldata nodes, uint8 index) external;
    /// @dev `proof` is empty where the game descended to this leaf.
    function openLeaf(uint256 id, LeafOpening calldata leaf) external;
    /// @dev `content` is the leaf that was opened, again.
    function name(uint256 id, bytes calldata content, uint32 place) external;
    /// @dev `extra`: the norms row (ClippedMean), the row of group roots (secure mode); else empty.
    function answerColumn(
        uint256 id,
        LeafOpening calldata newLeaf,
        LeafOpening calldata oldLeaf,
        bytes calldata column,
        LeafOpening calldata extra
    ) external;
    function falsify(uint256 id, bytes calldata column, uint16 i, LeafOpening calldata chunk) external;
    function segments(uint256 id, int64[] calldata sums) external;
    function choose(uint256 id, int64[] calldata sums, uint8 index) external;
    function product(uint256 id, LeafOpening calldata left, LeafOpening calldata right) external;
    /// @notice The mover's clock ran out: the other has won.
    function timeout(uint256 id) external;
    /// @notice Ends a game whose posting is no longer in force.
    function close(uint256 id) external;

    function gameOf(uint256 id) external view returns (FederatedGame memory);
    function gameCount() external view returns (uint256);
}

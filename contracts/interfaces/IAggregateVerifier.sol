// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Posting } from "./FederatedTypes.sol";

/// @dev What one coordinate of a result is made of; all of it was opened under roots before.
struct CoordinateEvidence {
    uint32 coordinate;
    /// leaves of the posted result and of the one before
    bytes newLeaf;
    bytes oldLeaf;
    /// the values of all columns, int16 little-endian; Mean: then their weights, uint32 little-endian
    bytes column;
    /// ClippedMean: squared norms of all columns, int64 big-endian
    bytes norms;
}

/// @title One number of an aggregate, computed
/// @notice Pure: whoever asks has checked where the bytes come from. Twin of `offchain/federated/game/arithmetic.py`.
interface IAggregateVerifier {
    /// @notice The rule over the column, then a step of the server optimiser.
    /// @return claimed what the leaf says: the aggregate, then the optimiser's words
    /// @return computed what they have to be
    function coordinate(Posting calldata posting, CoordinateEvidence calldata evidence)
        external
        pure
        returns (int256[] memory claimed, int256[] memory computed);

    /// @param row squared distances from column `own` to all columns, int64 big-endian
    /// @return Krum's score of the column
    function score(Posting calldata posting, uint16 own, bytes calldata row) external pure returns (int256);

    /// @return sum of the products of the first `length` numbers of both, int16 little-endian
    function dot(bytes calldata left, bytes calldata right, uint256 length) external pure returns (int256);

    /// @return sum of the squared differences of the first `length` numbers of both, int16 little-endian
    function distance(bytes calldata left, bytes calldata right, uint256 length) external pure returns (int256);
}

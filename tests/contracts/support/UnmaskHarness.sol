// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { SummandEvidence, SummedGroup, UnmaskedSums } from "../../../contracts/federated/UnmaskedSums.sol";

/// @title Opens UnmaskedSums to tests
contract UnmaskHarness {
    function at(SummedGroup calldata group, uint32 coordinate, SummandEvidence[] calldata shown)
        external
        pure
        returns (int256)
    {
        return UnmaskedSums.at(group, coordinate, shown);
    }

    /// @return sum the same
    /// @return used gas of the computation, without the calldata's
    function measured(SummedGroup calldata group, uint32 coordinate, SummandEvidence[] calldata shown)
        external
        view
        returns (int256 sum, uint256 used)
    {
        used = gasleft();
        sum = UnmaskedSums.at(group, coordinate, shown);
        used -= gasleft();
    }
}

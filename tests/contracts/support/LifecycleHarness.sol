// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Facts, Lifecycle, Windows } from "../../../contracts/libraries/Lifecycle.sol";

/// @dev Opens the library to the test that holds it against its Python twin.
contract LifecycleHarness {
    /// @return phases row by row: all `times` for the first facts, then for the second, one byte each
    function phases(Windows memory w, Facts[] memory facts, uint64[] memory times)
        external
        pure
        returns (bytes memory)
    {
        bytes memory found = new bytes(facts.length * times.length);
        for (uint256 i = 0; i < facts.length; ++i) {
            for (uint256 j = 0; j < times.length; ++j) {
                found[i * times.length + j] = bytes1(uint8(Lifecycle.phaseAt(w, facts[i], times[j])));
            }
        }
        return found;
    }

    function ends(Windows memory w) external pure returns (uint64, uint64, uint64, uint64, uint64) {
        return (
            Lifecycle.trainEnd(w),
            Lifecycle.revealEnd(w),
            Lifecycle.scoreCommitEnd(w),
            Lifecycle.scoreRevealEnd(w),
            Lifecycle.challengeEnd(w)
        );
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Segments } from "../../../contracts/libraries/Segments.sol";
import { between, vm } from "../support/Vm.sol";

/// @dev Segments divide a range without gap or overlap, by the rule of docs/dispute.md.
contract SegmentsTest {
    function test_fuzz_segments_divide_the_range(uint256 a, uint256 b) public pure {
        uint32 high = uint32(between(a, 1, type(uint32).max));
        _check(uint32(between(b, 0, high - 1)), high);
    }

    function test_fuzz_short_ranges_are_divided_too(uint256 a, uint256 b) public pure {
        uint32 low = uint32(between(a, 0, type(uint32).max - 1100));
        _check(low, low + uint32(between(b, 1, 1100)));
    }

    function test_the_ends_of_the_numbers_do_no_harm() public pure {
        _check(0, type(uint32).max);
        _check(type(uint32).max - 1, type(uint32).max);
        _check(type(uint32).max - 33, type(uint32).max);
        _check(0, 1);
    }

    function test_a_million_samples_take_four_rounds() public pure {
        (uint32 low, uint32 high) = (0, 1_000_000);
        uint256 rounds = 0;
        for (; high - low > 1; ++rounds) {
            (low, high) = Segments.at(low, high, Segments.count(low, high) / 2);
        }
        vm.assertEq(rounds, 4, "32^4 is above a million");
    }

    function _check(uint32 low, uint32 high) private pure {
        uint256 length = (uint256(high) - low + 31) / 32;
        uint256 count = Segments.count(low, high);
        vm.assertTrue(count >= 1 && count <= 32, "at most 32");
        uint256 next = low;
        for (uint256 i = 0; i < count; ++i) {
            (uint32 from, uint32 to) = Segments.at(low, high, i);
            vm.assertEq(from, next, "no gap");
            vm.assertTrue(to > from, "none is empty");
            if (i + 1 < count) vm.assertEq(uint256(to) - from, length, "all but the last as long");
            else vm.assertLe(uint256(to) - from, length, "the last is shorter");
            next = to;
        }
        vm.assertEq(next, high, "to the end");
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Contributions } from "../../../contracts/federated/Contributions.sol";
import { PrivacyLedger } from "../../../contracts/federated/PrivacyLedger.sol";
import { Sortition } from "../../../contracts/federated/Sortition.sol";
import { Bitmaps } from "../../../contracts/federated/Bitmaps.sol";
import { PrivacyTerms } from "../../../contracts/interfaces/FederatedTypes.sol";
import { vm } from "../support/Vm.sol";

/// @dev The pure rules against their Python twins: `tests/unit/federated/test_contract_twins.py` draws the same vectors and
/// has the same digests.
contract FederatedTwinsTest {
    bytes32 private constant DRAWS = 0x3a0915faac9884770b92e0bbd8aeca54a6e80768f75dccea25f90d9a41b7e141;
    bytes32 private constant PARTS = 0xa9472530463e8b78409dd0a8b2c01e51d616c949502210561c51bc1ab9f5d231;
    uint256 private constant ADMITTED = 710_825_297_309_597_695;
    uint256 private constant CASES = 60;

    PrivacyTerms private _terms;

    function test_python_draws_the_same_leaders() public pure {
        bytes memory found;
        for (uint256 k = 0; k < CASES; ++k) {
            bytes32 seed = keccak256(abi.encode(k));
            uint128 eligible = uint128(_drawn(seed, 3)) | 1;
            uint16 index = Sortition.draw(seed, uint32(k), uint16(k % 5), eligible, _drawn(seed, 1), _drawn(seed, 2));
            found = bytes.concat(found, bytes1(uint8(index)));
        }
        vm.assertEq(keccak256(found), DRAWS, "draws");
    }

    function test_python_divides_the_same() public view {
        bytes memory found;
        for (uint256 k = 0; k < CASES; ++k) {
            bytes32 seed = keccak256(abi.encode(k));
            bytes memory row;
            for (uint256 i = 0; i < 2 + k % 20; ++i) {
                int64 value = int64(uint64(_drawn(seed, i) >> 192)) >> (k % 32);
                if (i == 1 + k % 20 && value < 0) value = -value;
                row = bytes.concat(row, bytes8(uint64(value)));
            }
            found = bytes.concat(found, this.parts(row, _drawn(seed, 99) % 2 ** 90));
        }
        vm.assertEq(keccak256(found), PARTS, "parts");
    }

    function test_python_admits_the_same() public {
        uint256 bits = 0;
        for (uint256 k = 0; k < CASES; ++k) {
            bytes32 seed = keccak256(abi.encode(k));
            delete _terms;
            for (uint256 i = 0; i < 8; ++i) {
                _terms.orders.push(uint32(2000 + 100 * i));
                _terms.costs.push(uint64(1 + _drawn(seed, i) % 1000));
                _terms.limits.push(uint64(_drawn(seed, 8 + i) % 30_000));
            }
            if (PrivacyLedger.admits(_terms, 4 * k)) bits |= 1 << k;
        }
        vm.assertEq(bits, ADMITTED, "admitted");
    }

    function testFuzz_sets(uint128 set, uint256 place) public pure {
        uint256[] memory list = Bitmaps.list(set);
        uint128[] memory parts_ = Bitmaps.split(set);
        vm.assertEq(list.length, Bitmaps.count(set), "count");
        vm.assertEq(parts_.length, list.length, "split");
        uint128 whole = 0;
        for (uint256 i = 0; i < list.length; ++i) {
            vm.assertTrue(Bitmaps.has(set, list[i]), "in the set");
            vm.assertEq(Bitmaps.rank(set, list[i]), i, "rank");
            vm.assertEq(parts_[i], Bitmaps.only(list[i]), "alone");
            whole |= parts_[i];
        }
        vm.assertEq(whole, set, "all of it");
        place %= 130;
        vm.assertEq(Bitmaps.at(set, place), place < list.length ? list[place] : 128, "at");
    }

    function parts(bytes calldata row, uint256 pool) external pure returns (bytes memory found) {
        uint256 sum = Contributions.total(row);
        for (uint256 i = 0; i < row.length / 8 - 1; ++i) {
            found = bytes.concat(found, bytes32(Contributions.part(row, i, sum, pool)));
        }
    }

    function _drawn(bytes32 seed, uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, index)));
    }
}

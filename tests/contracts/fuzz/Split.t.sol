// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Payout } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { Settlements } from "../../../contracts/libraries/Settlements.sol";
import { between, draw, vm } from "../support/Vm.sol";

/// @dev What is paid out is exactly what came in, whatever the stakes.
contract SplitFuzz {
    uint256 private constant PPM = 1_000_000;

    function testFuzz_a_won_reward_is_split_exactly(uint256 reward, uint256 taxPpm, uint256 sharePpm, uint256 seed)
        public
        pure
    {
        reward = between(reward, 1, type(uint128).max);
        taxPpm = between(taxPpm, 0, 200_000);
        sharePpm = between(sharePpm, 0, 500_000);
        uint256 n = between(seed, 1, 32);
        (address[] memory accounts, uint256[] memory stakes) = _supporters(n, seed);
        uint256 tax = Settlements.taxOf(reward, taxPpm);
        Payout[] memory p = Settlements.won(reward, tax, sharePpm, address(7), accounts, stakes);
        vm.assertEq(p.length, n + 1, "length");
        vm.assertEq(_sum(p) + tax, reward, "exact");
        vm.assertLe(tax * PPM, reward * taxPpm, "tax rounded down");
        _checkShares(p, accounts, stakes, reward, sharePpm);
    }

    function testFuzz_a_shared_reward_is_split_exactly(uint256 reward, uint256 taxPpm, uint256 n) public pure {
        reward = between(reward, 1, type(uint128).max);
        taxPpm = between(taxPpm, 0, 200_000);
        n = between(n, 1, 32);
        address[] memory accounts = new address[](n);
        for (uint256 i = 0; i < n; ++i) {
            accounts[i] = address(uint160(i + 1));
        }
        uint256 tax = Settlements.taxOf(reward, taxPpm);
        Payout[] memory p = Settlements.shared(reward, tax, accounts);
        vm.assertEq(_sum(p) + tax, reward, "exact");
        for (uint256 i = 1; i < n; ++i) {
            vm.assertEq(p[i].amount, (reward - tax) / n, "equal");
            vm.assertEq(p[i].account, accounts[i], "account");
        }
        vm.assertLt(p[0].amount - (reward - tax) / n, n, "the first has the dust only");
    }

    function testFuzz_a_refund_is_whole(uint256 reward) public pure {
        Payout[] memory p = Settlements.refunded(reward, address(9));
        vm.assertEq(p.length, 1, "one");
        vm.assertEq(p[0].amount, reward, "whole");
        vm.assertEq(p[0].account, address(9), "client");
    }

    function _checkShares(
        Payout[] memory p,
        address[] memory accounts,
        uint256[] memory stakes,
        uint256 reward,
        uint256 sharePpm
    ) private pure {
        uint256 pool = reward * sharePpm / PPM;
        uint256 total = 0;
        for (uint256 i = 0; i < stakes.length; ++i) {
            total += stakes[i];
        }
        uint256 paid = 0;
        for (uint256 i = 0; i < stakes.length; ++i) {
            vm.assertEq(p[i + 1].account, accounts[i], "in their order");
            // amount = floor(pool * stake / total), said without a 512-bit product
            vm.assertLe(p[i + 1].amount, pool, "at most the pool");
            if (i > 0 && stakes[i] >= stakes[i - 1]) vm.assertGe(p[i + 1].amount, p[i].amount, "more for more");
            paid += p[i + 1].amount;
        }
        vm.assertLe(paid, pool, "rounded down");
        vm.assertLt(pool - paid, stakes.length, "by less than a wei each");
        vm.assertEq(p[0].account, address(7), "winner");
    }

    function _supporters(uint256 n, uint256 seed)
        private
        pure
        returns (address[] memory accounts, uint256[] memory stakes)
    {
        accounts = new address[](n);
        stakes = new uint256[](n);
        for (uint256 i = 0; i < n; ++i) {
            accounts[i] = address(uint160(100 + i));
            // sizes of every magnitude, up to what a vault can hold at all
            uint256 bits = between(draw(seed, 2 * i), 1, 120);
            stakes[i] = between(draw(seed, 2 * i + 1), 1, 2 ** bits);
        }
    }

    function _sum(Payout[] memory p) private pure returns (uint256 total) {
        for (uint256 i = 0; i < p.length; ++i) {
            total += p[i].amount;
        }
    }
}

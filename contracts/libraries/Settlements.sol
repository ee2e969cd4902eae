// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { Payout } from "../interfaces/IRewardTreasury.sol";

/// @title How a reward is divided
/// @notice Pure; twin of `offchain/protocol/settlement.py`. The payouts and the tax add up to the reward exactly.
library Settlements {
    uint256 internal constant PPM = 1_000_000;

    /// @return the aggregators' tax on `reward`, in wei, rounded down
    function taxOf(uint256 reward, uint256 taxPpm) internal pure returns (uint256) {
        return Math.mulDiv(reward, taxPpm, PPM);
    }

    /// @notice Won: the validators share `validatorSharePpm` of the reward by vStake, each rounded down; the winner has
    /// all the rest but the tax.
    /// @param stakes vStake of each of `validators`
    /// @return payouts the winner first, then the validators in their order
    function won(
        uint256 reward,
        uint256 tax,
        uint256 validatorSharePpm,
        address winner,
        address[] memory validators,
        uint256[] memory stakes
    ) internal pure returns (Payout[] memory payouts) {
        uint256 pool = Math.mulDiv(reward, validatorSharePpm, PPM);
        uint256 total = 0;
        for (uint256 i = 0; i < stakes.length; ++i) {
            total += stakes[i];
        }
        payouts = new Payout[](validators.length + 1);
        uint256 rest = reward - tax;
        for (uint256 i = 0; i < validators.length; ++i) {
            uint256 share = Math.mulDiv(pool, stakes[i], total);
            payouts[i + 1] = Payout({ account: validators[i], amount: share });
            rest -= share;
        }
        payouts[0] = Payout({ account: winner, amount: rest });
    }

    /// @notice Shared: the providers have equal parts of the reward less the tax, rounded down; the first has the dust.
    function shared(uint256 reward, uint256 tax, address[] memory providers)
        internal
        pure
        returns (Payout[] memory payouts)
    {
        uint256 amount = reward - tax;
        uint256 share = amount / providers.length;
        payouts = new Payout[](providers.length);
        for (uint256 i = 0; i < providers.length; ++i) {
            payouts[i] = Payout({ account: providers[i], amount: share });
        }
        // slither-disable-next-line divide-before-multiply
        payouts[0].amount = amount - share * (providers.length - 1);
    }

    /// @notice Refunded: the client has the whole reward back, untaxed.
    function refunded(uint256 reward, address client) internal pure returns (Payout[] memory payouts) {
        payouts = new Payout[](1);
        payouts[0] = Payout({ account: client, amount: reward });
    }
}

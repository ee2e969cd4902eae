// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Facts, Lifecycle, Phase } from "../../../contracts/libraries/Lifecycle.sol";
import { Outcome } from "../../../contracts/interfaces/IProofOfTraining.sol";
import { Payout } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { Bond, Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { draw, vm } from "../support/Vm.sol";
import { World } from "../support/World.sol";

/// @dev Whatever the participants did or left undone, a stranger drives the order to its end, everyone takes out what
/// is theirs, and the contracts are empty. Who kept the rules has lost nothing.
contract DriveFuzz is World {
    uint256 private constant PROVIDERS = 4;
    uint256 private constant VALIDATORS = 3;
    address private stranger = actor("stranger", 0);

    function testFuzz_every_order_ends_and_leaves_nothing_behind(uint256 seed) public {
        _enrolAll();
        uint256 oid = put();
        uint256 supply = token.totalSupply();
        _claims(oid, seed);
        _reveals(oid, seed);
        _scoring(oid, seed);
        _disputes(oid, seed);
        vm.warp(block.timestamp + 400 days);
        vm.prank(stranger);
        (Payout[] memory payouts,) = sealOrder(oid);
        uint256 burned = supply - token.totalSupply();
        if (proof.settlementOf(oid).outcome != Outcome.Refunded) {
            vm.warp(block.timestamp + 1 days);
            vm.prank(stranger);
            treasury.payDirect(oid, payouts);
        }
        _honestAreWhole(oid);
        _takeOut();
        vm.assertEq(token.balanceOf(address(vault)), 0, "vault");
        vm.assertEq(token.balanceOf(address(book)), 0, "book");
        vm.assertEq(token.balanceOf(address(treasury)), 0, "treasury");
        vm.assertEq(token.balanceOf(address(proof)), 0, "proof");
        vm.assertEq(_wallets() + burned, SUPPLY, "nothing lost, nothing made");
    }

    function _enrolAll() private {
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            enrol(provider(i), Role.Provider, BOND);
        }
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            enrol(validator(i), Role.Validator, BOND);
        }
    }

    function _claims(uint256 oid, uint256 seed) private {
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            if (_chance(seed, i, 75)) claim(oid, provider(i));
        }
        toReveal(oid);
    }

    function _reveals(uint256 oid, uint256 seed) private {
        if (proof.phaseOf(oid) != Phase.Reveal) return;
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            if (proof.claimOf(oid, provider(i)).commitment != 0 && _chance(seed, 10 + i, 80)) reveal(oid, provider(i));
        }
        if (_chance(seed, 20, 85)) release(oid);
        toScoreCommit(oid);
    }

    function _scoring(uint256 oid, uint256 seed) private {
        if (proof.phaseOf(oid) != Phase.ScoreCommit) return;
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            if (_chance(seed, 30 + i, 85)) commitScores(oid, validator(i), _scores(oid, seed, i), VSTAKE * (i + 1));
        }
        toScoreReveal(oid);
        if (proof.phaseOf(oid) != Phase.ScoreReveal) return;
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            if (proof.sheetOf(oid, validator(i)).commitment != 0 && _chance(seed, 40 + i, 85)) {
                revealScores(oid, validator(i), _scores(oid, seed, i));
            }
        }
        toChallenge(oid);
    }

    /// @dev The court removes what differs from the truth, sometimes.
    function _disputes(uint256 oid, uint256 seed) private {
        if (proof.phaseOf(oid) != Phase.Challenge || !_chance(seed, 50, 70)) return;
        court.open(oid);
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            int64[] memory scores = proof.scoresOf(oid, validator(i));
            for (uint256 m = 0; m < scores.length; ++m) {
                if (scores[m] != _truth(m)) court.remove(oid, validator(i), uint16(m), stranger);
            }
        }
        court.close(oid, Lifecycle.challengeEnd(windows(oid)) + 1000);
    }

    function _scores(uint256 oid, uint256 seed, uint256 who) private view returns (int64[] memory scores) {
        scores = new int64[](proof.factsOf(oid).reveals);
        for (uint256 m = 0; m < scores.length; ++m) {
            scores[m] = _chance(seed, 60 + 10 * who + m, 80) ? _truth(m) : int64(300);
        }
    }

    function _truth(uint256 model) private pure returns (int64) {
        return int64(uint64(100 + model));
    }

    function _honestAreWhole(uint256 oid) private view {
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            bool silent = proof.claimOf(oid, provider(i)).commitment != 0 && !proof.claimOf(oid, provider(i)).revealed;
            vm.assertEq(bonded(provider(i), Role.Provider), silent ? BOND - 50 * UNIT : BOND, "provider");
            vm.assertEq(locked(provider(i), Role.Provider), 0, "provider's lock");
        }
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            uint256 loss = _lossOf(oid, i);
            vm.assertEq(bonded(validator(i), Role.Validator), BOND - loss, "validator");
            vm.assertEq(locked(validator(i), Role.Validator), 0, "validator's lock");
        }
    }

    function _lossOf(uint256 oid, uint256 who) private view returns (uint256 loss) {
        address account = validator(who);
        if (proof.sheetOf(oid, account).commitment == 0) return 0;
        uint256 models = proof.factsOf(oid).reveals;
        if (!proof.sheetOf(oid, account).revealed) return VSTAKE * (who + 1) * models;
        for (uint256 m = 0; m < models; ++m) {
            bool removed = proof.isRemoved(oid, account, uint16(m));
            if (removed) loss += VSTAKE * (who + 1);
            vm.assertTrue(!removed || proof.scoresOf(oid, account)[m] != _truth(m), "only lies are removed");
        }
    }

    function _takeOut() private {
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            _leave(provider(i), Role.Provider);
        }
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            _leave(validator(i), Role.Validator);
        }
        if (treasury.balanceOf(client) != 0) treasury.claimRewards(client);
    }

    function _leave(address account, Role role) private {
        if (treasury.balanceOf(account) != 0) treasury.claimRewards(account);
        Bond memory b = vault.bondOf(account, role);
        vm.startPrank(account);
        vault.requestExit(role, b.bonded);
        vm.warp(block.timestamp + 1 days);
        vault.withdraw(role);
        vm.stopPrank();
    }

    function _wallets() private view returns (uint256 total) {
        total = token.balanceOf(address(this)) + token.balanceOf(client) + token.balanceOf(stranger);
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            total += token.balanceOf(provider(i));
        }
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            total += token.balanceOf(validator(i));
        }
    }

    function _chance(uint256 seed, uint256 index, uint256 percent) private pure returns (bool) {
        return draw(seed, index) % 100 < percent;
    }
}

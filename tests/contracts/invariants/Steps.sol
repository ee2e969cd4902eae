// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { OrderTerms } from "../../../contracts/interfaces/IOrderBook.sol";
import { Outcome } from "../../../contracts/interfaces/IProofOfTraining.sol";
import { Holding, Payout } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { Bond, Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { Commitments } from "../../../contracts/libraries/Commitments.sol";
import { Phase } from "../../../contracts/libraries/Lifecycle.sol";
import { ScoreFunctions } from "../../../contracts/libraries/ScoreFunctions.sol";
import { between, draw, vm } from "../support/Vm.sol";
import { Games } from "./Games.sol";

/// @dev Steps that several verbs take, with the bookkeeping that the ledger wants, and what the honest do unasked.
abstract contract Steps is Games {
    mapping(uint256 oid => mapping(address validator => int64[])) internal _rows;

    function _put(uint256 seed) internal {
        client = actor("client", seed % CLIENTS);
        OrderTerms memory t = _terms();
        t.reward = between(draw(seed, 1), UNIT, REWARD);
        rewardsIn += t.reward;
        put(t);
    }

    function _seal(uint256 oid) internal {
        uint256 before = treasury.totalOwed();
        vm.recordLogs();
        vm.prank(reporter);
        proof.seal(oid);
        (Payout[] memory payouts,) = sealedPayouts(vm.getRecordedLogs());
        for (uint256 i = 0; i < payouts.length; ++i) {
            payoutsOf[oid].push(payouts[i]);
        }
        if (proof.settlementOf(oid).outcome == Outcome.Refunded) _paid(oid, before);
    }

    function _payDirect(uint256 oid) internal {
        uint256 before = treasury.totalOwed();
        vm.prank(reporter);
        treasury.payDirect(oid, payoutsOf[oid]);
        _paid(oid, before);
    }

    function _paid(uint256 oid, uint256 owedBefore) internal {
        ++timesPaid[oid];
        if (treasury.totalOwed() - owedBefore != book.getOrder(oid).terms.reward) violation = "paid is not the reward";
    }

    function _takeRewards(address account) internal {
        uint256 amount = treasury.balanceOf(account);
        treasury.claimRewards(account);
        rewardsOut += amount;
    }

    function _deposit(address account, Role role, uint256 amount) internal {
        enrol(account, role, amount);
        deposited[account][role] += amount;
        totalDeposited += amount;
    }

    function _withdraw(address account, Role role) internal {
        uint256 amount = vault.bondOf(account, role).exiting;
        vm.prank(account);
        vault.withdraw(role);
        // The wallets of actors hold rewards only, so that what a copier earned would show.
        vm.prank(account);
        token.transfer(address(this), amount);
        withdrawn[account][role] += amount;
        totalWithdrawn += amount;
    }

    function _leave(address account, Role role) internal {
        Bond memory b = vault.bondOf(account, role);
        vm.assertEq(b.locked, 0, "all is free in the end");
        if (b.bonded != 0) {
            vm.prank(account);
            vault.requestExit(role, b.bonded);
        }
        vm.warp(block.timestamp + 1 days);
        if (b.bonded + b.exiting != 0) _withdraw(account, role);
    }

    /// @dev What the honest do in a phase before it ends: they take part as often as not, and open all they committed to.
    function _duties(uint256 oid) internal {
        Phase phase = proof.phaseOf(oid);
        uint256 luck = draw(oid, block.timestamp);
        bool judged = phase >= Phase.ScoreCommit && phase <= Phase.Challenge;
        if (phase == Phase.Challenge && luck % 8 < 5) _accuse(oid);
        if (judged && luck % 16 < 6) _askHidden(oid);
        if (phase == Phase.Reveal && luck % 4 != 0 && !proof.factsOf(oid).testReleased) release(oid);
        for (uint256 i = 0; i < 2; ++i) {
            bool takesPart = (luck >> (8 * i)) % 4 != 0;
            if (phase == Phase.Training && !takesPart) _tryClaim(oid, provider(i));
            if (phase == Phase.Reveal && _owesModel(oid, provider(i))) reveal(oid, provider(i));
            if (phase == Phase.ScoreCommit && takesPart && !_isTestHidden(oid)) _tryScores(oid, i, luck);
            if (phase == Phase.ScoreReveal && _owesScores(oid, validator(i))) {
                revealScores(oid, validator(i), _rows[oid][validator(i)]);
            }
        }
        if (phase == Phase.Sealed && !treasury.holdingOf(oid).paid) _trySettle(oid);
    }

    function _releaseSeats(uint256 oid) internal returns (bool any) {
        for (uint256 i = 0; i < EACH * proof.factsOf(oid).reveals; ++i) {
            (address account, uint16 m) = (validator(i % EACH), uint16(i / EACH));
            try proof.releaseSeat(oid, account, m) {
                (released[oid][account][m], any) = (true, true);
            } catch { }
        }
    }

    function _tryClaim(uint256 oid, address account) internal {
        bytes32 commitment = modelCommitment(oid, account);
        if (proof.claimOf(oid, account).commitment != 0) return;
        vm.prank(account);
        try proof.claim(oid, commitment) { } catch { }
    }

    function _tryScores(uint256 oid, uint256 i, uint256 luck) internal {
        address account = validator(i);
        if (proof.sheetOf(oid, account).commitment != 0) return;
        _rows[oid][account] = _honestRow(oid);
        bytes32 commitment = Commitments.scores(oid, account, _rows[oid][account], SALT);
        vm.prank(account);
        try proof.commitScores(oid, commitment, between(luck, 10 * UNIT, 100 * UNIT)) { } catch { }
    }

    /// @dev Two aggregators work as they should; it takes a third.
    function _trySettle(uint256 oid) internal {
        Payout[] memory payouts = payoutsOf[oid];
        vm.prank(aggregator(0));
        try treasury.propose(oid, payouts) { } catch { }
        vm.prank(aggregator(1));
        try treasury.confirm(oid) { } catch { }
    }

    function _owesModel(uint256 oid, address account) internal view returns (bool) {
        return proof.claimOf(oid, account).commitment != 0 && !proof.claimOf(oid, account).revealed;
    }

    function _owesScores(uint256 oid, address account) internal view returns (bool) {
        return proof.sheetOf(oid, account).commitment != 0 && !proof.sheetOf(oid, account).revealed;
    }

    /// @dev Somebody with stake in the exit queue, if there is anybody.
    function _exiting(uint256 a) internal view returns (uint256 index) {
        uint256 n = STAKERS;
        for (uint256 i = 0; i < n; ++i) {
            index = (a % n + i) % n;
            if (vault.bondOf(_actor(index), _roleOf(index)).exiting != 0) return index;
        }
    }

    function _honestRow(uint256 oid) internal view returns (int64[] memory scores) {
        scores = new int64[](proof.factsOf(oid).reveals);
        for (uint256 m = 0; m < scores.length; ++m) {
            scores[m] = _isHidden(oid, m) ? ScoreFunctions.ABSTAIN : _truth(oid, m);
        }
    }

    function _hostileRow(uint256 oid, uint256 seed) internal view returns (int64[] memory scores) {
        scores = _honestRow(oid);
        for (uint256 m = 0; m < scores.length; ++m) {
            uint256 r = draw(seed, m) % 4;
            if (r == 0 || _isHidden(oid, m)) scores[m] = int64(uint64(draw(seed, m) % (COUNT + 1)));
            else if (r == 1) scores[m] = ScoreFunctions.ABSTAIN;
        }
        uint256 lie = seed % scores.length;
        scores[lie] = (_truth(oid, lie) + 1) % int64(uint64(COUNT + 1));
    }

    function _order(uint256 o) internal view returns (uint256) {
        return 1 + o % book.orderCount();
    }

    /// @dev Mostly an order in that phase, if there is one; sometimes any, for what must not work must be tried too.
    function _order(uint256 o, Phase phase) internal view returns (uint256 oid) {
        oid = _order(o);
        if (draw(o, 99) % 8 == 0) return oid;
        for (uint256 i = 0; i < book.orderCount(); ++i) {
            uint256 other = _order(oid + i);
            if (proof.phaseOf(other) == phase) return other;
        }
    }

    /// @dev Mostly a sealed order that is not paid.
    function _unpaid(uint256 o) internal view returns (uint256 oid) {
        oid = _order(o);
        if (draw(o, 99) % 8 == 0) return oid;
        for (uint256 i = 0; i < book.orderCount(); ++i) {
            Holding memory h = treasury.holdingOf(_order(oid + i));
            if (h.sealedAt != 0 && !h.paid) return _order(oid + i);
        }
    }

    function _clientOf(uint256 oid) internal view returns (address) {
        return book.getOrder(oid).client;
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { OrderTerms } from "../../../contracts/interfaces/IOrderBook.sol";
import { ProtocolParameters } from "../../../contracts/interfaces/IParameters.sol";
import { RequestStatus } from "../../../contracts/interfaces/IAvailabilityCourt.sol";
import { Dispute, Stage } from "../../../contracts/interfaces/IDisputeCourt.sol";
import { Outcome, Seat } from "../../../contracts/interfaces/IProofOfTraining.sol";
import { Holding, Payout } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { Bond, Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { Lifecycle, Phase, Windows } from "../../../contracts/libraries/Lifecycle.sol";
import { ScoreFunctions } from "../../../contracts/libraries/ScoreFunctions.sol";
import { vm } from "../support/Vm.sol";
import { Materials } from "./Materials.sol";

/// @dev The actors, what is remembered of what they did, and what must hold whatever that was. Honest: providers 0-1 and
/// validators 0-1, who take part, tell the truth, open in time what they commit to and defend it, and verifier 0, who
/// challenges what is false and asks for what is withheld. Hostile: providers 2-3 and validators 2-3, who claim what they
/// cannot open, score at random, open when they like and defend what is false, and verifier 1, who challenges what is true
/// and asks for anything. Provider 4 and validator 4 only copy.
abstract contract Ledger is Materials {
    uint256 internal constant EACH = 5;
    uint256 internal constant VERIFIERS = 2;
    uint256 internal constant AGGREGATORS = 4;
    uint256 internal constant CLIENTS = 2;
    uint256 internal constant STAKERS = 2 * EACH + AGGREGATORS + VERIFIERS;
    address internal reporter = actor("reporter", 0);

    mapping(address account => mapping(Role role => uint256)) internal deposited;
    mapping(address account => mapping(Role role => uint256)) internal withdrawn;
    mapping(uint256 oid => Payout[]) internal payoutsOf;
    mapping(uint256 oid => uint256) internal timesPaid;
    mapping(uint256 oid => mapping(address validator => mapping(uint256 modelIndex => bool))) internal released;
    uint256 internal totalDeposited;
    uint256 internal totalWithdrawn;
    uint256 internal rewardsIn;
    uint256 internal rewardsOut;
    string internal violation;

    function _terms() internal view override returns (OrderTerms memory t) {
        t = super._terms();
        t.challengeSeconds = 150;
        t.minimumValidators = 3;
    }

    function _parameters() internal pure override returns (ProtocolParameters memory p) {
        p = super._parameters();
        p.epochSeconds = 600;
        p.stallDelay = 500;
        p.exitDelay = 300;
        p.fraudSeconds = 120;
    }

    function _actor(uint256 index) internal pure returns (address) {
        if (index < EACH) return provider(index);
        if (index < 2 * EACH) return validator(index - EACH);
        if (index < 2 * EACH + AGGREGATORS) return aggregator(index - 2 * EACH);
        if (index < STAKERS) return verifier(index - 2 * EACH - AGGREGATORS);
        return actor("client", index - STAKERS);
    }

    function _actors() internal pure returns (uint256) {
        return STAKERS + CLIENTS;
    }

    function _roleOf(uint256 index) internal pure returns (Role) {
        if (index < EACH) return Role.Provider;
        if (index < 2 * EACH) return Role.Validator;
        return index < 2 * EACH + AGGREGATORS ? Role.Aggregator : Role.Verifier;
    }

    function _isHonest(uint256 index) internal pure returns (bool) {
        return index < 2 * EACH ? index % EACH < 2 : _actor(index) != verifier(1);
    }

    function verifier(uint256 index) internal pure returns (address) {
        return actor("verifier", index);
    }

    /// @dev What every honest evaluation of a model says.
    function _truth(uint256 oid, uint256 modelIndex) internal view returns (int64) {
        return _trueSum(_kind(oid, modelIndex), 0, COUNT);
    }

    /// @return which of the models of `Materials` it is
    function _kind(uint256 oid, uint256 modelIndex) internal view returns (uint256) {
        return _kindOf(proof.modelAt(oid, uint16(modelIndex)).provider);
    }

    /// @dev Nobody but its provider has the data of hostile provider 2's model, in every other order.
    function _isHidden(uint256 oid, uint256 modelIndex) internal view returns (bool) {
        return oid % 2 == 1 && _kind(oid, modelIndex) == 2;
    }

    /// @dev Nobody has the test data of every third order.
    function _isTestHidden(uint256 oid) internal pure returns (bool) {
        return oid % 3 == 0;
    }

    // What must hold

    /// @notice The tokens of the system are its stakes, its escrow and what it owes, to the wei; whatever left the stakes
    /// was burned or went to those who exposed a fault, or won against who lost.
    function checkSolvency() external view {
        uint256 stakes = 0;
        uint256 wallets = token.balanceOf(reporter);
        uint256 owed = 0;
        for (uint256 i = 0; i < _actors(); ++i) {
            stakes += _stake(_actor(i), Role.Provider) + _stake(_actor(i), Role.Validator)
            + _stake(_actor(i), Role.Aggregator) + _stake(_actor(i), Role.Verifier);
            wallets += token.balanceOf(_actor(i));
            owed += treasury.balanceOf(_actor(i));
        }
        uint256 escrow = 0;
        uint256 held = 0;
        for (uint256 oid = 1; oid <= book.orderCount(); ++oid) {
            escrow += book.escrowOf(oid);
            Holding memory h = treasury.holdingOf(oid);
            if (!h.paid) held += h.amount;
        }
        vm.assertEq(token.balanceOf(address(vault)), stakes, "vault: stakes");
        vm.assertEq(token.balanceOf(address(book)), escrow, "book: escrow");
        vm.assertEq(book.totalEscrow(), escrow, "book: total");
        vm.assertEq(treasury.totalOwed(), owed, "treasury: owed");
        vm.assertEq(treasury.totalHeld(), held, "treasury: held");
        vm.assertEq(token.balanceOf(address(treasury)), owed + held, "treasury: tokens");
        uint256 elsewhere = token.totalSupply() - token.balanceOf(address(this)) - stakes - escrow - owed - held;
        vm.assertEq(elsewhere, wallets, "nothing anywhere else");
        uint256 slashed = totalDeposited - totalWithdrawn - stakes;
        uint256 burned = SUPPLY - token.totalSupply();
        vm.assertEq(slashed, burned + wallets - rewardsOut, "slashed: burned or paid for exposing it");
    }

    /// @notice Locks are what orders and committee say they are and are covered; honest stakes are whole; no slash took
    /// more than was locked for the fault.
    function checkStakes() external view {
        for (uint256 i = 0; i < STAKERS; ++i) {
            address account = _actor(i);
            Role role = _roleOf(i);
            Bond memory b = vault.bondOf(account, role);
            vm.assertLe(b.locked, b.bonded, "covered");
            vm.assertEq(b.locked, _expectedLock(account, role), "locks");
            uint256 left = b.bonded + b.exiting + withdrawn[account][role];
            vm.assertLe(left, deposited[account][role], "nobody gains stake");
            if (_isHonest(i)) vm.assertEq(left, deposited[account][role], "honest stake is whole");
        }
        vm.assertEq(bytes(violation).length, 0, violation);
        for (uint256 oid = 1; oid <= book.orderCount(); ++oid) {
            vm.assertEq(proof.factsOf(oid).openDisputes, _openIn(oid), "what is open is counted");
        }
    }

    /// @notice What clients put in is escrowed, held, owed or paid out, exactly once an order; who only copies has earned
    /// nothing.
    function checkOrders() external view {
        uint256 inside = book.totalEscrow() + treasury.totalHeld() + treasury.totalOwed();
        vm.assertEq(rewardsIn, rewardsOut + inside, "in and out");
        for (uint256 oid = 1; oid <= book.orderCount(); ++oid) {
            Outcome outcome = proof.settlementOf(oid).outcome;
            bool gone = outcome != Outcome.None || book.isCancelled(oid);
            vm.assertEq(book.escrowOf(oid), gone ? 0 : book.getOrder(oid).terms.reward, "escrowed until it ends");
            vm.assertLe(timesPaid[oid], 1, "one payout");
            Holding memory h = treasury.holdingOf(oid);
            vm.assertTrue(h.paid == (timesPaid[oid] == 1), "paid when paid");
            vm.assertEq(h.amount, outcome == Outcome.None ? 0 : book.getOrder(oid).terms.reward, "all of it");
        }
        address[2] memory copiers = [provider(COPIER), validator(COPIER)];
        for (uint256 i = 0; i < 2; ++i) {
            vm.assertEq(treasury.balanceOf(copiers[i]) + token.balanceOf(copiers[i]), 0, "a copier earns nothing");
        }
    }

    function _stake(address account, Role role) internal view returns (uint256) {
        Bond memory b = vault.bondOf(account, role);
        return b.bonded + b.exiting;
    }

    function _expectedLock(address account, Role role) private view returns (uint256 amount) {
        if (role == Role.Aggregator) return committee.stakeOf(account);
        if (role == Role.Verifier) return _lockedInGames(account);
        for (uint256 oid = 1; oid <= book.orderCount(); ++oid) {
            if (role == Role.Validator) {
                amount += proof.sheetOf(oid, account).locked;
                continue;
            }
            bool open = proof.settlementOf(oid).outcome == Outcome.None && !proof.claimOf(oid, account).slashed;
            if (open && proof.claimOf(oid, account).commitment != 0) amount += book.getOrder(oid).claimBond;
        }
    }

    function _lockedInGames(address account) private view returns (uint256 amount) {
        for (uint256 id = 1; id <= disputes.disputeCount(); ++id) {
            Dispute memory d = disputes.disputeOf(id);
            if (d.challenger == account && d.stage != Stage.Closed) amount += d.stake;
        }
        for (uint256 id = 1; id <= hall.requestCount(); ++id) {
            if (hall.requestOf(id).asker == account && _isOpen(id)) amount += hall.requestOf(id).bond;
        }
        for (uint256 oid = 1; oid <= book.orderCount(); ++oid) {
            amount += _lockedInSeats(oid, account);
        }
    }

    /// @return amount what is behind the places that the account has taken from validators, until they are released
    function _lockedInSeats(uint256 oid, address account) private view returns (uint256 amount) {
        for (uint256 i = 0; i < EACH * proof.factsOf(oid).reveals; ++i) {
            (address owner, uint16 m) = (validator(i % EACH), uint16(i / EACH));
            Seat memory seat = proof.seatOf(oid, owner, m);
            bool held = seat.holder == account && seat.score != ScoreFunctions.ABSTAIN;
            if (held && !released[oid][owner][m]) amount += book.getOrder(oid).challengeStake;
        }
    }

    /// @return open disputes and requests of the order
    function _openIn(uint256 oid) private view returns (uint256 open) {
        for (uint256 id = 1; id <= disputes.disputeCount(); ++id) {
            Dispute memory d = disputes.disputeOf(id);
            if (d.oid == oid && d.stage != Stage.Closed) ++open;
        }
        for (uint256 id = 1; id <= hall.requestCount(); ++id) {
            if (hall.requestOf(id).target.oid == oid && _isOpen(id)) ++open;
        }
    }

    /// @return whether nobody has answered, or ended, the request
    function _isOpen(uint256 id) internal view returns (bool) {
        return hall.requestOf(id).status == RequestStatus.Open;
    }

    /// @dev The next time at which some order's phase can change; a day from now when there is none.
    function _nextEdge() internal view returns (uint256 edge) {
        edge = block.timestamp + 1 days;
        for (uint256 oid = 1; oid <= book.orderCount(); ++oid) {
            Phase phase = proof.phaseOf(oid);
            if (phase >= Phase.Sealable) continue;
            Windows memory w = windows(oid);
            uint64[6] memory edges = [
                Lifecycle.trainEnd(w),
                Lifecycle.revealEnd(w),
                Lifecycle.scoreCommitEnd(w),
                Lifecycle.scoreRevealEnd(w),
                Lifecycle.challengeEnd(w),
                proof.factsOf(oid).challengeUntil
            ];
            for (uint256 i = 0; i < 6; ++i) {
                if (edges[i] > block.timestamp && edges[i] < edge) edge = edges[i];
            }
        }
        for (uint256 id = 1; id <= disputes.disputeCount(); ++id) {
            Dispute memory d = disputes.disputeOf(id);
            if (d.stage != Stage.Closed && d.deadline > block.timestamp && d.deadline < edge) edge = d.deadline;
        }
        for (uint256 id = 1; id <= hall.requestCount(); ++id) {
            uint256 deadline = hall.requestOf(id).deadline;
            if (_isOpen(id) && deadline > block.timestamp && deadline < edge) edge = deadline;
        }
    }
}

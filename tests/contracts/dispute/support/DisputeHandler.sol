// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Dispute, Stage, Verdict } from "../../../../contracts/interfaces/IDisputeCourt.sol";
import { OrderTerms } from "../../../../contracts/interfaces/IOrderBook.sol";
import { Seat } from "../../../../contracts/interfaces/IProofOfTraining.sol";
import { Role } from "../../../../contracts/interfaces/IStakeVault.sol";
import { ScoreFunctions } from "../../../../contracts/libraries/ScoreFunctions.sol";
import { vm } from "../../support/Vm.sol";
import { Game } from "./DisputeWorld.sol";
import { Players } from "./Players.sol";

/// @dev Three challengers, two orders with a liar and an honest validator each, and all that they may do, in any order and
/// at any time. Who is asked to move makes the right move; who is not asked for too long is late.
contract DisputeHandler is Players {
    uint256 private constant CHALLENGERS = 3;
    uint256 private constant ORDERS = 2;

    mapping(uint256 oid => bytes) private _lies;
    mapping(uint256 oid => bytes) private _truths;
    mapping(uint256 id => bytes32) private _closedAs;
    mapping(Verdict verdict => uint256) public ended;
    uint256 public freed;
    mapping(uint256 oid => mapping(uint256 validator => bool)) private _released;

    constructor() {
        setUp();
        for (uint256 i = 1; i < CHALLENGERS; ++i) {
            enrol(_challenger(i), Role.Verifier, BOND);
        }
        // the windows of both orders run together
        uint256 start = block.timestamp;
        for (uint256 i = 0; i < ORDERS; ++i) {
            vm.warp(start);
            Game memory g = lying(small(), 1 + 2 * i, i, 1 - i, 0);
            uint256 oid = challengeable(g);
            _lies[oid] = abi.encode(g);
            (g.claims, g.lie) = (g.scores, g.truth);
            _truths[oid] = abi.encode(g);
        }
    }

    /// @dev So that an emptied place is wanted.
    function _terms() internal view override returns (OrderTerms memory terms) {
        terms = super._terms();
        terms.minimumValidators = 2;
    }

    // What may happen

    function challenge(uint256 a) external {
        vm.prank(_challenger(a % CHALLENGERS));
        disputes.open(1 + (a >> 8) % ORDERS, validator((a >> 16) % 2), 0);
    }

    /// @dev With the truth to put in its place, or something near it.
    function counter(uint256 a) external {
        uint256 oid = 1 + (a >> 8) % ORDERS;
        vm.prank(_challenger(a % CHALLENGERS));
        disputes.counter(oid, validator((a >> 16) % 2), 0, _nearTruth(oid, a));
    }

    function fill(uint256 a) external {
        uint256 oid = 1 + (a >> 8) % ORDERS;
        vm.prank(_challenger(a % CHALLENGERS));
        disputes.fill(oid, validator((a >> 16) % 2), 0, _nearTruth(oid, a));
    }

    function freeSeat(uint256 a) external {
        _release(1 + a % ORDERS, (a >> 8) % 2);
    }

    function makeMove(uint256 a) external {
        play(_game(_some(a)));
    }

    /// @dev Most of a game at once, or few would get far.
    function makeMoves(uint256 a) external {
        Game memory g = _game(_some(a));
        for (uint256 i = (a >> 8) % 12; i > 0 && stageOf(g) != Stage.Closed; --i) {
            play(_game(g.id));
        }
    }

    function wait(uint256 a) external {
        vm.warp(block.timestamp + a % MOVE);
    }

    function runOut(uint256 a) external {
        disputes.timeOut(_some(a));
    }

    function letGo(uint256 a) external {
        disputes.dismiss(_some(a));
    }

    function leave(uint256 a) external {
        vm.prank(_challenger(a % CHALLENGERS));
        vault.requestExit(Role.Verifier, 1 + (a >> 8) % BOND);
    }

    function lose(uint256 a) external {
        if (a % 32 != 0) return;
        uint256 oid = 1 + (a >> 8) % ORDERS;
        availability.open(oid);
        availability.voidModel(oid, 0, _challenger(0));
        availability.close(oid, 0);
    }

    function sealOne(uint256 a) external {
        if (a % 16 == 0) vm.warp(block.timestamp + 2 * CHALLENGE);
        proof.seal(1 + (a >> 8) % ORDERS);
    }

    // What must hold

    function checkLocks() external view {
        uint256[ORDERS + 1] memory open;
        uint256[CHALLENGERS] memory staked;
        for (uint256 id = 1; id <= disputes.disputeCount(); ++id) {
            Dispute memory d = disputes.disputeOf(id);
            if (d.stage == Stage.Closed) continue;
            ++open[d.oid];
            staked[_indexOf(d.challenger)] += d.stake;
        }
        for (uint256 k = 0; k < 2 * ORDERS; ++k) {
            (uint256 oid, uint256 i) = (1 + k / 2, k % 2);
            Seat memory seat = proof.seatOf(oid, validator(i), 0);
            bool behind = seat.holder != validator(i) && seat.score != ScoreFunctions.ABSTAIN && !_released[oid][i];
            if (behind) staked[_indexOf(seat.holder)] += seat.stake;
        }
        for (uint256 i = 0; i < CHALLENGERS; ++i) {
            expectLocked(_challenger(i), staked[i], "locked is what is at stake");
        }
        for (uint256 oid = 1; oid <= ORDERS; ++oid) {
            vm.assertEq(proof.factsOf(oid).openDisputes, open[oid], "open disputes are counted");
        }
    }

    /// @dev Each validation is slashed at most once, and by nothing but a verdict.
    function checkVerdicts() external {
        uint256[2] memory slashed;
        for (uint256 id = 1; id <= disputes.disputeCount(); ++id) {
            Dispute memory d = disputes.disputeOf(id);
            if (d.stage != Stage.Closed) continue;
            bytes32 state = keccak256(abi.encode(d));
            if (_closedAs[id] == 0) ++ended[d.verdict];
            else vm.assertEq(_closedAs[id], state, "what is closed stays as it is");
            _closedAs[id] = state;
            if (d.verdict != Verdict.False) continue;
            if (d.defendant == liar) ++slashed[0];
            if (d.defendant == validator(1)) ++slashed[1];
        }
        for (uint256 i = 0; i < 2; ++i) {
            vm.assertEq(bonded(validator(i), Role.Validator), BOND - slashed[i] * VSTAKE, "no other stake is touched");
        }
    }

    /// @dev Everybody walks away; the clocks end all disputes, and the orders.
    function end() external {
        vm.warp(block.timestamp + MOVE);
        for (uint256 id = 1; id <= disputes.disputeCount(); ++id) {
            if (disputes.disputeOf(id).stage != Stage.Closed) disputes.timeOut(id);
        }
        vm.warp(block.timestamp + CHALLENGE);
        for (uint256 oid = 1; oid <= ORDERS; ++oid) {
            if (proof.settlementOf(oid).sealedAt == 0) proof.seal(oid);
        }
        for (uint256 k = 0; k < 2 * ORDERS; ++k) {
            vm.assertEq(locked(validator(k % 2), Role.Validator), 0, "all stake is free in the end");
            try this.freeSeat(k / 2 + ((k % 2) << 8)) { } catch { }
        }
        for (uint256 i = 0; i < CHALLENGERS; ++i) {
            expectLocked(_challenger(i), 0, "and the verifiers' too");
        }
    }

    function _release(uint256 oid, uint256 i) private {
        proof.releaseSeat(oid, validator(i), 0);
        _released[oid][i] = true;
        ++freed;
    }

    function _nearTruth(uint256 oid, uint256 a) private view returns (int64) {
        return total(abi.decode(_truths[oid], (Game)).scores) - int64(uint64((a >> 24) % 2));
    }

    function _challenger(uint256 i) private pure returns (address) {
        return actor("challenger", i);
    }

    function _indexOf(address account) private pure returns (uint256 i) {
        while (_challenger(i) != account) ++i;
    }

    /// @dev Mostly an open one, if there is any.
    function _some(uint256 a) private view returns (uint256 id) {
        uint256 count = disputes.disputeCount();
        id = 1 + a % count;
        for (uint256 i = 0; i < count && (a >> 32) % 8 != 0; ++i) {
            uint256 next = 1 + (a + i) % count;
            if (disputes.disputeOf(next).stage != Stage.Closed) return next;
        }
    }

    /// @dev The game of a dispute, with the list that its challenger must give again.
    function _game(uint256 id) private view returns (Game memory g) {
        Dispute memory d = disputes.disputeOf(id);
        g = abi.decode(d.defendant == liar ? _lies[d.oid] : _truths[d.oid], (Game));
        g.id = id;
        if (d.stage == Stage.PickSum) sums(g, d.low, d.high);
        if (d.stage == Stage.PickElement) chunk(g, d);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Dispute, IDisputeCourt, Stage, Verdict } from "../../../contracts/interfaces/IDisputeCourt.sol";
import { vm } from "../support/Vm.sol";
import { Game } from "./support/DisputeWorld.sol";
import { Players } from "./support/Players.sol";

/// @dev Whose turn it is, and until when: at every stage, for both players, to the second.
contract ClockTest is Players {
    uint256 private constant STAGES = 10;

    uint256 private _fresh;

    function setUp() public override {
        super.setUp();
        Game memory g = lying(pooled(), 3, 1, 0, 1050);
        g.depth = 1;
        challengeable(g);
        keep(g);
    }

    function test_the_last_second_is_in_time() public {
        for (uint256 i = 1; i <= STAGES; ++i) {
            (Game memory g, Dispute memory d) = _at(i);
            vm.warp(d.deadline - 1);
            play(g);
            d = disputes.disputeOf(g.id);
            vm.assertTrue(uint256(d.stage) != i, "the turn has gone on");
            if (i < STAGES) vm.assertEq(d.deadline, block.timestamp + MOVE, "with a whole clock");
            else vm.assertTrue(d.verdict == Verdict.False, "or the last move was made");
        }
    }

    function test_the_deadline_is_too_late() public {
        for (uint256 i = 1; i <= STAGES; ++i) {
            (Game memory g, Dispute memory d) = _at(i);
            (address player, bytes memory data) = move(g);
            bytes memory reason = abi.encodeWithSelector(IDisputeCourt.TooLate.selector, g.id, d.deadline);
            vm.warp(d.deadline);
            vm.expectRevert(reason);
            send(player, data);
            vm.warp(d.deadline + 300 days);
            vm.expectRevert(reason);
            send(player, data);
        }
    }

    function test_nobody_is_late_before_the_deadline() public {
        for (uint256 i = 1; i <= STAGES; ++i) {
            (Game memory g, Dispute memory d) = _at(i);
            bytes memory reason = abi.encodeWithSelector(IDisputeCourt.NotLate.selector, g.id, d.deadline);
            vm.expectRevert(reason);
            disputes.timeOut(g.id);
            vm.warp(d.deadline - 1);
            vm.expectRevert(reason);
            disputes.timeOut(g.id);
        }
    }

    function test_who_is_late_loses() public {
        for (uint256 i = 1; i <= STAGES; ++i) {
            (Game memory g, Dispute memory d) = _at(i);
            bool defends = defends(d.stage);
            Verdict verdict = defends ? Verdict.False : Verdict.Stands;
            uint256 lost = defends ? VSTAKE : STAKE;
            vm.warp(d.deadline);
            vm.expectEmit(address(disputes));
            emit IDisputeCourt.Closed(g.id, verdict, true, defends ? challenger : liar, lost / 2, lost / 2);
            vm.prank(actor("anyone", i));
            disputes.timeOut(g.id);
            d = disputes.disputeOf(g.id);
            vm.assertTrue(d.stage == Stage.Closed && d.verdict == verdict, "as the clock says");
            vm.assertTrue(proof.isLive(g.oid, liar, 0) != defends, "live unless the defendant was late");
            expectLocked(challenger, 0, "the stake is free or gone");
        }
    }

    function test_a_move_is_the_players_own() public {
        for (uint256 i = 1; i <= STAGES; ++i) {
            (Game memory g, Dispute memory d) = _at(i);
            (address player, bytes memory data) = move(g);
            address[4] memory others = [defends(d.stage) ? challenger : liar, validator(1), provider(0), address(this)];
            for (uint256 k = 0; k < 4; ++k) {
                vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.NotYourTurn.selector, g.id, player, others[k]));
                send(others[k], data);
            }
        }
    }

    function test_a_move_has_its_stage() public {
        bytes[] memory moves = new bytes[](STAGES + 1);
        address[] memory players = new address[](STAGES + 1);
        (Game memory g,) = _at(1);
        for (uint256 i = 1; i <= STAGES; ++i) {
            advanced(g, Stage(i));
            (players[i], moves[i]) = move(g);
        }
        for (uint256 i = 1; i <= STAGES; ++i) {
            (g,) = _at(i);
            for (uint256 k = 1; k <= STAGES; ++k) {
                if (i == k) continue;
                vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.WrongStage.selector, g.id, Stage(k), Stage(i)));
                send(players[k], moves[k]);
            }
        }
    }

    function test_a_closed_dispute_stays_closed() public {
        Game memory g = kept();
        opened(g, 1);
        bytes[] memory moves = new bytes[](STAGES + 1);
        address[] memory players = new address[](STAGES + 1);
        for (uint256 i = 1; i <= STAGES; ++i) {
            advanced(g, Stage(i));
            (players[i], moves[i]) = move(g);
        }
        while (stageOf(g) != Stage.Closed) play(g);
        bytes memory closed = abi.encodeWithSelector(IDisputeCourt.AlreadyClosed.selector, g.id);
        vm.warp(block.timestamp + 10 days);
        vm.expectRevert(closed);
        disputes.timeOut(g.id);
        vm.expectRevert(closed);
        disputes.dismiss(g.id);
        for (uint256 i = 1; i <= STAGES; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.WrongStage.selector, g.id, Stage(i), Stage.Closed));
            send(players[i], moves[i]);
        }
    }

    function opened(Game memory g, uint256 id) private {
        vm.assertEq(reopened(g, challenger), id, "the next");
    }

    /// @dev A fresh world with the game at that stage.
    function _at(uint256 stage) private returns (Game memory g, Dispute memory d) {
        if (_fresh == 0) _fresh = vm.snapshotState();
        vm.revertToState(_fresh);
        _fresh = vm.snapshotState();
        g = kept();
        reopened(g, challenger);
        d = advanced(g, Stage(stage));
    }
}

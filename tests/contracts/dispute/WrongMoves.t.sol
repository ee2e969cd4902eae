// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Stage, Verdict } from "../../../contracts/interfaces/IDisputeCourt.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { between, draw, vm } from "../support/Vm.sol";
import { Game } from "./support/DisputeWorld.sol";
import { Players } from "./support/Players.sol";

/// @dev Moves that are random in one way or another: they change nothing they may not change, and help no liar.
contract WrongMovesTest is Players {
    address private other = actor("challenger", 1);
    uint256 private _lies;

    /// @dev Dispute 1 stays as it is throughout; dispute 2 is played.
    function setUp() public override {
        super.setUp();
        enrol(other, Role.Verifier, BOND);
        Game memory g = lying(pooled(), 3, 1, 0, 1050);
        g.depth = 1;
        opened(g);
        advanced(g, Stage.PickSum);
        reopened(g, other);
        keep(g);
    }

    /// forge-config: default.fuzz.runs = 300
    function test_fuzz_a_wrong_move_changes_nothing(uint256 seed) public {
        Game memory g = _somewhere(seed);
        bytes32 before = _state();
        (address player, bytes memory data) = move(g);
        address stranger = address(uint160(draw(seed, 1)));
        vm.assertFalse(attempt(stranger, data), "a stranger's move");
        vm.assertFalse(attempt(player == liar ? other : liar, data), "the other player's move");
        // less than a word may be padding, which nobody reads
        uint256 cut = between(draw(seed, 2), 32, data.length - 4);
        vm.assertFalse(attempt(player, _shortened(data, cut)), "a move cut short");
        bytes memory elsewhere = bytes.concat(data);
        elsewhere[35] = 0x01;
        vm.assertFalse(attempt(player, elsewhere), "a move in another game");
        vm.assertFalse(attempt(player, _noise(data, seed)), "noise");
        vm.assertEq(_state(), before, "nothing has changed");
    }

    /// @dev One bit is false. Either the court refuses, and nothing has changed; or the bit did not matter, or made
    /// another move that may be made, and then only this dispute has changed, and goes on or ends as it may.
    /// forge-config: default.fuzz.runs = 300
    function test_fuzz_one_false_bit(uint256 seed) public {
        Game memory g = _somewhere(seed);
        bytes32 before = _state();
        bytes32 others = _others();
        (address player, bytes memory data) = move(g);
        uint256 bit = between(draw(seed, 3), 32, 8 * data.length - 1);
        data[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        Stage stage = stageOf(g);
        bool ok = attempt(player, data);
        if (stageOf(g) != Stage.Closed) vm.assertEq(_others(), others, "nobody else's game or stake has changed");
        else vm.assertTrue(stage == Stage.PickPart, "nothing else ends this game");
        if (!ok) vm.assertEq(_state(), before, "refused, so nothing has changed");
        else vm.assertTrue(uint256(stageOf(g)) != uint256(stage), "accepted, so the turn has gone on");
    }

    /// @dev The defendant errs by a bit at every move it makes; whatever comes of it, the challenger wins.
    /// forge-config: default.fuzz.runs = 100
    function test_fuzz_a_liar_who_sends_anything_loses(uint256 seed) public {
        Game memory g = kept();
        for (uint256 i = 0; stageOf(g) != Stage.Closed; ++i) {
            (address player, bytes memory data) = move(g);
            uint256 bit = between(draw(seed, i), 8 * 36, 8 * data.length - 1);
            // parts are the one thing that can be bent and still add up, so the challenger would look anew
            if (player == liar && stageOf(g) != Stage.Parts) data[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
            if (attempt(player, data)) continue;
            vm.assertTrue(player == liar, "the challenger's moves go through");
            vm.warp(disputes.disputeOf(g.id).deadline);
            disputes.timeOut(g.id);
        }
        vm.assertTrue(verdictOf(g) == Verdict.False, "found out, or too late");
    }

    /// @dev The challenger errs by a bit at every move; an honest defendant is never found false.
    /// forge-config: default.fuzz.runs = 100
    function test_fuzz_a_challenger_who_sends_anything_does_no_harm(uint256 seed) public {
        Game memory g = kept();
        (g.claims, g.lie) = (g.scores, g.truth);
        vm.prank(other);
        g.id = disputes.open(g.oid, validator(1), 0);
        for (uint256 i = 0; stageOf(g) != Stage.Closed; ++i) {
            (address player, bytes memory data) = move(g);
            uint256 bit = between(draw(seed, i), 8 * 36, 8 * data.length - 1);
            bytes memory bent = bytes.concat(data);
            bent[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
            if (player == validator(1)) vm.assertTrue(attempt(player, data), "an honest move goes through");
            else if (!attempt(player, bent)) vm.assertTrue(attempt(player, data), "the challenger mends it");
            _follow(g);
        }
        vm.assertTrue(verdictOf(g) == Verdict.Stands, "the truth stands");
        vm.assertTrue(proof.isLive(g.oid, validator(1), 0), "and counts");
    }

    /// @dev An honest player answers what was asked, whichever sample, node or element that is.
    function _follow(Game memory g) private view {
        uint256 sample = disputes.disputeOf(g.id).low;
        if (stageOf(g) == Stage.Trace && sample != g.sample) {
            g.sample = sample;
            g.truth = _traceOf(g, sample);
            g.lie = g.truth;
        }
        if (stageOf(g) == Stage.Parts) g.element = disputes.disputeOf(g.id).element;
        uint256 node = disputes.disputeOf(g.id).node;
        if (stageOf(g) >= Stage.Hashes && node != g.node) (g.node, g.element) = (node, 0);
        if (stageOf(g) == Stage.PickElement) g.element = disputes.disputeOf(g.id).base * 1024;
    }

    function _traceOf(Game memory g, uint256 sample) private pure returns (bytes[] memory) {
        return honest(g.net, sample + 1, sample, 0, 0).truth;
    }

    /// @dev The game a random number of moves on.
    function _somewhere(uint256 seed) private returns (Game memory g) {
        g = kept();
        for (uint256 i = seed % 12; i > 0 && stageOf(g) != Stage.PickPart; --i) {
            play(g);
        }
    }

    function _state() private view returns (bytes32) {
        return keccak256(abi.encode(disputes.disputeOf(2), _others()));
    }

    /// @dev All that a move of dispute 2 leaves alone while it goes on.
    function _others() private view returns (bytes32) {
        bytes32 stakes = keccak256(
            abi.encode(
                vault.bondOf(challenger, Role.Verifier),
                vault.bondOf(other, Role.Verifier),
                vault.bondOf(liar, Role.Validator),
                vault.bondOf(validator(1), Role.Validator),
                token.totalSupply()
            )
        );
        uint256 oid = disputes.disputeOf(1).oid;
        return keccak256(abi.encode(disputes.disputeOf(1), disputes.disputeCount(), proof.factsOf(oid), stakes));
    }

    function _shortened(bytes memory data, uint256 by) private pure returns (bytes memory short) {
        short = new bytes(data.length - by);
        for (uint256 i = 0; i < short.length; ++i) {
            short[i] = data[i];
        }
    }

    /// @dev The selector and the dispute, then anything.
    function _noise(bytes memory data, uint256 seed) private pure returns (bytes memory noise) {
        noise = new bytes(data.length);
        for (uint256 i = 0; i < noise.length; ++i) {
            noise[i] = i < 36 ? data[i] : bytes1(uint8(draw(seed, i / 32) >> (8 * (i % 32))));
        }
    }
}

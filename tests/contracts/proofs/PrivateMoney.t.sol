// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ProofPhase } from "../../../contracts/interfaces/IAccuracyProofs.sol";
import {
    ClaimStatus,
    Handover,
    PieceOpening,
    PrivateOutcome,
    PrivatePhase,
    PrivateTerms
} from "../../../contracts/interfaces/IPrivateOrders.sol";
import { draw, vm } from "../support/Vm.sol";
import { PrivateWorld } from "./support/PrivateWorld.sol";
import { Sealing } from "./support/Sealing.sol";

/// @dev Two orders side by side over random lives: whoever does whatever, what came in is what went out or was burned,
/// no order spends another's money, no honest provider loses anything, and anybody can drive every order to its end.
contract PrivateMoneyTest is PrivateWorld {
    enum Conduct {
        Honest,
        Absent,
        Weak,
        Silent,
        WrongKey,
        WrongByte,
        NoFile
    }

    uint256 private constant PROVIDERS = 4;
    uint256 private constant FUNDS = 10_000 ether;

    uint256 private _seed;
    uint256 private _draws;
    Conduct[PROVIDERS] private _conducts;

    /// forge-config: default.fuzz.runs = 24
    /// forge-config: long.fuzz.runs = 500
    function testFuzz_money(uint256 seed) public {
        _seed = seed;
        address[] memory actors = _actors();
        uint256[2] memory oids = [_put(), _put()];
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            _conducts[i] = Conduct(_random(7));
            for (uint256 j = 0; j < 2; ++j) {
                if (_random(4) != 0) _claim(oids[j], prover(i));
            }
        }
        for (uint256 j = 0; j < 2; ++j) {
            _live(oids[j]);
            _conserved(oids, actors);
        }
        for (uint256 j = 0; j < 2; ++j) {
            vm.assertEq(uint256(orders.phaseOf(oids[j])), uint256(PrivatePhase.Closed), "every order ends");
            vm.assertEq(orders.stateOf(oids[j]).held, 0, "and holds nothing");
        }
        vm.assertEq(token.balanceOf(address(orders)), 0, "nothing is left");
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            if (_conducts[i] != Conduct.Honest && _conducts[i] != Conduct.Weak) continue;
            vm.assertGe(token.balanceOf(prover(i)), FUNDS, "the honest lose nothing");
        }
    }

    function _actors() private returns (address[] memory actors) {
        actors = new address[](PROVIDERS + 1);
        for (uint256 i = 0; i <= PROVIDERS; ++i) {
            actors[i] = i == PROVIDERS ? client : prover(i);
            fund(actors[i], FUNDS);
            vm.prank(actors[i]);
            token.approve(address(orders), type(uint256).max);
        }
    }

    function _put() private returns (uint256 oid) {
        PrivateTerms memory terms = openTerms();
        vm.prank(client);
        return orders.put(terms);
    }

    function _claim(uint256 oid, address account) private {
        uint256 digest = fileOf(account).digest;
        vm.prank(account);
        orders.claim(oid, digest);
    }

    function _live(uint256 oid) private {
        if (orders.phaseOf(oid) == PrivatePhase.Claim) vm.warp(block.timestamp + 600);
        if (orders.phaseOf(oid) == PrivatePhase.Prove) _prove(oid);
        for (uint256 turn = 0; turn < 30 && orders.phaseOf(oid) != PrivatePhase.Closed; ++turn) {
            PrivatePhase phase = orders.phaseOf(oid);
            if (phase == PrivatePhase.Handover) _handOver(oid);
            else if (phase == PrivatePhase.Dispute) _look(oid);
            else orders.advance(oid);
        }
    }

    function _prove(uint256 oid) private {
        drawOf(oid);
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            (ClaimStatus status,) = orders.claimOf(oid, prover(i));
            if (status == ClaimStatus.None || _conducts[i] == Conduct.Absent) continue;
            prove(oid, prover(i), _conducts[i] == Conduct.Weak ? 3 : 4 + _random(4));
        }
        bytes32 round = orders.stateOf(oid).round;
        if (proofs.phaseOf(round) != ProofPhase.Over) toOver(round);
    }

    function _handOver(uint256 oid) private {
        address winner = orders.stateOf(oid).winner;
        Conduct conduct = _conductOf(winner);
        if (conduct == Conduct.Silent) {
            vm.warp(block.timestamp + 500);
            return;
        }
        bytes[] memory pieces = _piecesOf(winner, conduct);
        Handover memory handover = handoverOf(oid, winner, pieces);
        if (conduct == Conduct.WrongKey) handover.sealedKey ^= bytes32(uint256(1) << _random(256));
        vm.prank(winner);
        orders.handOver(oid, handover);
    }

    function _look(uint256 oid) private {
        address winner = orders.stateOf(oid).winner;
        Conduct conduct = _conductOf(winner);
        // once an order in which the key was shown, its next winners seal to another, whose secret is "next"
        bool first = orders.stateOf(oid).clientKey == handovers.publicKeyOf(CLIENT_SECRET);
        vm.startPrank(client);
        if (conduct == Conduct.WrongKey) {
            orders.disputeKey(oid, first ? CLIENT_SECRET : bytes32("next"), handovers.publicKeyOf("next"));
        } else if (conduct == Conduct.WrongByte) {
            bytes[] memory pieces = _piecesOf(winner, conduct);
            PieceOpening memory piece = Sealing.opening(pieces, 0);
            orders.disputePiece(oid, dataKeyOf(winner), 0, nothing(), piece);
        } else if (conduct == Conduct.NoFile || _random(3) == 0) {
            if (orders.stateOf(oid).missing == 0) orders.request(oid, 0, 2);
            vm.stopPrank();
            _answer(oid, winner, conduct);
        } else {
            vm.warp(orders.stateOf(oid).disputeUntil);
        }
        vm.stopPrank();
    }

    /// @dev an honest winner posts what is asked for, the other one piece, or none
    function _answer(uint256 oid, address winner, Conduct conduct) private {
        bytes[] memory pieces = _piecesOf(winner, conduct);
        if (conduct != Conduct.NoFile || _random(2) == 0) orders.answer(oid, 0, Sealing.opening(pieces, 0));
        if (conduct != Conduct.NoFile) orders.answer(oid, 1, Sealing.opening(pieces, 1));
        uint64 until = conduct == Conduct.NoFile ? orders.stateOf(oid).answerUntil : orders.stateOf(oid).disputeUntil;
        vm.warp(until);
    }

    function _piecesOf(address account, Conduct conduct) private pure returns (bytes[] memory pieces) {
        pieces = fileOf(account).pieces;
        if (conduct == Conduct.WrongByte) pieces[0][100] ^= 0x10;
    }

    function _conductOf(address account) private view returns (Conduct) {
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            if (prover(i) == account) return _conducts[i];
        }
        return Conduct.Honest;
    }

    /// @dev Of what the five had, each wei is theirs, in an order's hands, the reporter's (this contract) or burned.
    function _conserved(uint256[2] memory oids, address[] memory actors) private view {
        uint256 held = orders.stateOf(oids[0]).held + orders.stateOf(oids[1]).held;
        vm.assertEq(token.balanceOf(address(orders)), held, "an order's account is what it has");
        uint256 all = held + token.balanceOf(address(this));
        for (uint256 i = 0; i < actors.length; ++i) {
            all += token.balanceOf(actors[i]);
        }
        vm.assertEq(all, token.totalSupply(), "nothing comes from nowhere");
        vm.assertLe(SUPPLY - token.totalSupply(), 2 * PROVIDERS * LOCK, "only bonds are burned");
    }

    function _random(uint256 below) private returns (uint256) {
        return draw(_seed, _draws++) % below;
    }
}

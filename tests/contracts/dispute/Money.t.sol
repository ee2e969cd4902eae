// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IDisputeCourt, Stage, Verdict } from "../../../contracts/interfaces/IDisputeCourt.sol";
import { ProtocolParameters } from "../../../contracts/interfaces/IParameters.sol";
import { IStakeVault, Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { Commitments } from "../../../contracts/libraries/Commitments.sol";
import { OrderTerms } from "../../../contracts/interfaces/IOrderBook.sol";
import { between, vm } from "../support/Vm.sol";
import { Game } from "./support/DisputeWorld.sol";
import { Players } from "./support/Players.sol";

/// @dev Who pays whom, to the wei, whatever the parameters are; and that nobody else's stake is touched.
contract DisputeMoneyTest is Players {
    /// @dev Everything that could change hands.
    struct Purse {
        uint256 supply;
        uint256 vault;
        uint256 challenger;
        uint256 liar;
        uint256 verifierBond;
        uint256 validatorBond;
    }

    function test_fuzz_a_liar_pays_its_stake(uint256 share, uint256 stake, uint256 vStake, bool late) public {
        (Game memory g, uint256 part) = _game(share, stake, vStake);
        Purse memory before = _purse();
        uint256 lost = _vStake;
        uint256 paid = lost * part / PPM;
        reopened(g, challenger);
        if (late) vm.warp(block.timestamp + MOVE);
        else advanced(g, Stage.PickElement);
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.Closed(g.id, Verdict.False, late, challenger, paid, lost - paid);
        vm.expectEmit(address(vault));
        emit IStakeVault.Slashed(liar, Role.Validator, bytes32(g.oid), lost, challenger, paid, lost - paid, true);
        if (late) disputes.timeOut(g.id);
        else play(g);
        Purse memory now_ = _purse();
        vm.assertEq(now_.challenger, before.challenger + paid, "paid to the challenger");
        vm.assertEq(before.supply - now_.supply, lost - paid, "the rest is burned");
        vm.assertEq(before.vault - now_.vault, lost, "all of it left the vault");
        vm.assertEq(before.validatorBond - now_.validatorBond, lost, "out of the liar's bond");
        vm.assertEq(now_.verifierBond, before.verifierBond, "the challenger's bond is whole");
        expectLocked(challenger, 0, "and free");
        vm.assertEq(locked(liar, Role.Validator), _vStake, "the stake on the other model is still locked");
        vm.assertEq(now_.liar, before.liar, "nothing for the liar");
    }

    function test_fuzz_a_challenger_who_is_wrong_pays_its_stake(uint256 share, uint256 stake, uint256 vStake, bool late)
        public
    {
        (Game memory g, uint256 part) = _game(share, stake, vStake);
        Purse memory before = _purse();
        uint256 lost = _stake;
        uint256 paid = lost * part / PPM;
        vm.prank(challenger);
        g.id = disputes.open(g.oid, validator(1), 0);
        (g.claims, g.lie) = (g.scores, g.truth);
        advanced(g, late ? Stage.PickTensor : Stage.PickElement);
        if (late) vm.warp(block.timestamp + MOVE);
        uint256 winnings = token.balanceOf(validator(1));
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.Closed(g.id, Verdict.Stands, late, validator(1), paid, lost - paid);
        vm.expectEmit(address(vault));
        emit IStakeVault.Slashed(challenger, Role.Verifier, bytes32(g.oid), lost, validator(1), paid, lost - paid, true);
        if (late) disputes.timeOut(g.id);
        else play(g);
        Purse memory now_ = _purse();
        vm.assertEq(token.balanceOf(validator(1)) - winnings, paid, "paid to the defendant");
        vm.assertEq(before.supply - now_.supply, lost - paid, "the rest is burned");
        vm.assertEq(before.vault - now_.vault, lost, "all of it left the vault");
        vm.assertEq(before.verifierBond - now_.verifierBond, lost, "out of the challenger's bond");
        vm.assertEq(now_.challenger, before.challenger, "nothing for the challenger");
        vm.assertEq(locked(validator(1), Role.Validator), 2 * _vStake, "the defendant's stakes are where they were");
        expectLocked(challenger, 0, "none is left");
    }

    function test_parameters_of_an_order_are_those_of_its_put() public {
        Game memory g = lying(small(), 1, 0, 1, 0);
        challengeable(g);
        ProtocolParameters memory p = _parameters();
        (p.challengeStake, p.moveSeconds, p.disputeSharePpm) = (99 * UNIT, 7, 0);
        parameters.setParameters(p);
        reopened(g, challenger);
        expectLocked(challenger, STAKE, "the stake");
        vm.assertEq(disputes.disputeOf(g.id).deadline, block.timestamp + MOVE, "the clock");
        vm.warp(block.timestamp + MOVE);
        uint256 before = token.balanceOf(challenger);
        disputes.timeOut(g.id);
        vm.assertEq(token.balanceOf(challenger) - before, VSTAKE / 2, "the share");
    }

    uint256 private _stake;
    uint256 private _vStake;
    uint256 private _part;

    function setUp() public override {
        super.setUp();
        enrol(validator(0), Role.Validator, 1_000_000 * UNIT);
        enrol(validator(1), Role.Validator, 1_000_000 * UNIT);
        keep(lying(small(), 1, 0, 1, 0));
    }

    /// @dev An order with two models, for each of which the validators have locked the same.
    function _game(uint256 share, uint256 stake, uint256 vStake) private returns (Game memory g, uint256 part) {
        part = between(share, 0, 900_000);
        _stake = between(stake, 1, _parameters().verifierMinimum);
        _vStake = between(vStake, 10 * UNIT, 100_000 * UNIT);
        ProtocolParameters memory p = _parameters();
        (p.disputeSharePpm, p.challengeStake) = (uint32(part), _stake);
        parameters.setParameters(p);
        g = kept();
        _put(g);
    }

    function _put(Game memory g) private {
        bytes32 root = sampleLeaves(g)[0];
        OrderTerms memory terms = termsOf(g, root);
        g.oid = put(terms);
        for (uint256 i = 0; i < 2; ++i) {
            if (bonded(provider(i), Role.Provider) == 0) enrol(provider(i), Role.Provider, BOND);
            bytes32 commitment = Commitments.model(g.oid, provider(i), g.net.root, modelCid(provider(i)), SALT);
            vm.prank(provider(i));
            proof.claim(g.oid, commitment);
        }
        toReveal(g.oid);
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(provider(i));
            proof.reveal(g.oid, g.net.root, modelCid(provider(i)), SALT);
        }
        vm.prank(client);
        book.releaseTest(g.oid, root, 1, TEST_CID, SALT);
        toScoreCommit(g.oid);
        commitScores(g.oid, liar, row(g.claims[0], g.scores[0]), _vStake);
        commitScores(g.oid, validator(1), row(g.scores[0], g.scores[0]), _vStake);
        toScoreReveal(g.oid);
        revealScores(g.oid, liar, row(g.claims[0], g.scores[0]));
        revealScores(g.oid, validator(1), row(g.scores[0], g.scores[0]));
        toChallenge(g.oid);
    }

    function _purse() private view returns (Purse memory) {
        return Purse({
            supply: token.totalSupply(),
            vault: token.balanceOf(address(vault)),
            challenger: token.balanceOf(challenger),
            liar: token.balanceOf(liar),
            verifierBond: bonded(challenger, Role.Verifier),
            validatorBond: bonded(liar, Role.Validator)
        });
    }
}

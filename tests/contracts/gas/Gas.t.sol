// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ProtocolParameters } from "../../../contracts/interfaces/IParameters.sol";
import { Payout } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { vm } from "../support/Vm.sol";
import { World } from "../support/World.sol";

/// @dev What each action costs in the typical order: 3 providers, 3 validators, 4 aggregators. `offchain/bench/gas.py` runs
/// this with `--isolate`, so that each call is a transaction of its own, and reads what it wrote.
contract GasTest is World {
    function test_gas_of_a_whole_order() public {
        _clientAndProviders();
        uint256 oid = _training();
        _reveals(oid);
        _scoring(oid);
        toSealable(oid);
        vm.recordLogs();
        proof.seal(oid);
        (Payout[] memory payouts,) = sealedPayouts(vm.getRecordedLogs());
        _multisig(oid, payouts);
        treasury.claimRewards(provider(2));
        _note("claimRewards");
        _exit();
    }

    function test_gas_of_the_seal() public {
        uint256 oid = scored(_agreeing(3, 3));
        toSealable(oid);
        proof.seal(oid);
        _note("seal");
    }

    function test_gas_of_cancel() public {
        uint256 oid = put();
        vm.prank(client);
        book.cancel(oid);
        _note("cancel");
    }

    function test_gas_of_a_refund() public {
        uint256 oid = put();
        toReveal(oid);
        proof.seal(oid);
        _note("seal, refunded without a claim");
    }

    function test_gas_of_sharing() public {
        uint256 oid = claimed(3);
        toReveal(oid);
        for (uint256 i = 0; i < 3; ++i) {
            reveal(oid, provider(i));
        }
        toScoreCommit(oid);
        proof.seal(oid);
        _note("seal, shared without a test set");
    }

    function test_gas_of_slashing() public {
        uint256 oid = claimed(3);
        toReveal(oid);
        reveal(oid, provider(0));
        release(oid);
        toScoreCommit(oid);
        enrol(validator(0), Role.Validator, BOND);
        commitScores(oid, validator(0), row(1), VSTAKE);
        enrol(validator(1), Role.Validator, BOND);
        commitScores(oid, validator(1), row(1), VSTAKE);
        proof.slashUnrevealedClaim(oid, provider(1));
        _note("slashUnrevealedClaim");
        toScoreReveal(oid);
        revealScores(oid, validator(0), row(1));
        toChallenge(oid);
        proof.slashUnrevealedScores(oid, validator(1));
        _note("slashUnrevealedScores");
    }

    function test_gas_of_a_void_model() public {
        uint256 oid = scored(_agreeing(3, 3));
        availability.open(oid);
        availability.voidModel(oid, 2, provider(0));
        proof.slashVoidValidation(oid, validator(0), 2);
        _note("slashVoidValidation");
        availability.close(oid, 0);
        toSealable(oid);
        proof.seal(oid);
        _note("seal, with a void model");
    }

    function test_gas_of_a_void_test_set() public {
        uint256 oid = scored(_agreeing(3, 3));
        availability.open(oid);
        availability.voidTest(oid, provider(0));
        availability.close(oid, 0);
        proof.seal(oid);
        _note("seal, shared for a void test set");
    }

    function test_gas_of_the_stalled_committee() public {
        uint256 oid = scored(_agreeing(3, 3));
        toSealable(oid);
        vm.recordLogs();
        proof.seal(oid);
        (Payout[] memory payouts,) = sealedPayouts(vm.getRecordedLogs());
        vm.warp(block.timestamp + 1 days);
        treasury.payDirect(oid, payouts);
        _note("payDirect");
    }

    /// @dev What the paper's Table 6 measured: one reward, to one account, untaxed.
    function test_gas_of_the_multisig_for_one_account() public {
        seated(4);
        ProtocolParameters memory p = _parameters();
        p.aggregatorTaxPpm = 0;
        parameters.setParameters(p);
        uint256 oid = claimed(1);
        toReveal(oid);
        reveal(oid, provider(0));
        toScoreCommit(oid);
        vm.recordLogs();
        proof.seal(oid);
        (Payout[] memory payouts,) = sealedPayouts(vm.getRecordedLogs());
        vm.prank(aggregator(0));
        treasury.propose(oid, payouts);
        _note("propose, to one account");
        vm.prank(aggregator(1));
        treasury.confirm(oid);
        vm.prank(aggregator(2));
        treasury.confirm(oid);
        _note("confirm, to one account");
        vm.prank(aggregator(3));
        treasury.execute(oid, payouts);
        _note("execute, to one account");
    }

    function test_gas_of_the_committee() public {
        for (uint256 i = 0; i < 4; ++i) {
            enrol(aggregator(i), Role.Aggregator, BOND);
            vm.prank(aggregator(i));
            committee.join(1_000 * UNIT);
        }
        _note("join");
        committee.advanceEpoch();
        _note("advanceEpoch");
        vm.prank(aggregator(0));
        committee.leave();
        _note("leave");
    }

    function _clientAndProviders() private {
        seated(4);
        fund(client, REWARD);
        vm.prank(client);
        token.approve(address(book), REWARD);
        _note("approve");
        vm.prank(client);
        book.put(_terms());
        _note("put");
        fund(provider(0), BOND);
        vm.prank(provider(0));
        token.approve(address(vault), BOND);
        vm.prank(provider(0));
        vault.bond(Role.Provider, BOND);
        _note("bond");
        enrol(provider(1), Role.Provider, BOND);
        enrol(provider(2), Role.Provider, BOND);
    }

    function _training() private returns (uint256 oid) {
        oid = book.orderCount();
        claim(oid, provider(0));
        claim(oid, provider(1));
        claim(oid, provider(2));
        _note("claim");
        claim(oid, provider(0));
        _note("claim, replaced");
        toReveal(oid);
    }

    function _reveals(uint256 oid) private {
        reveal(oid, provider(0));
        reveal(oid, provider(1));
        reveal(oid, provider(2));
        _note("reveal");
        release(oid);
        _note("releaseTest");
        toScoreCommit(oid);
    }

    function _scoring(uint256 oid) private {
        int64[] memory scores = _agreeing(3, 1)[0];
        for (uint256 i = 0; i < 3; ++i) {
            enrol(validator(i), Role.Validator, BOND);
            commitScores(oid, validator(i), scores, VSTAKE);
        }
        _note("commitScores");
        toScoreReveal(oid);
        revealScores(oid, validator(0), scores);
        _note("revealScores, first");
        revealScores(oid, validator(1), scores);
        revealScores(oid, validator(2), scores);
        _note("revealScores");
    }

    function _multisig(uint256 oid, Payout[] memory payouts) private {
        vm.prank(aggregator(0));
        treasury.propose(oid, payouts);
        _note("propose");
        vm.prank(aggregator(1));
        treasury.confirm(oid);
        vm.prank(aggregator(2));
        treasury.confirm(oid);
        _note("confirm");
        vm.prank(aggregator(3));
        treasury.execute(oid, payouts);
        _note("execute");
    }

    function _exit() private {
        vm.prank(provider(0));
        vault.requestExit(Role.Provider, BOND);
        _note("requestExit");
        vm.warp(block.timestamp + 1 days);
        vm.prank(provider(0));
        vault.withdraw(Role.Provider);
        _note("withdraw");
    }

    function _agreeing(uint256 models, uint256 validators) internal pure returns (int64[][] memory rows) {
        rows = new int64[][](validators);
        for (uint256 i = 0; i < validators; ++i) {
            rows[i] = new int64[](models);
            for (uint256 m = 0; m < models; ++m) {
                rows[i][m] = int64(uint64(300 + m));
            }
        }
    }

    function _note(string memory action) private {
        vm.snapshotGasLastCall("actions", action);
    }
}

/// @dev The worst an order can be: 32 claims and 32 validators, the hard bounds of the parameters. Sealing it stays far
/// below any block's limit, whatever was left undone.
contract WorstCaseGasTest is World {
    uint256 private constant MOST = 32;
    uint256 private constant LIMIT = 10_000_000;

    function _parameters() internal pure override returns (ProtocolParameters memory p) {
        p = super._parameters();
        p.maxClaims = uint16(MOST);
        p.maxValidators = uint16(MOST);
        p.maxMembers = 100;
    }

    function test_gas_of_everything_revealed() public {
        uint256 oid = _committed(MOST);
        for (uint256 i = 0; i < MOST; ++i) {
            revealScores(oid, validator(i), _row(MOST));
            if (i == 0) _note("revealScores, worst (32 models)");
        }
        toSealable(oid);
        proof.seal(oid);
        vm.assertLt(_note("seal, worst (32 claims, 32 validators, all revealed)"), LIMIT, "seal");
    }

    function test_gas_of_nothing_revealed_but_one() public {
        uint256 oid = _committed(1);
        revealScores(oid, validator(0), _row(1));
        toSealable(oid);
        proof.seal(oid);
        vm.assertLt(_note("seal, worst (31 claims, 31 validators slashed)"), LIMIT, "seal");
    }

    function test_gas_of_half_revealed() public {
        uint256 oid = _committed(MOST / 2);
        for (uint256 i = 0; i < MOST / 2; ++i) {
            revealScores(oid, validator(i), _row(MOST / 2));
        }
        toSealable(oid);
        proof.seal(oid);
        vm.assertLt(_note("seal, worst (16 claims, 16 validators slashed)"), LIMIT, "seal");
    }

    function test_gas_of_displacing() public {
        uint256 oid = _committed(1);
        enrol(validator(MOST), Role.Validator, BOND);
        toScoreCommit(oid);
        commitScores(oid, validator(MOST), _row(1), VSTAKE + 1);
        _note("commitScores, worst (displaces one of 32)");
    }

    function test_gas_of_electing() public {
        for (uint256 i = 0; i < 128; ++i) {
            enrol(aggregator(i), Role.Aggregator, BOND);
            vm.prank(aggregator(i));
            committee.join(1_000 * UNIT + i);
        }
        committee.advanceEpoch();
        vm.assertLt(_note("advanceEpoch, worst (100 of 128 candidates, in reverse)"), LIMIT, "advanceEpoch");
    }

    /// @dev All claim, `reveals` of them reveal, all validators commit; the clock at the start of ScoreReveal.
    function _committed(uint256 reveals) private returns (uint256 oid) {
        oid = claimed(MOST);
        toReveal(oid);
        for (uint256 i = 0; i < reveals; ++i) {
            reveal(oid, provider(i));
        }
        release(oid);
        toScoreCommit(oid);
        for (uint256 i = 0; i < MOST; ++i) {
            enrol(validator(i), Role.Validator, BOND);
            commitScores(oid, validator(i), _row(reveals), VSTAKE);
        }
        toScoreReveal(oid);
    }

    function _row(uint256 models) private pure returns (int64[] memory scores) {
        scores = new int64[](models);
        for (uint256 m = 0; m < models; ++m) {
            scores[m] = int64(uint64(300 + m));
        }
    }

    function _note(string memory action) private returns (uint256) {
        return vm.snapshotGasLastCall("actions", action);
    }
}

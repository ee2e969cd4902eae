// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ProofPhase, ProofTerms, ProverStatus } from "../../../../contracts/interfaces/IAccuracyProofs.sol";
import { between, vm } from "../../support/Vm.sol";
import { ProofWorld } from "./ProofWorld.sol";

/// @dev Random lives of rounds: six provers who come, copy, prove, or stay away, anybody who draws and slashes, time.
contract ProofHandler is ProofWorld {
    uint256 private constant PROVERS = 6;

    bytes32[] internal rounds;
    uint256 public entered;
    uint256 public returned;
    uint256 public slashed;
    uint256 private immutable _SUPPLY;
    mapping(bytes32 round => mapping(address account => bool)) private _paidBack;

    constructor() {
        setUp();
        _SUPPLY = token.totalSupply();
    }

    // Verbs

    function openNew(uint256 x) external {
        ProofTerms memory t = proofTerms();
        t.gated = x % 4 == 0;
        t.bond = t.gated || x % 5 == 0 ? 0 : uint96(between(x >> 8, 1, STAKE));
        t.draws = uint16(between(x >> 128, 1, 4));
        t.minimumCorrect = uint32((x >> 160) % (t.draws * CHUNK + 1));
        rounds.push(openRound(bytes32(rounds.length), t));
    }

    function commitSome(uint256 x, uint256 y) external {
        (bytes32 round, address account) = _pick(x, ProofPhase.Commit);
        ProofTerms memory t = proofs.termsOf(round);
        uint256 modelHash = modelHashOf(y % 4 == 0 ? prover(y >> 8) : account);
        if (t.gated) {
            vm.prank(opener);
            return proofs.commitFor(round, account, modelHash);
        }
        fund(account, t.bond);
        vm.prank(account);
        token.approve(address(proofs), t.bond);
        vm.prank(account);
        try proofs.commit(round, modelHash) {
            entered += t.bond;
        } catch (bytes memory reason) {
            vm.prank(account);
            token.transfer(address(this), t.bond);
            _rethrow(reason);
        }
    }

    function endSome(uint256 x) external {
        (bytes32 round,) = _pick(x, ProofPhase.Commit);
        vm.prank(opener);
        proofs.endCommits(round);
    }

    function drawSome(uint256 x) external {
        (bytes32 round,) = _pick(x, ProofPhase.Draw);
        (uint64 drawBlock,,) = proofs.drawOf(round);
        // forge's own hashes are zero for blocks that nobody mined
        if (drawBlock != 0 && drawBlock < block.number && block.number <= drawBlock + 256) {
            vm.setBlockhash(drawBlock, keccak256(abi.encode(x)));
        }
        proofs.draw(round);
    }

    /// @dev True proofs of one's own model, or another's.
    function submitSome(uint256 x, uint256 y) external {
        (bytes32 round, address account) = _pick(x, ProofPhase.Prove);
        ProofTerms memory t = proofs.termsOf(round);
        account = _debtor(round, account);
        uint256 at = between(y, 0, t.draws - 1);
        uint256 chunk = proofs.chunkOf(round, at);
        address author = (y >> 16) % 5 == 0 ? prover((y >> 24) % PROVERS) : account;
        uint256 correct = between(y >> 32, 0, CHUNK);
        (, uint256 modelHash,,) = proofs.proverOf(round, account);
        bytes memory proof =
            verifier.prove(modelHashOf(author), chunkHash(chunk), correct, proofs.binding(round, author));
        proofs.submit(round, account, at, chunkHash(chunk), pathOf(chunk), correct, proof);
        require(author == account && modelHash == modelHashOf(account), "a stranger's proof went through");
    }

    function slashSome(uint256 x) external {
        (bytes32 round, address account) = _pick(x, ProofPhase.Over);
        account = _debtor(round, account);
        uint256 before = token.balanceOf(actor("reporter", 0));
        uint256 supply = token.totalSupply();
        vm.prank(actor("reporter", 0));
        proofs.slashNoShow(round, account);
        uint256 bond = proofs.termsOf(round).bond;
        uint256 paid = token.balanceOf(actor("reporter", 0)) - before;
        vm.assertEq(paid, bond / 10, "the reporter's share");
        vm.assertEq(paid + supply - token.totalSupply(), bond, "paid and burned");
        slashed += bond;
        _once(round, account);
    }

    function returnSome(uint256 x) external {
        (bytes32 round, address account) = _pick(x, ProofPhase.Over);
        uint256 before = token.balanceOf(account);
        proofs.returnBond(round, account);
        uint256 amount = token.balanceOf(account) - before;
        vm.assertEq(amount, proofs.termsOf(round).bond, "whole");
        returned += amount;
        _once(round, account);
        vm.prank(account);
        token.transfer(address(this), amount);
    }

    function advance(uint256 x) external {
        vm.roll(block.number + ((x >> 16) % 16 == 0 ? 300 : 2));
        vm.warp(block.timestamp + between(x, 1, 700));
    }

    // What holds

    function check() external view {
        vm.assertEq(token.balanceOf(address(proofs)), entered - returned - slashed, "what is held");
        vm.assertEq(_SUPPLY - token.totalSupply() + token.balanceOf(actor("reporter", 0)), slashed, "what was slashed");
        uint256 owed;
        for (uint256 i = 0; i < rounds.length; ++i) {
            owed += _checkRound(rounds[i]);
        }
        vm.assertEq(owed, entered - returned - slashed, "each bond has its owner");
    }

    /// @dev Whatever happened, anybody brings every bond to where it belongs.
    function drive() external {
        for (uint256 i = 0; i < rounds.length; ++i) {
            for (uint256 step = 0; step < 8 && proofs.phaseOf(rounds[i]) != ProofPhase.Over; ++step) {
                vm.roll(block.number + 300);
                if (proofs.phaseOf(rounds[i]) == ProofPhase.Draw) proofs.draw(rounds[i]);
                vm.warp(block.timestamp + 1_000);
            }
            for (uint256 p = 0; p < PROVERS; ++p) {
                (ProverStatus status,,,) = proofs.proverOf(rounds[i], prover(p));
                if (status == ProverStatus.NoShow) this.slashSome(_at(i, p));
                else try this.returnSome(_at(i, p)) { } catch { }
            }
        }
        vm.assertEq(token.balanceOf(address(proofs)), 0, "nothing stays behind");
    }

    function _checkRound(bytes32 round) private view returns (uint256 owed) {
        uint256 bond = proofs.termsOf(round).bond;
        uint256 committed;
        uint256 finished;
        for (uint256 p = 0; p < PROVERS; ++p) {
            (ProverStatus status,,, uint256 proven) = proofs.proverOf(round, prover(p));
            if (status == ProverStatus.None) continue;
            committed += 1;
            if (proofs.termsOf(round).gated && proven == proofs.termsOf(round).draws) finished += 1;
            if (!_paidBack[round][prover(p)]) owed += bond;
        }
        (uint256 all, uint256 done) = proofs.countsOf(round);
        vm.assertTrue(committed == all && finished == done, "counts");
    }

    function _once(bytes32 round, address account) private {
        require(!_paidBack[round][account], "a bond left twice");
        _paidBack[round][account] = true;
    }

    /// @dev One of the rounds in that phase, if there is one, and now and then any: what must not work is tried too.
    function _pick(uint256 x, ProofPhase wanted) private view returns (bytes32 round, address account) {
        uint256 n = rounds.length;
        account = prover((x >> 16 & 0xffff) % PROVERS);
        round = rounds[(x & 0xffff) % n];
        if ((x >> 32) % 8 == 0) return (round, account);
        for (uint256 i = 0; i < n && proofs.phaseOf(round) != wanted; ++i) {
            round = rounds[((x & 0xffff) + i) % n];
        }
    }

    /// @return owing whoever comes next in line and owes the round something
    function _debtor(bytes32 round, address account) private view returns (address owing) {
        owing = account;
        for (uint256 i = 0; i < PROVERS; ++i) {
            (ProverStatus status,,,) = proofs.proverOf(round, owing);
            if (status == ProverStatus.Committed || status == ProverStatus.NoShow) return owing;
            owing = prover(uint256(keccak256(abi.encode(account, i))) % PROVERS);
        }
    }

    function _at(uint256 round, uint256 index) private pure returns (uint256) {
        return round | index << 16;
    }

    function _rethrow(bytes memory reason) private pure {
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }
}

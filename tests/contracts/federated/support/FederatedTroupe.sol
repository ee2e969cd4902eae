// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    FederatedTerms,
    Mode,
    RoundRecord,
    RoundState,
    TaskPhase,
    TaskState,
    UpdateRequest
} from "../../../../contracts/interfaces/FederatedTypes.sol";
import { ProofPhase } from "../../../../contracts/interfaces/IAccuracyProofs.sol";
import { Role } from "../../../../contracts/interfaces/IStakeVault.sol";
import { vm, draw } from "../../support/Vm.sol";
import { ProvenWorld } from "./ProvenWorld.sol";

/// @dev The actors of the money invariants, what they owe each other and what the books must say: members 0 to 3 are
/// honest, 4 to 7 do as the fuzzer pleases; three verifiers ask; strangers and a court drive tasks on.
abstract contract FederatedTroupe is ProvenWorld {
    uint256 internal constant MEMBERS = 8;
    uint256 internal constant HONEST = 4;
    uint256 internal constant ASKERS = 3;
    uint256 internal constant DEPOSIT = 1000 * UNIT;

    uint256 internal tokensIn;
    uint256 internal tokensOut;
    /// @dev Row 0 of the posting in force, then of the final round.
    mapping(uint256 task => bytes) internal posted;
    mapping(uint256 task => mapping(uint256 round => bytes)) internal rows;
    mapping(uint256 task => mapping(uint256 round => uint256)) internal paidOut;

    constructor() {
        setUp();
        for (uint256 i = 0; i < MEMBERS; ++i) {
            enrol(member(i), Role.Participant, DEPOSIT);
        }
        for (uint256 i = 0; i < ASKERS; ++i) {
            enrol(asker(i), Role.Verifier, 100 * DEPOSIT);
        }
    }

    function asker(uint256 index) internal pure returns (address) {
        return actor("asker", index % ASKERS);
    }

    function isHonest(address account) internal pure returns (bool) {
        for (uint256 i = 0; i < HONEST; ++i) {
            if (account == member(i)) return true;
        }
        return false;
    }

    /// @dev A third are secure, a third ask for proofs of accuracy.
    function _troupeTerms(uint256 seed) internal view returns (FederatedTerms memory t) {
        t = seed / 3 % 3 == 0 ? _provenTerms() : _federatedTerms();
        if (seed % 3 != 0) return t;
        t.mode = Mode.Secure;
        t.groupSize = 3;
        (t.windows.keys, t.windows.shares, t.windows.reveal, t.windows.unmask) = (30, 20, 0, 10);
    }

    function _tasks() internal view returns (uint256) {
        return federation.taskCount();
    }

    // What the honest do before time goes on

    function _duties(uint256 task) internal {
        _proofDuties(task);
        TaskPhase phase = federation.phaseOf(task);
        if (phase == TaskPhase.Aggregate) return _leaderDuty(task);
        if (phase == TaskPhase.None || phase == TaskPhase.Joining || phase >= TaskPhase.Challenge) return;
        for (uint256 i = 0; i < state_(task).participants; ++i) {
            address account = accountAt(task, i);
            if (federation.placeOf(task, account) != i + 1) continue;
            if (isHonest(account) || _pretends(task, i, phase)) _step(task, i, phase);
        }
    }

    /// @dev The draw is made, the honest prove, and so do some of the others; what can be counted is.
    function _proofDuties(uint256 task) internal {
        if (state_(task).over || round_(task).modelled == 0) return;
        if (block.timestamp < round_(task).commitEnds) return;
        bytes32 round = proofRound(task);
        for (uint256 k = 0; k < 4 && proofs.phaseOf(round) < ProofPhase.Prove; ++k) {
            _drawOn(task);
        }
        if (proofs.phaseOf(round) == ProofPhase.Prove) {
            for (uint256 i = 0; i < state_(task).participants; ++i) {
                if (round_(task).modelled >> i & 1 == 0) continue;
                uint256 seed = uint256(keccak256(abi.encode(task, round, i)));
                if (isHonest(accountAt(task, i))) _proveSome(task, i, MINIMUM + seed % 60);
                else if (seed % 3 != 0) _proveSome(task, i, seed % 129);
            }
        }
        if (federation.phaseOf(task) == TaskPhase.Prove && proofs.phaseOf(round) == ProofPhase.Over) {
            federation.countProofs(task);
        }
    }

    /// @dev One step of the draw, and a block.
    function _drawOn(uint256 task) internal {
        try federation.drawChunks(task) { } catch { }
        uint256 block_ = block.number;
        vm.roll(block_ + 1);
        vm.setBlockhash(block_, keccak256(abi.encode(block_)));
    }

    function _proveSome(uint256 task, uint256 index, uint256 correct) internal {
        bytes32 round = proofRound(task);
        (, uint256 committed,,) = proofs.proverOf(round, accountAt(task, index));
        // nobody proves a model that it has not
        if (committed != modelHash(task, index)) return;
        for (uint256 k = 0; k < DRAWS; ++k) {
            if (proofs.hasProven(round, accountAt(task, index), k)) continue;
            proveOne(task, index, k, k == 0 ? correct / 2 : correct - correct / 2);
        }
    }

    /// @dev The hostile mostly do what gets them into the round; what they owe there they do by chance only.
    function _pretends(uint256 task, uint256 index, TaskPhase phase) private view returns (bool) {
        if (phase == TaskPhase.Request || phase == TaskPhase.Answer) return false;
        return uint256(keccak256(abi.encode(task, state_(task).round, index, phase))) % 4 != 0;
    }

    /// @dev What the participant can do in this phase; nothing when it has done it, or may not.
    function _step(uint256 task, uint256 index, TaskPhase phase) internal {
        address account = accountAt(task, index);
        bool secure = federation.termsOf(task).mode == Mode.Secure;
        if (phase == TaskPhase.Request || phase == TaskPhase.Answer) return _answerAll(task, index);
        if (phase == TaskPhase.Commit && federation.termsOf(task).accuracy.verifier != 0) {
            uint256 hash = modelHash(task, index);
            vm.prank(account);
            // refused to who has committed to one
            try federation.commitModel(task, hash) { } catch { }
        }
        bytes memory data;
        if (phase == TaskPhase.Keys) data = abi.encodeCall(federation.postKeys, (task, "h", "c"));
        if (phase == TaskPhase.Shares) data = abi.encodeCall(federation.postShares, (task, "s", "h", "c"));
        if (phase == TaskPhase.Unmask) data = abi.encodeCall(federation.postUnmask, (task, "h", "c"));
        if (phase == TaskPhase.Commit && secure) {
            data = abi.encodeCall(federation.postMasked, (task, updateRoot(task, index), "c"));
        } else if (phase == TaskPhase.Commit) {
            data = abi.encodeCall(federation.commit, (task, commitmentOf(task, index)));
        }
        if (phase == TaskPhase.Reveal) {
            data = abi.encodeCall(
                federation.reveal, (task, updateRoot(task, index), updateCid(index), uint32(10 + index), SALT)
            );
        }
        if (data.length == 0) return;
        vm.prank(account);
        // refused when there is nothing to do for it
        (bool ok,) = address(federation).call(data);
        ok;
    }

    function _answerAll(uint256 task, uint256 index) internal {
        UpdateRequest[4] memory asked = federation.requestsOf(task, uint16(index));
        for (uint256 k = 0; k < 4; ++k) {
            bool open = asked[k].open && asked[k].round == state_(task).round;
            if (open && block.timestamp < round_(task).answerEnds) answer(task, index, asked[k].chunk);
        }
    }

    function _leaderDuty(uint256 task) internal {
        try federation.leaderOf(task) returns (uint16 leader) {
            uint256 seed = uint256(keccak256(abi.encode(task, block.timestamp)));
            if (isHonest(accountAt(task, leader)) || seed % 2 == 0) _post(task, seed);
        } catch { }
    }

    /// @dev Refused when columns are too few.
    function _post(uint256 task, uint256 seed) internal {
        uint256 n = federation.columnsOf(task).length;
        bytes memory row;
        for (uint256 i = 0; i < n; ++i) {
            row = bytes.concat(row, bytes8(uint64(int64(uint64(draw(seed, i) % 300)) - 100)));
        }
        row = bytes.concat(row, bytes8(uint64(draw(seed, n) % 200)));
        try this.postRow(task, row) {
            posted[task] = row;
        } catch { }
    }

    function postRow(uint256 task, bytes calldata row) external {
        post(task, row);
    }

    // Ends

    function _finalize(uint256 task) internal {
        uint256 round = state_(task).round;
        federation.finalize(task);
        rows[task][round] = posted[task];
    }

    function _claim(uint256 task, uint256 round, uint256 index) internal {
        uint256 refundable = state_(task).refundable;
        bool proves = federation.termsOf(task).accuracy.verifier != 0;
        uint256 paid =
            proves ? claimProven(task, uint32(round), index) : claim(task, uint32(round), index, rows[task][round]);
        tokensOut += paid;
        paidOut[task][round] += paid + state_(task).refundable - refundable;
    }

    function _withdraw(uint256 task) internal {
        uint256 amount = state_(task).refundable;
        federation.withdraw(task);
        tokensOut += amount;
    }

    // Books

    /// @dev The contract holds what it owes, to the last wei.
    function _checkBooks() internal view {
        uint256 owed = 0;
        for (uint256 task = 1; task <= _tasks(); ++task) {
            owed += _owed(task);
        }
        uint256 held = token.balanceOf(address(federation));
        vm.assertEq(held, owed, "held is owed");
        vm.assertEq(held, tokensIn - tokensOut, "what entered has left once");
    }

    function _owed(uint256 task) private view returns (uint256 owed) {
        TaskState memory s = state_(task);
        uint256 settled = s.over ? 3 : s.round == 0 ? 0 : s.round - 1;
        owed = s.refundable + ROUND_REWARD * (3 - settled);
        for (uint32 round = 1; round <= s.round; ++round) {
            RoundRecord memory r = federation.recordOf(task, round);
            if (r.isFinal) owed += ROUND_REWARD - paidOut[task][round];
            if (r.isFinal && r.included == r.claimed) vm.assertEq(paidOut[task][round], ROUND_REWARD, "all of it");
        }
    }

    function _checkStakes() internal view {
        uint256 stakes = 0;
        for (uint256 i = 0; i < MEMBERS; ++i) {
            uint256 bound = 0;
            for (uint256 task = 1; task <= _tasks(); ++task) {
                uint16 place = federation.placeOf(task, member(i));
                if (place != 0) bound += who(task, place - 1).stake;
            }
            vm.assertEq(locked(member(i), Role.Participant), bound, "locked for its tasks alone");
            if (i < HONEST) vm.assertEq(bonded(member(i), Role.Participant), DEPOSIT, "an honest stake is whole");
            stakes += bonded(member(i), Role.Participant);
        }
        for (uint256 i = 0; i < ASKERS; ++i) {
            vm.assertEq(locked(asker(i), Role.Verifier), ASK_BOND * _openAsked(asker(i)), "locked for its questions");
            stakes += bonded(asker(i), Role.Verifier);
        }
        vm.assertEq(token.balanceOf(address(vault)), stakes, "the vault is solvent");
    }

    function _openAsked(address account) private view returns (uint256 open) {
        for (uint256 task = 1; task <= _tasks(); ++task) {
            uint256 counted = 0;
            for (uint256 i = 0; i < state_(task).participants; ++i) {
                UpdateRequest[4] memory asked = federation.requestsOf(task, uint16(i));
                for (uint256 k = 0; k < 4; ++k) {
                    if (!asked[k].open) continue;
                    ++counted;
                    if (asked[k].asker == account) ++open;
                }
            }
            vm.assertEq(round_(task).openRequests, counted, "open requests");
        }
    }

    function _nextEdge() internal view returns (uint256 edge) {
        edge = type(uint256).max;
        for (uint256 task = 1; task <= _tasks(); ++task) {
            edge = _sooner(edge, state_(task).joinEnds);
            RoundState memory r = round_(task);
            if (state_(task).over) continue;
            edge = _sooner(_sooner(_sooner(edge, r.keysEnd), r.sharesEnd), r.commitEnds);
            edge = _sooner(_sooner(_sooner(edge, r.revealEnds), r.requestEnds), r.answerEnds);
            edge = _sooner(_sooner(_sooner(edge, r.unmaskEnds), r.postEnds), r.challengeEnds);
            if (r.modelled == 0) continue;
            (, uint64 proveUntil) = proofs.endsOf(proofRound(task));
            edge = _sooner(edge, proveUntil);
        }
        if (edge == type(uint256).max) edge = block.timestamp + 1;
    }

    function _sooner(uint256 edge, uint64 end) private view returns (uint256) {
        return end > block.timestamp && end < edge ? end : edge;
    }
}

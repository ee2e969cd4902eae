// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { FederatedTerms, RoundRecord, TaskPhase, TaskState } from "../../../../contracts/interfaces/FederatedTypes.sol";
import { vm } from "../../support/Vm.sol";
import { FederatedTroupe } from "./FederatedTroupe.sol";

/// @dev The verbs that the fuzzer combines; what is refused changes nothing.
contract FederatedHandler is FederatedTroupe {
    uint256 private constant MAX_TASKS = 3;

    // Tasks

    function createTask(uint256 seed) external {
        require(_tasks() < MAX_TASKS, "enough");
        FederatedTerms memory terms = _troupeTerms(seed);
        create(terms);
        tokensIn += 3 * ROUND_REWARD;
    }

    function joinHostile(uint256 o, uint256 stake) external {
        uint256 task = _task(o);
        for (uint256 i = HONEST; i < MEMBERS; ++i) {
            vm.prank(member(i));
            try federation.join(task, uint96(STAKE * (1 + stake % 3)), new bytes32[](0)) { } catch { }
        }
    }

    function joinTask(uint256 o, uint256 a, uint256 stake) external {
        uint256 task = _task(o);
        vm.prank(member(a % MEMBERS));
        federation.join(task, uint96(STAKE * (1 + stake % 3)), new bytes32[](0));
    }

    /// @dev All the honest at once: the fuzzer alone would seldom fill a task.
    function joinHonest(uint256 o) external {
        uint256 task = _task(o);
        for (uint256 i = 0; i < HONEST; ++i) {
            vm.prank(member(i));
            try federation.join(task, uint96(STAKE), new bytes32[](0)) { } catch { }
        }
    }

    function leaveTask(uint256 o, uint256 a) external {
        uint256 task = _any(o);
        vm.prank(member(a % MEMBERS));
        federation.leave(task);
    }

    function startTask(uint256 o) external {
        federation.start(_task(o));
    }

    function cancelTask(uint256 o) external {
        federation.cancel(_task(o));
    }

    function withdrawTask(uint256 o) external {
        _withdraw(_any(o));
    }

    // Rounds

    /// @dev What the phase is for, by some.
    function actSome(uint256 o, uint256 set) external {
        uint256 task = _task(o);
        for (uint256 i = 0; i < state_(task).participants; ++i) {
            if (set >> i & 1 != 0) _step(task, i, federation.phaseOf(task));
        }
    }

    /// @dev A commitment to nothing, which its author cannot open.
    function commitJunk(uint256 o, uint256 a) external {
        uint256 task = _task(o);
        vm.prank(member(HONEST + a % HONEST));
        try federation.commitModel(task, 7) { } catch { }
        vm.prank(member(HONEST + a % HONEST));
        federation.commit(task, "junk");
    }

    // Proofs of accuracy

    /// @dev A model that its author may not have.
    function commitModelHostile(uint256 o, uint256 a) external {
        uint256 task = _task(o);
        uint256 hash = modelHash(task, a % 3);
        vm.prank(member(HONEST + a % HONEST));
        federation.commitModel(task, hash);
    }

    function drawAny(uint256 o) external {
        federation.drawChunks(_task(o));
    }

    function proveHostile(uint256 o, uint256 index, uint256 correct) external {
        uint256 task = _task(o);
        uint256 n = state_(task).participants;
        uint128 modelled = round_(task).modelled;
        for (uint256 k = 0; k < n; ++k) {
            uint256 i = (index % n + k) % n;
            if (modelled >> i & 1 != 0 && !isHonest(accountAt(task, i))) {
                return proveOne(task, i, correct % 2, correct % 65);
            }
        }
        revert("nobody to prove");
    }

    function countAny(uint256 o) external {
        federation.countProofs(_task(o));
    }

    function askFor(uint256 o, uint256 a, uint256 index, uint256 chunk) external {
        uint256 task = _task(o);
        uint256 place = index % state_(task).participants;
        vm.prank(asker(a));
        federation.request(task, uint16(place), uint32(chunk % 2));
    }

    function answerAny(uint256 o, uint256 index) external {
        uint256 task = _task(o);
        _answerAll(task, index % state_(task).participants);
    }

    function expireAny(uint256 o, uint256 index) external {
        uint256 task = _task(o);
        for (uint256 i = 0; i < MEMBERS; ++i) {
            uint16 place = uint16((index % MEMBERS + i) % MEMBERS);
            try federation.expire(task, place) {
                return;
            } catch { }
        }
        revert("nothing expired");
    }

    function postAny(uint256 o, uint256 seed) external {
        _post(_task(o), seed);
    }

    function replaceAny(uint256 o) external {
        federation.replaceLeader(_task(o));
    }

    function finalizeAny(uint256 o) external {
        _finalize(_task(o));
    }

    function failAny(uint256 o) external {
        federation.fail(_task(o));
    }

    function claimAny(uint256 o, uint256 round, uint256 index) external {
        uint256 task = _any(o);
        _claim(task, 1 + round % 3, index % MEMBERS);
    }

    // The court

    function openDispute(uint256 o) public {
        uint256 task = _task(o);
        vm.prank(court_);
        federation.disputeOpened(task);
    }

    function closeDispute(uint256 o, uint256 posting) external {
        uint256 task = _task(o);
        _closeDispute(task, uint32(round_(task).posting - posting % 2));
    }

    /// @dev Only liars lose: the real court's own tests are about that.
    function proveWrong(uint256 o) external {
        uint256 task = _task(o);
        require(!isHonest(accountAt(task, round_(task).leader)), "honest");
        vm.prank(court_);
        federation.disputeOpened(task);
        uint32 posting = round_(task).posting;
        vm.prank(court_);
        federation.leaderProvenWrong(task, posting, asker(o));
    }

    // Time

    /// @dev To the next edge of a window, once the honest have done what they must before it and that changed no phase.
    function advance() public {
        bool same = true;
        for (uint256 task = 1; task <= _tasks(); ++task) {
            TaskPhase before = federation.phaseOf(task);
            _duties(task);
            if (federation.phaseOf(task) != before) same = false;
        }
        if (same) vm.warp(_nextEdge());
    }

    // Ends

    function check() external view {
        _checkBooks();
        _checkStakes();
    }

    /// @dev Whatever happened: strangers drive each task to its end, and all have what is theirs.
    function drive() external {
        for (uint256 task = 1; task <= _tasks(); ++task) {
            for (uint256 moves = 0; federation.phaseOf(task) != TaskPhase.Over; ++moves) {
                require(moves < 400, "a task that does not end");
                this.move(task);
            }
        }
        for (uint256 task = 1; task <= _tasks(); ++task) {
            this.collect(task);
        }
        vm.assertEq(token.balanceOf(address(federation)), 0, "nothing is left behind");
    }

    function move(uint256 task) external {
        TaskPhase phase = federation.phaseOf(task);
        if (phase == TaskPhase.Joining) return _begin(task);
        if (phase == TaskPhase.Settle) return _finalize(task);
        while (phase == TaskPhase.Challenge && round_(task).openDisputes != 0) {
            _closeDispute(task, round_(task).posting);
        }
        try federation.fail(task) {
            return;
        } catch { }
        try federation.replaceLeader(task) {
            return;
        } catch { }
        if (phase == TaskPhase.Answer && block.timestamp >= round_(task).answerEnds) {
            for (uint16 i = 0; i < MEMBERS; ++i) {
                try federation.expire(task, i) { } catch { }
            }
            return;
        }
        advance();
    }

    function collect(uint256 task) external {
        TaskState memory s = state_(task);
        for (uint32 round = 1; round <= s.round; ++round) {
            RoundRecord memory r = federation.recordOf(task, round);
            for (uint256 i = 0; i < s.participants; ++i) {
                if (r.included & ~r.claimed & (1 << i) != 0) _claim(task, round, i);
            }
        }
        if (state_(task).refundable != 0) _withdraw(task);
        for (uint256 i = 0; i < s.participants; ++i) {
            address account = accountAt(task, i);
            if (s.present & (1 << i) == 0) continue;
            vm.prank(account);
            federation.leave(task);
        }
    }

    function _begin(uint256 task) private {
        if (block.timestamp < state_(task).joinEnds) return advance();
        try federation.start(task) { }
        catch {
            federation.cancel(task);
        }
    }

    function _closeDispute(uint256 task, uint32 posting) private {
        vm.prank(court_);
        federation.disputeClosed(task, posting);
    }

    /// @return task one of them, by preference one that is not over
    function _task(uint256 o) private view returns (uint256 task) {
        uint256 n = _tasks();
        for (uint256 i = 0; i < n; ++i) {
            task = 1 + (o % n + i) % n;
            if (!state_(task).over) return task;
        }
    }

    function _any(uint256 o) private view returns (uint256) {
        return 1 + o % _tasks();
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { IAggregatorCommittee } from "./interfaces/IAggregatorCommittee.sol";
import { IParameters } from "./interfaces/IParameters.sol";
import { IRewardTreasury, PostedRoot, Refutation, RewardClaim } from "./interfaces/IRewardTreasury.sol";
import { RewardRoot, RewardRoots } from "./libraries/RewardRoots.sol";
import { RewardState, RewardTree } from "./libraries/RewardTree.sol";
import { TreasuryMultisig } from "./TreasuryMultisig.sol";
import { TreasuryState } from "./TreasuryState.sol";

/// @title RewardTreasury
/// @notice Rewards by root (docs/rewards.md); the other paths are in TreasuryMultisig.
contract RewardTreasury is TreasuryMultisig {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev Two slots.
    struct StoredRoot {
        bytes32 root;
        uint128 signers;
        uint48 epoch;
        uint48 effectiveAt;
        uint32 upTo;
    }

    /// @dev So that a root can be refuted within a transaction's gas, whatever its step.
    uint32 private constant MAX_STEPS = 256;

    /// @dev By cycle; what stands above `_totals.cycles` fell.
    mapping(uint256 cycle => StoredRoot) private _roots;
    mapping(address account => uint256) private _claimed;

    constructor(IERC20 token_, IParameters parameters_, address proofOfTraining_, IAggregatorCommittee committee_)
        TreasuryState(token_, parameters_, proofOfTraining_, committee_)
    { }

    /// @inheritdoc IRewardTreasury
    function postRoot(
        RewardRoot calldata statement,
        RewardState calldata state,
        bytes32[] calldata steps,
        address[] calldata members,
        uint128 signers,
        bytes calldata signatures
    ) external {
        Totals memory t = _totals;
        uint64 effectiveAt = _append(statement, signers, t);
        _cover(statement, state, steps, t);
        _totals = t;
        _COMMITTEE.requireCertificate(RewardRoots.structHash(statement), statement.epoch, members, signers, signatures);
        emit RootPosted(statement.cycle, statement.epoch, statement, state, steps, signers, effectiveAt);
    }

    /// @inheritdoc IRewardTreasury
    function claim(RewardClaim calldata c) external {
        (uint256 cycle, address account) = _whatAndWho(c);
        uint256 paid = _paidWhenEffective(cycle);
        uint256 stateTotal = c.stateTotal;
        {
            bytes32 accountsRoot = RewardTree.climb(c.leaf, c.index, c.proof);
            bytes32 state = RewardTree.stateHash(accountsRoot, c.count, stateTotal);
            _requireRoot(_roots[cycle].root, RewardRoots.rootOf(state, c.stepsHash));
        }
        uint256 total = c.leaf.total;
        uint256 amount = _claimed[account];
        if (total <= amount) revert NothingToClaim(account);
        unchecked {
            amount = total - amount;
        }
        // Not the total of all roots, of which some may yet fall
        paid += amount;
        if (paid > stateTotal) revert RootExhausted(stateTotal, paid);
        _claimed[account] = total;
        _totals.paid = uint104(paid);
        emit RootClaimed(account, uint64(cycle), amount, total);
        // No guard, which costs 500 gas: all is written down before the token is called
        _TOKEN.safeTransfer(account, amount);
    }

    /// @inheritdoc IRewardTreasury
    function refute(Refutation calldata r) external nonReentrant {
        StoredRoot memory wrong = _requireRefutable(r);
        StoredRoot memory parent = _roots[r.cycle - 1];
        bytes32 start = _requireParent(r, parent.root);
        uint32 sequence = parent.upTo + 1 + r.step.toUint32();
        bytes32 expected = _step(r, r.step == 0 ? start : r.steps[r.step - 1], sequence);
        bytes32 actual = r.steps[r.step];
        if (actual == expected) revert StepIsRight(actual);
        emit RootRefuted(r.cycle, msg.sender, _totals.cycles, r.step, expected, actual);
        _fall(uint32(r.cycle - 1), uint104(r.parent.total), parent.upTo);
        _COMMITTEE.slashSigners(wrong.epoch, r.members, wrong.signers, msg.sender);
    }

    /// @inheritdoc IRewardTreasury
    function rootOf(uint64 cycle) external view returns (PostedRoot memory posted) {
        if (cycle > _totals.cycles) return posted;
        StoredRoot storage r = _roots[cycle];
        posted =
            PostedRoot({ root: r.root, upTo: r.upTo, epoch: r.epoch, signers: r.signers, effectiveAt: r.effectiveAt });
    }

    /// @inheritdoc IRewardTreasury
    function claimedOf(address account) external view returns (uint256) {
        return _claimed[account];
    }

    /// @dev Whether the statement stands on the root that is there, and writes it down.
    function _append(RewardRoot calldata s, uint128 signers, Totals memory t) private returns (uint64) {
        if (s.cycle != uint64(t.cycles) + 1) revert WrongCycle(uint64(t.cycles) + 1, s.cycle);
        StoredRoot storage parent = _roots[t.cycles];
        if (s.parent != parent.root) revert WrongParent(parent.root, s.parent);
        // A root never takes effect before one that it stands on, even if the window was made shorter meanwhile
        uint256 effectiveAt = parent.effectiveAt;
        t.waiting = block.timestamp < effectiveAt ? t.waiting + 1 : 1;
        effectiveAt = Math.max(effectiveAt, block.timestamp + _PARAMETERS.fraudSeconds());
        t.cycles += 1;
        _roots[t.cycles] = StoredRoot({
            root: s.root,
            signers: signers,
            epoch: uint256(s.epoch).toUint48(),
            effectiveAt: effectiveAt.toUint48(),
            upTo: s.upTo
        });
        return uint64(effectiveAt);
    }

    /// @dev Whether the steps are over the orders that are there, and moves from what is held for orders to what roots pay.
    function _cover(RewardRoot calldata s, RewardState calldata state, bytes32[] calldata steps, Totals memory t)
        private
    {
        Counters memory c = _counters;
        uint32 most = c.sealedCount - c.coveredUpTo > MAX_STEPS ? c.coveredUpTo + MAX_STEPS : c.sealedCount;
        if (s.upTo <= c.coveredUpTo || s.upTo > most) revert CoverageOutOfBounds(s.upTo, c.coveredUpTo + 1, most);
        if (s.settledOtherwise != c.settledOtherwise) {
            revert WrongSettledOtherwise(c.settledOtherwise, s.settledOtherwise);
        }
        if (s.history != _histories[s.upTo]) revert WrongHistory(_histories[s.upTo], s.history);
        if (steps.length != s.upTo - c.coveredUpTo) revert WrongStepCount(s.upTo - c.coveredUpTo, steps.length);
        bytes32 last = steps[steps.length - 1];
        _requireState(last, state);
        _requireRoot(s.root, RewardRoots.rootOf(last, keccak256(abi.encodePacked(steps))));
        uint256 total = state.total;
        if (total < t.total || total > uint256(t.total) + c.held) {
            revert TotalOutOfBounds(total, t.total, uint256(t.total) + c.held);
        }
        c.held -= uint128(total - t.total);
        c.coveredUpTo = s.upTo;
        t.total = total.toUint104();
        _counters = c;
    }

    /// @dev All roots above `cycle`, after which the total was `total`, and orders up to `upTo` were covered.
    function _fall(uint32 cycle, uint104 total, uint32 upTo) private {
        Totals memory t = _totals;
        _counters.held += t.total - total;
        _counters.coveredUpTo = upTo;
        t.waiting -= uint16(t.cycles - cycle);
        (t.total, t.cycles) = (total, cycle);
        _totals = t;
    }

    /// @dev Looks at the root only if it was not known to have taken effect, and remembers it then.
    /// @return paid what claims were paid until now
    function _paidWhenEffective(uint256 cycle) private returns (uint256 paid) {
        uint256 last;
        uint256 waiting;
        (paid, last, waiting) = (_totals.paid, _totals.cycles, _totals.waiting);
        if (cycle == 0 || cycle > last) revert NoSuchRoot(uint64(cycle));
        if (cycle + waiting <= last) return paid;
        uint64 effectiveAt = _roots[cycle].effectiveAt;
        if (block.timestamp < effectiveAt) revert NotEffective(effectiveAt, uint64(block.timestamp));
        _totals.waiting = uint16(last - cycle);
    }

    /// @dev The claim's first two words, as they lie there: the compiler's checks would cost 260 gas. What is no cycle is
    /// beyond the last; what is no address is in no leaf of a right tree.
    function _whatAndWho(RewardClaim calldata c) private pure returns (uint256 cycle, address account) {
        assembly ("memory-safe") {
            cycle := calldataload(c)
            account := shr(96, shl(96, calldataload(add(c, 32))))
        }
    }

    function _requireRefutable(Refutation calldata r) private view returns (StoredRoot memory wrong) {
        if (r.cycle == 0 || r.cycle > _totals.cycles) revert NoSuchRoot(r.cycle);
        wrong = _roots[r.cycle];
        if (block.timestamp >= wrong.effectiveAt) revert WindowOver(wrong.effectiveAt, uint64(block.timestamp));
        if (r.step >= r.steps.length) revert NoSuchStep(r.steps.length, r.step);
        bytes32 stepsHash = keccak256(abi.encodePacked(r.steps));
        _requireRoot(wrong.root, RewardRoots.rootOf(r.steps[r.steps.length - 1], stepsHash));
        bytes32 members = keccak256(abi.encodePacked(r.members));
        bytes32 expected = _COMMITTEE.membersHashOf(wrong.epoch);
        if (members != expected) revert WrongMembers(expected, members);
    }

    /// @return start hash of the state that the root's first step starts from
    function _requireParent(Refutation calldata r, bytes32 root) private pure returns (bytes32 start) {
        start = RewardTree.stateHash(r.parent);
        if (r.cycle != 1) {
            _requireRoot(root, RewardRoots.rootOf(start, r.parentStepsHash));
        } else {
            _requireState(RewardTree.stateHash(RewardTree.emptyState()), r.parent);
        }
    }

    /// @return hash of the state that the step leads to
    function _step(Refutation calldata r, bytes32 start, uint32 sequence) private view returns (bytes32) {
        _requireState(start, r.previous);
        Deposit storage d = _deposits[r.oid];
        if (d.sequence != sequence) revert WrongSequence(r.oid, sequence, d.sequence);
        // Frozen as it was when the root was posted: a covered order is not settled on another path
        if (d.paid) return start;
        _requirePayouts(r.oid, r.payouts);
        uint256 last = r.payouts.length;
        if (r.credits.length != last + 1) revert WrongCreditCount(last + 1, r.credits.length);
        RewardState memory state = r.previous;
        for (uint256 i = 0; i < last; ++i) {
            state = RewardTree.credit(state, r.payouts[i].account, r.payouts[i].amount, r.credits[i]);
        }
        // slither-disable-next-line weak-prng
        address taxed = r.members[sequence % r.members.length];
        return RewardTree.stateHash(RewardTree.credit(state, taxed, d.tax, r.credits[last]));
    }

    function _requireState(bytes32 expected, RewardState calldata state) private pure {
        bytes32 actual = RewardTree.stateHash(state);
        if (actual != expected) revert WrongState(expected, actual);
    }

    function _requireRoot(bytes32 expected, bytes32 actual) private pure {
        if (actual != expected) revert WrongRoot(expected, actual);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
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
        uint64 effectiveAt = _requireNext(statement, signers);
        _requireSteps(statement, state, steps);
        _move(statement, state.total);
        _COMMITTEE.requireCertificate(RewardRoots.structHash(statement), statement.epoch, members, signers, signatures);
        emit RootPosted(statement.cycle, statement.epoch, statement, state, steps, signers, effectiveAt);
    }

    /// @inheritdoc IRewardTreasury
    function claim(RewardClaim calldata c) external nonReentrant {
        _requireEffective(c.cycle);
        bytes32 accountsRoot = RewardTree.rootOf(c.leaf, c.index, c.count, c.proof);
        bytes32 state = RewardTree.stateHash(RewardState(accountsRoot, c.count, c.stateTotal));
        _requireRoot(_roots[c.cycle].root, RewardRoots.rootOf(state, c.stepsHash));
        (address account, uint256 total) = (c.leaf.account, c.leaf.total);
        uint256 before = _claimed[account];
        if (total <= before) revert NothingToClaim(account);
        uint256 amount = total - before;
        // Not the total of all roots, of which some may yet fall
        uint256 paid = _totals.paid + amount;
        if (paid > c.stateTotal) revert RootExhausted(c.stateTotal, paid);
        _claimed[account] = total;
        _totals.paid = uint112(paid);
        emit RootClaimed(account, c.cycle, amount, total);
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
        _counters.held += _totals.total - uint112(r.parent.total);
        _counters.coveredUpTo = parent.upTo;
        _totals.total = uint112(r.parent.total);
        _totals.cycles = uint32(r.cycle - 1);
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

    /// @dev Whether the statement stands on what is there, and writes it down.
    function _requireNext(RewardRoot calldata s, uint128 signers) private returns (uint64) {
        uint64 last = _totals.cycles;
        if (s.cycle != last + 1) revert WrongCycle(last + 1, s.cycle);
        StoredRoot storage parent = _roots[last];
        if (s.parent != parent.root) revert WrongParent(parent.root, s.parent);
        // A root never takes effect before one that it stands on, even if the window was made shorter meanwhile
        uint256 effectiveAt = block.timestamp + _PARAMETERS.fraudSeconds();
        if (effectiveAt < parent.effectiveAt) effectiveAt = parent.effectiveAt;
        _roots[s.cycle] = StoredRoot({
            root: s.root,
            signers: signers,
            epoch: uint256(s.epoch).toUint48(),
            effectiveAt: effectiveAt.toUint48(),
            upTo: s.upTo
        });
        return uint64(effectiveAt);
    }

    function _requireSteps(RewardRoot calldata s, RewardState calldata state, bytes32[] calldata steps) private view {
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
    }

    /// @dev From what is held for orders to what roots pay.
    function _move(RewardRoot calldata s, uint256 total) private {
        (Totals memory t, Counters memory c) = (_totals, _counters);
        uint256 most = uint256(t.total) + c.held;
        if (total < t.total || total > most) revert TotalOutOfBounds(total, t.total, most);
        c.held -= uint128(total - t.total);
        c.coveredUpTo = s.upTo;
        _counters = c;
        t.total = total.toUint112();
        t.cycles = uint32(s.cycle);
        _totals = t;
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

    function _requireEffective(uint64 cycle) private view {
        if (cycle == 0 || cycle > _totals.cycles) revert NoSuchRoot(cycle);
        uint64 effectiveAt = _roots[cycle].effectiveAt;
        if (block.timestamp < effectiveAt) revert NotEffective(effectiveAt, uint64(block.timestamp));
    }

    function _requireState(bytes32 expected, RewardState calldata state) private pure {
        bytes32 actual = RewardTree.stateHash(state);
        if (actual != expected) revert WrongState(expected, actual);
    }

    function _requireRoot(bytes32 expected, bytes32 actual) private pure {
        if (actual != expected) revert WrongRoot(expected, actual);
    }
}

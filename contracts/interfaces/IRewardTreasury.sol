// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { RewardRoot } from "../libraries/RewardRoots.sol";
import { RewardCredit, RewardLeaf, RewardState } from "../libraries/RewardTree.sol";

/// @dev `amount` wei earned by `account`.
struct Payout {
    address account;
    uint256 amount;
}

/// @dev Where the multisig on one sealed order stands. A proposal lives in one epoch of the committee.
struct Proposal {
    uint64 epoch;
    uint16 confirmations;
}

/// @dev What is held for one sealed order. From `directAt` on anyone may settle it. `sequence` counts the orders that were
/// sealed with payouts, from 1. `paid` says that it was settled by itself; a root settles it when `coveredUpTo` reaches its
/// sequence number. A refund is paid from the start, and has neither hash nor sequence number.
struct Holding {
    bytes32 payoutsHash;
    uint256 amount;
    uint256 tax;
    uint64 sealedAt;
    uint64 directAt;
    address client;
    bool paid;
    uint32 sequence;
}

/// @dev A root that stands: `upTo` is the last order it covers, bit i of `signers` the i-th member of `epoch`. Accounts
/// claim from `effectiveAt` on; until then anyone may refute.
struct PostedRoot {
    bytes32 root;
    uint32 upTo;
    uint64 epoch;
    uint128 signers;
    uint64 effectiveAt;
}

/// @dev An account's leaf in the tree of a cycle: index and proof, what else is in the hash of the cycle's last state, and
/// the hash of its steps.
struct RewardClaim {
    uint64 cycle;
    RewardLeaf leaf;
    uint256 index;
    uint256 count;
    uint256 stateTotal;
    bytes32 stepsHash;
    bytes32[] proof;
}

/// @dev Shows that step `step` (from 0) of a root is wrong. `steps` are all of that root, `parent` and `parentStepsHash`
/// what is in the root before it (the empty state and zero for cycle 1), `previous` the state before the step (`parent`
/// again for step 0), `oid` the step's order with its payouts, `members` those of the root's epoch, and `credits` one
/// witness for each payout, in order, and one for the tax; those of credits that change nothing are not looked at, and
/// neither are they nor the payouts when the order was settled otherwise.
struct Refutation {
    uint64 cycle;
    uint256 step;
    bytes32[] steps;
    RewardState parent;
    bytes32 parentStepsHash;
    RewardState previous;
    uint256 oid;
    Payout[] payouts;
    address[] members;
    RewardCredit[] credits;
}

/// @title Reward distribution: by root (docs/rewards.md), by multisig (paper, section 4.3 and Table 6), or directly
/// @notice An order is settled on exactly one way. By root: the committee signs the totals of all accounts after a number
/// of orders, anyone posts them in one transaction, and until the fraud window is over anyone may refute a step that is
/// not what was sealed. By multisig: every call carries the payouts, which must hash to what `ProofOfTraining.seal`
/// computed. If the committee does neither, anyone settles directly after a delay. Accounts pull.
interface IRewardTreasury {
    event Held(
        uint256 indexed oid,
        address indexed client,
        bytes32 payoutsHash,
        uint256 amount,
        uint256 tax,
        uint64 sealedAt,
        uint64 directAt,
        uint32 sequence
    );
    /// @notice Nobody won; the client is credited with all of it.
    event Refunded(uint256 indexed oid, address indexed client, uint256 amount);
    event RewardProposed(uint256 indexed oid, address indexed proposer, uint64 indexed epoch, bytes32 payoutsHash);
    event RewardConfirmed(uint256 indexed oid, address indexed member, uint256 confirmations, uint256 threshold);
    event RewardExecuted(uint256 indexed oid, address indexed executor, bytes32 payoutsHash);
    event RewardPaidDirectly(uint256 indexed oid, address indexed caller, bytes32 payoutsHash);
    event Credited(uint256 indexed oid, address indexed account, uint256 amount, uint256 balance);
    event RewardsClaimed(address indexed account, uint256 amount);
    /// @notice All that is needed to check the root, or to refute it, but the orders themselves.
    event RootPosted(
        uint64 indexed cycle,
        uint64 indexed epoch,
        RewardRoot statement,
        RewardState state,
        bytes32[] steps,
        uint128 signers,
        uint64 effectiveAt
    );
    /// @notice The roots `cycle` to `last` fell: step `step` of the first is `actual`, and should be `expected`.
    event RootRefuted(
        uint64 indexed cycle, address indexed refuter, uint64 last, uint256 step, bytes32 expected, bytes32 actual
    );
    /// @notice `total` is all that the account has been paid through roots, with this.
    event RootClaimed(address indexed account, uint64 cycle, uint256 amount, uint256 total);

    error OnlyProofOfTraining(address expected, address actual);
    error NotAMember(address account);
    error NothingHeld(uint256 oid);
    error AlreadyHeld(uint256 oid);
    /// @notice The treasury's tokens must cover all it owes and holds.
    error Unfunded(uint256 expected, uint256 actual);
    error AlreadyPaid(uint256 oid);
    error AlreadyProposed(uint256 oid);
    error NotProposed(uint256 oid);
    error AlreadyConfirmed(uint256 oid, address member);
    error PayoutsMismatch(bytes32 expected, bytes32 actual);
    error ThresholdNotReached(uint256 expected, uint256 actual);
    error NotStalled(uint64 expected, uint64 actual);
    error NothingToClaim(address account);
    /// @notice A root that stands covers the order, and pays it.
    error CoveredByRoot(uint256 oid, uint32 sequence, uint32 coveredUpTo);
    /// @notice A root that stands has taken more than its orders' share: refute it.
    error TakenByRoot(uint256 expected, uint256 actual);
    error WrongCycle(uint64 expected, uint64 actual);
    error WrongParent(bytes32 expected, bytes32 actual);
    error WrongHistory(bytes32 expected, bytes32 actual);
    /// @notice Orders were settled otherwise since the root was signed.
    error WrongSettledOtherwise(uint32 expected, uint32 actual);
    /// @notice A root covers at least one order, at most 256, and none that is not sealed.
    error CoverageOutOfBounds(uint32 actual, uint32 minimum, uint32 maximum);
    error WrongStepCount(uint256 expected, uint256 actual);
    /// @notice A state does not hash to what was posted or signed.
    error WrongState(bytes32 expected, bytes32 actual);
    error WrongRoot(bytes32 expected, bytes32 actual);
    /// @notice The sum of all totals cannot shrink, nor grow by more than is held for orders.
    error TotalOutOfBounds(uint256 actual, uint256 minimum, uint256 maximum);
    error NotEffective(uint64 expected, uint64 actual);
    error WindowOver(uint64 expected, uint64 actual);
    error NoSuchRoot(uint64 cycle);
    error NoSuchStep(uint256 count, uint256 step);
    /// @notice The order has another place in the sequence.
    error WrongSequence(uint256 oid, uint32 expected, uint32 actual);
    error WrongCreditCount(uint256 expected, uint256 actual);
    error WrongMembers(bytes32 expected, bytes32 actual);
    /// @notice The step is right, so the root stands.
    error StepIsRight(bytes32 step);
    /// @notice With this, claims would have paid more than the cycle's total: a later root has overtaken it (claim against
    /// that), or it is a wrong one that nobody refuted.
    error RootExhausted(uint256 expected, uint256 actual);

    /// @notice Takes charge of a sealed order's escrow, which was sent before. ProofOfTraining only, once per order. Fixes
    /// when the order can be settled directly: the parameters' stall delay from now. Gives it the next sequence number.
    /// @dev Reverts with OnlyProofOfTraining, AlreadyHeld, Unfunded. Emits Held.
    function hold(uint256 oid, bytes32 payoutsHash, uint256 amount, uint256 tax, address client) external;

    /// @notice Credits a refund at once; no committee is needed. ProofOfTraining only, once per order.
    /// @dev Reverts with OnlyProofOfTraining, AlreadyHeld, Unfunded. Emits Refunded, Credited.
    function refund(uint256 oid, address client, uint256 amount) external;

    /// @notice Proposes a sealed order's payouts and confirms them. Members only; once an epoch: a proposal and its
    /// confirmations end with the epoch they were made in.
    /// @dev Reverts with NothingHeld, AlreadyPaid, CoveredByRoot, PayoutsMismatch, NotAMember, AlreadyProposed. Emits RewardProposed,
    /// RewardConfirmed.
    function propose(uint256 oid, Payout[] calldata payouts) external;

    /// @notice Confirms a proposal. Members other than those who already have, in the proposal's epoch.
    /// @dev Reverts with NothingHeld, AlreadyPaid, CoveredByRoot, NotAMember, NotProposed, AlreadyConfirmed. Emits
    /// RewardConfirmed.
    function confirm(uint256 oid) external;

    /// @notice Credits the payouts, and the tax in equal parts to the members who confirmed (the dust to the first of
    /// them in the committee's order). Members only, with at least the committee's threshold of confirmations in the
    /// present epoch.
    /// @dev Reverts with NothingHeld, AlreadyPaid, CoveredByRoot, PayoutsMismatch, NotAMember, NotProposed,
    /// ThresholdNotReached. Emits RewardExecuted, Credited.
    function execute(uint256 oid, Payout[] calldata payouts) external;

    /// @notice Credits the payouts of an order that the committee has not settled within the stall delay; the tax goes
    /// back to the client. Anyone.
    /// @dev Reverts with NothingHeld, AlreadyPaid, CoveredByRoot, PayoutsMismatch, NotStalled. Emits RewardPaidDirectly,
    /// Credited.
    function payDirect(uint256 oid, Payout[] calldata payouts) external;

    /// @notice Pays out what is credited to `account`. Anyone, to that account only.
    /// @dev Reverts with NothingToClaim. Emits RewardsClaimed.
    function claimRewards(address account) external;

    /// @notice Posts the root of the next cycle. Anyone, with the certificate of the committee's present epoch, on the very
    /// state of the treasury that was signed. What the total grows by moves from what is held for orders to what roots may
    /// pay. It takes effect once the fraud window (the parameters' `fraudSeconds`) is over, and not before the roots
    /// under it.
    /// @param state of all accounts after the last order covered
    /// @param steps hash of the state after each order covered
    /// @param members those of the epoch, in order
    /// @param signers bit i is the i-th member
    /// @param signatures 64 bytes (EIP-2098) for each signer, in the members' order
    /// @dev Reverts with WrongCycle, WrongParent, WrongSettledOtherwise, CoverageOutOfBounds, WrongHistory, WrongStepCount,
    /// WrongState, WrongRoot, TotalOutOfBounds, and as `AggregatorCommittee.requireCertificate`. Emits RootPosted.
    function postRoot(
        RewardRoot calldata statement,
        RewardState calldata state,
        bytes32[] calldata steps,
        address[] calldata members,
        uint128 signers,
        bytes calldata signatures
    ) external;

    /// @notice Pays what an account has earned through roots and not been paid yet. Anyone, to that account only, against
    /// a cycle that has taken effect, best the latest.
    /// @dev Reverts with NoSuchRoot, NotEffective, WrongRoot, NothingToClaim, RootExhausted. Emits RootClaimed.
    function claim(RewardClaim calldata c) external;

    /// @notice Takes down a root with a wrong step, and all roots on top of it. Anyone, within the root's window. What they
    /// had moved is held for orders again, and these can be settled anew on every way. The signers of the wrong root are
    /// slashed, with the reporter's share to the caller.
    /// @dev Reverts with NoSuchRoot, WindowOver, WrongRoot, NoSuchStep, WrongState, WrongMembers, WrongSequence,
    /// PayoutsMismatch, WrongCreditCount, StepIsRight, RewardTree's LeafOutOfRange, WrongDepth, WrongAccountsRoot,
    /// NotTheLowLeaf. Emits RootRefuted, and what `AggregatorCommittee.slashSigners` does.
    function refute(Refutation calldata r) external;

    /// @return what is credited to `account` and not claimed, in wei
    function balanceOf(address account) external view returns (uint256);

    /// @return the sum of all balances, in wei
    function totalOwed() external view returns (uint256);

    /// @return what is held for orders that are not settled yet, nor covered by a root that stands, in wei
    function totalHeld() external view returns (uint256);

    /// @return total all that the standing roots give to accounts, in wei
    /// @return paid how much of it has been claimed
    function rootTotals() external view returns (uint256 total, uint256 paid);

    /// @return the number of roots that stand, which is the latest one's cycle
    function cycles() external view returns (uint64);

    /// @return how many orders were sealed with payouts, which is the latest one's sequence number
    function sealedCount() external view returns (uint32);

    /// @return how many of them were settled by `execute` or `payDirect`
    function settledOtherwise() external view returns (uint32);

    /// @return the sequence number up to which roots that stand cover all orders
    function coveredUpTo() external view returns (uint32);

    /// @return the hash over the first `sequence` orders (docs/rewards.md); zero for 0 and for those to come
    function historyAt(uint32 sequence) external view returns (bytes32);

    /// @return the root of `cycle`; all zero when none stands
    function rootOf(uint64 cycle) external view returns (PostedRoot memory);

    /// @return what `account` has been paid through roots, in wei
    function claimedOf(address account) external view returns (uint256);

    /// @return all zero while the order is not sealed
    function holdingOf(uint256 oid) external view returns (Holding memory);

    /// @return the latest proposal, which may be of a past epoch; all zero when there was none
    function proposalOf(uint256 oid) external view returns (Proposal memory);

    /// @return whether `member` has confirmed the latest proposal, and that is of the present epoch
    function hasConfirmed(uint256 oid, address member) external view returns (bool);

    /// @return the token that rewards are in
    function token() external view returns (address);

    function parameters() external view returns (address);

    function proofOfTraining() external view returns (address);

    function committee() external view returns (address);
}

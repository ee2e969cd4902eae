// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev `amount` wei earned by `account`.
struct Payout {
    address account;
    uint256 amount;
}

/// @dev Where the multisig on one sealed order stands. A proposal lives in one epoch of the committee.
struct Proposal {
    address proposer;
    uint64 epoch;
    uint16 confirmations;
}

/// @dev What is held for one sealed order. From `directAt` on anyone may settle it. A refund is paid from the start, and
/// has no hash.
struct Holding {
    bytes32 payoutsHash;
    uint256 amount;
    uint256 tax;
    uint64 sealedAt;
    uint64 directAt;
    address client;
    bool paid;
}

/// @title Multisig reward distribution (paper, section 4.3 and Table 6), made safe
/// @notice The committee can pay nothing but what `ProofOfTraining.seal` computed: every call carries the payouts and
/// they must hash to the sealed hash. If the committee stalls, anyone settles directly after a delay. Accounts pull.
interface IRewardTreasury {
    event Held(
        uint256 indexed oid,
        address indexed client,
        bytes32 payoutsHash,
        uint256 amount,
        uint256 tax,
        uint64 sealedAt,
        uint64 directAt
    );
    /// @notice Nobody won; the client is credited with all of it.
    event Refunded(uint256 indexed oid, address indexed client, uint256 amount);
    event RewardProposed(uint256 indexed oid, address indexed proposer, uint64 indexed epoch, bytes32 payoutsHash);
    event RewardConfirmed(uint256 indexed oid, address indexed member, uint256 confirmations, uint256 threshold);
    event RewardExecuted(uint256 indexed oid, address indexed executor, bytes32 payoutsHash);
    event RewardPaidDirectly(uint256 indexed oid, address indexed caller, bytes32 payoutsHash);
    event Credited(uint256 indexed oid, address indexed account, uint256 amount, uint256 balance);
    event RewardsClaimed(address indexed account, uint256 amount);

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

    /// @notice Takes charge of a sealed order's escrow, which was sent before. ProofOfTraining only, once per order. Fixes
    /// when the order can be settled directly: the parameters' stall delay from now.
    /// @dev Reverts with OnlyProofOfTraining, AlreadyHeld, Unfunded. Emits Held.
    function hold(uint256 oid, bytes32 payoutsHash, uint256 amount, uint256 tax, address client) external;

    /// @notice Credits a refund at once; no committee is needed. ProofOfTraining only, once per order.
    /// @dev Reverts with OnlyProofOfTraining, AlreadyHeld, Unfunded. Emits Refunded, Credited.
    function refund(uint256 oid, address client, uint256 amount) external;

    /// @notice Proposes a sealed order's payouts and confirms them. Members only; once an epoch: a proposal and its
    /// confirmations end with the epoch they were made in.
    /// @dev Reverts with NothingHeld, AlreadyPaid, PayoutsMismatch, NotAMember, AlreadyProposed. Emits RewardProposed,
    /// RewardConfirmed.
    function propose(uint256 oid, Payout[] calldata payouts) external;

    /// @notice Confirms a proposal. Members other than those who already have, in the proposal's epoch.
    /// @dev Reverts with NothingHeld, AlreadyPaid, NotAMember, NotProposed, AlreadyConfirmed. Emits RewardConfirmed.
    function confirm(uint256 oid) external;

    /// @notice Credits the payouts, and the tax in equal parts to the members who confirmed (the dust to the first of
    /// them in the committee's order). Members only, with at least the committee's threshold of confirmations in the
    /// present epoch.
    /// @dev Reverts with NothingHeld, AlreadyPaid, PayoutsMismatch, NotAMember, NotProposed, ThresholdNotReached. Emits
    /// RewardExecuted, Credited.
    function execute(uint256 oid, Payout[] calldata payouts) external;

    /// @notice Credits the payouts of an order that the committee has not settled within the stall delay; the tax goes
    /// back to the client. Anyone.
    /// @dev Reverts with NothingHeld, AlreadyPaid, PayoutsMismatch, NotStalled. Emits RewardPaidDirectly, Credited.
    function payDirect(uint256 oid, Payout[] calldata payouts) external;

    /// @notice Pays out what is credited to `account`. Anyone, to that account only.
    /// @dev Reverts with NothingToClaim. Emits RewardsClaimed.
    function claimRewards(address account) external;

    /// @return what is credited to `account` and not claimed, in wei
    function balanceOf(address account) external view returns (uint256);

    /// @return the sum of all balances, in wei
    function totalOwed() external view returns (uint256);

    /// @return what is held for orders that are not settled yet, in wei
    function totalHeld() external view returns (uint256);

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

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev A bond belongs to one account in one role.
enum Role {
    None,
    Provider,
    Validator,
    Verifier,
    Aggregator,
    Participant
}

/// @dev Bond of one account in one role, in wei. `locked <= bonded`; exits leave `bonded` at once but stay slashable
/// until they are withdrawn.
struct Bond {
    uint256 bonded;
    uint256 locked;
    uint256 exiting;
    uint64 exitAt;
}

/// @title Stakes of all participants
/// @notice Holds the bonds, locks them for the modules fixed at deployment, and slashes: a part goes to whoever
/// exposed the fault, the rest is burned, so slashing yourself never pays. The modules are ProofOfTraining,
/// AggregatorCommittee, DisputeCourt, AvailabilityCourt, FederatedTraining and FederatedCourt; each frees and slashes only what it locked, which is the modules' own duty.
interface IStakeVault {
    event Bonded(address indexed account, Role indexed role, uint256 amount, uint256 bonded);
    /// @notice `amount` left the bond for the exit queue, which now holds `exiting`, all withdrawable at `exitAt`.
    event ExitRequested(address indexed account, Role indexed role, uint256 amount, uint256 exiting, uint64 exitAt);
    event ExitCancelled(address indexed account, Role indexed role, uint256 amount, uint256 bonded);
    event Withdrawn(address indexed account, Role indexed role, uint256 amount);
    /// @notice `locked` is the account's total lock afterwards, as in Unlocked; `ref` says what for: the order's id as a
    /// number, or the module's own word.
    event Locked(address indexed account, Role indexed role, bytes32 indexed ref, uint256 amount, uint256 locked);
    event Unlocked(address indexed account, Role indexed role, bytes32 indexed ref, uint256 amount, uint256 locked);
    /// @notice `amount` left the account's stake: `paid` to `beneficiary`, `burned` destroyed. From a lock when
    /// `fromLock`, else from the free bond and then the exit queue.
    event Slashed(
        address indexed account,
        Role indexed role,
        bytes32 indexed ref,
        uint256 amount,
        address beneficiary,
        uint256 paid,
        uint256 burned,
        bool fromLock
    );

    error RoleRequired();
    error AmountRequired();
    error InsufficientFreeBond(address account, Role role, uint256 expected, uint256 actual);
    error InsufficientLockedBond(address account, Role role, uint256 expected, uint256 actual);
    error NothingExiting(address account, Role role);
    error StillExiting(uint64 expected, uint64 actual);
    error NotAModule(address actual);
    error ShareAboveOne(uint256 expected, uint256 actual);

    /// @notice Adds `amount` wei of the token to the caller's bond in `role`. Anyone; needs an allowance.
    /// @dev Reverts with RoleRequired, AmountRequired, the token's errors. Emits Bonded.
    function bond(Role role, uint256 amount) external;

    /// @notice Like `bond`, with an EIP-2612 permit instead of an allowance. A permit that someone else has already
    /// submitted does no harm: the allowance decides.
    function bondWithPermit(Role role, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Moves `amount` of the caller's free (not locked) bond to the exit queue; all that the caller has in the
    /// queue can be withdrawn `exitDelay` after the latest request.
    /// @dev Reverts with RoleRequired, AmountRequired, InsufficientFreeBond. Emits ExitRequested.
    function requestExit(Role role, uint256 amount) external;

    /// @notice Takes everything in the caller's exit queue back into the bond.
    /// @dev Reverts with NothingExiting. Emits ExitCancelled.
    function cancelExit(Role role) external;

    /// @notice Pays out the caller's exit queue once its delay is over.
    /// @dev Reverts with NothingExiting, StillExiting. Emits Withdrawn.
    function withdraw(Role role) external;

    /// @notice Locks part of a free bond. Modules only. `ref` says what for.
    /// @dev Reverts with NotAModule, InsufficientFreeBond. Emits Locked.
    function lock(address account, Role role, uint256 amount, bytes32 ref) external;

    /// @notice Frees part of a locked bond. Modules only.
    /// @dev Reverts with NotAModule, InsufficientLockedBond. Emits Unlocked.
    function unlock(address account, Role role, uint256 amount, bytes32 ref) external;

    /// @notice Takes `amount` of a locked bond: `sharePpm` of it (rounded down) to `beneficiary`, the rest burned. All is
    /// burned when there is no beneficiary. Modules only.
    /// @dev Reverts with NotAModule, ShareAboveOne, InsufficientLockedBond. Emits Slashed.
    function slashLocked(address account, Role role, uint256 amount, address beneficiary, uint256 sharePpm, bytes32 ref)
        external;

    /// @notice Takes up to `amount` of what is not locked: free bond first, then the exit queue. Modules only.
    /// @dev Reverts with NotAModule, ShareAboveOne. Emits Slashed unless there was nothing to take.
    /// @return taken how much there was to take
    function slashFree(address account, Role role, uint256 amount, address beneficiary, uint256 sharePpm, bytes32 ref)
        external
        returns (uint256 taken);

    /// @return the bond of `account` in `role`
    function bondOf(address account, Role role) external view returns (Bond memory);

    /// @return whether the bond reaches the role's minimum (locked counts, the exit queue does not)
    function isActive(address account, Role role) external view returns (bool);

    /// @return the token that bonds are in
    function token() external view returns (address);

    function parameters() external view returns (address);

    function proofOfTraining() external view returns (address);

    function committee() external view returns (address);

    /// @return the court that decides disputes
    function court() external view returns (address);

    /// @return the court that decides whether data can be had
    function availability() external view returns (address);

    /// @return the contract of federated tasks
    function federation() external view returns (address);

    /// @return the court that decides about their results
    function federatedCourt() external view returns (address);
}

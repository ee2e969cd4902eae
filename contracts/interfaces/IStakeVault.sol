// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev A bond belongs to one account in one role.
enum Role {
    None,
    Provider,
    Validator,
    Verifier,
    Aggregator
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
/// exposed the fault, the rest is burned, so slashing yourself never pays.
interface IStakeVault {
    event Bonded(address indexed account, Role indexed role, uint256 amount, uint256 bonded);
    event ExitRequested(address indexed account, Role indexed role, uint256 amount, uint256 exiting, uint64 exitAt);
    event ExitCancelled(address indexed account, Role indexed role, uint256 amount, uint256 bonded);
    event Withdrawn(address indexed account, Role indexed role, uint256 amount);
    event Locked(address indexed account, Role indexed role, bytes32 indexed ref, uint256 amount, uint256 locked);
    event Unlocked(address indexed account, Role indexed role, bytes32 indexed ref, uint256 amount, uint256 locked);
    /// @notice `amount` left the account's stake: `paid` to `beneficiary`, `burned` destroyed.
    event Slashed(
        address indexed account,
        Role indexed role,
        bytes32 indexed ref,
        uint256 amount,
        address beneficiary,
        uint256 paid,
        uint256 burned
    );

    error RoleRequired();
    error AmountRequired();
    error InsufficientFreeBond(address account, Role role, uint256 expected, uint256 actual);
    error InsufficientLockedBond(address account, Role role, uint256 expected, uint256 actual);
    error NothingExiting(address account, Role role);
    error StillExiting(uint64 expected, uint64 actual);
    error NotAModule(address actual);
    error ShareAboveOne(uint256 expected, uint256 actual);

    /// @notice Adds `amount` wei of the token to the caller's bond in `role`. Needs an allowance.
    function bond(Role role, uint256 amount) external;

    /// @notice Like `bond`, with an EIP-2612 permit instead of an allowance.
    function bondWithPermit(Role role, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Moves `amount` of the caller's free (not locked) bond to the exit queue; all that the caller has in the
    /// queue can be withdrawn `exitDelay` after the latest request.
    function requestExit(Role role, uint256 amount) external;

    /// @notice Takes everything in the caller's exit queue back into the bond.
    function cancelExit(Role role) external;

    /// @notice Pays out the caller's exit queue once its delay is over.
    function withdraw(Role role) external;

    /// @notice Locks part of a free bond. Modules only. `ref` says what for.
    function lock(address account, Role role, uint256 amount, bytes32 ref) external;

    /// @notice Frees part of a locked bond. Modules only.
    function unlock(address account, Role role, uint256 amount, bytes32 ref) external;

    /// @notice Takes `amount` of a locked bond: `sharePpm` of it to `beneficiary`, the rest burned. Modules only.
    function slashLocked(
        address account,
        Role role,
        uint256 amount,
        address beneficiary,
        uint256 sharePpm,
        bytes32 ref
    ) external;

    /// @notice Takes up to `amount` of what is not locked: free bond first, then the exit queue. Modules only.
    /// @return taken how much there was to take
    function slashFree(
        address account,
        Role role,
        uint256 amount,
        address beneficiary,
        uint256 sharePpm,
        bytes32 ref
    ) external returns (uint256 taken);

    function bondOf(address account, Role role) external view returns (Bond memory);

    /// @return whether the bond reaches the role's minimum (the exit queue does not count)
    function isActive(address account, Role role) external view returns (bool);
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ERC20Burnable } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IParameters } from "./interfaces/IParameters.sol";
import { Bond, IStakeVault, Role } from "./interfaces/IStakeVault.sol";

/// @title StakeVault
contract StakeVault is IStakeVault, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev `Bond`, packed: locking touches one slot.
    struct Account {
        uint128 bonded;
        uint128 locked;
        uint128 exiting;
        uint64 exitAt;
    }

    uint256 private constant PPM = 1_000_000;

    ERC20Burnable private immutable _TOKEN;
    IParameters private immutable _PARAMETERS;
    address private immutable _PROOF;
    address private immutable _COMMITTEE;
    address private immutable _COURT;
    address private immutable _AVAILABILITY;
    address private immutable _FEDERATION;
    address private immutable _FEDERATED_COURT;

    mapping(address account => mapping(Role role => Account)) private _accounts;

    modifier onlyModule() {
        if (!_isModule(msg.sender)) revert NotAModule(msg.sender);
        _;
    }

    constructor(
        ERC20Burnable token_,
        IParameters parameters_,
        address proofOfTraining_,
        address committee_,
        address court_,
        address availability_,
        address federation_,
        address federatedCourt_
    ) {
        _TOKEN = token_;
        _PARAMETERS = parameters_;
        _PROOF = proofOfTraining_;
        _COMMITTEE = committee_;
        _COURT = court_;
        _AVAILABILITY = availability_;
        _FEDERATION = federation_;
        _FEDERATED_COURT = federatedCourt_;
    }

    /// @inheritdoc IStakeVault
    function bond(Role role, uint256 amount) external nonReentrant {
        _bond(role, amount);
    }

    /// @inheritdoc IStakeVault
    function bondWithPermit(Role role, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        nonReentrant
    {
        // Whoever sees the permit in the mempool can submit it first; then this call fails and the allowance stands.
        // slither-disable-next-line reentrancy-benign
        try IERC20Permit(address(_TOKEN)).permit(msg.sender, address(this), amount, deadline, v, r, s) { } catch { }
        _bond(role, amount);
    }

    /// @inheritdoc IStakeVault
    function requestExit(Role role, uint256 amount) external {
        _require(role, amount);
        Account storage a = _accounts[msg.sender][role];
        uint256 free = uint256(a.bonded) - a.locked;
        if (amount > free) revert InsufficientFreeBond(msg.sender, role, amount, free);
        uint64 exitAt = (block.timestamp + _PARAMETERS.current().exitDelay).toUint64();
        a.bonded -= amount.toUint128();
        a.exiting += amount.toUint128();
        a.exitAt = exitAt;
        emit ExitRequested(msg.sender, role, amount, a.exiting, exitAt);
    }

    /// @inheritdoc IStakeVault
    function cancelExit(Role role) external {
        Account storage a = _accounts[msg.sender][role];
        uint128 amount = a.exiting;
        if (amount == 0) revert NothingExiting(msg.sender, role);
        a.exiting = 0;
        a.exitAt = 0;
        a.bonded += amount;
        emit ExitCancelled(msg.sender, role, amount, a.bonded);
    }

    /// @inheritdoc IStakeVault
    function withdraw(Role role) external nonReentrant {
        Account storage a = _accounts[msg.sender][role];
        uint256 amount = a.exiting;
        if (amount == 0) revert NothingExiting(msg.sender, role);
        if (block.timestamp < a.exitAt) revert StillExiting(a.exitAt, uint64(block.timestamp));
        a.exiting = 0;
        a.exitAt = 0;
        emit Withdrawn(msg.sender, role, amount);
        IERC20(_TOKEN).safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IStakeVault
    function lock(address account, Role role, uint256 amount, bytes32 ref) external onlyModule {
        Account storage a = _accounts[account][role];
        uint256 free = uint256(a.bonded) - a.locked;
        if (amount > free) revert InsufficientFreeBond(account, role, amount, free);
        a.locked += amount.toUint128();
        emit Locked(account, role, ref, amount, a.locked);
    }

    /// @inheritdoc IStakeVault
    function unlock(address account, Role role, uint256 amount, bytes32 ref) external onlyModule {
        Account storage a = _accounts[account][role];
        if (amount > a.locked) revert InsufficientLockedBond(account, role, amount, a.locked);
        a.locked -= amount.toUint128();
        emit Unlocked(account, role, ref, amount, a.locked);
    }

    /// @inheritdoc IStakeVault
    function slashLocked(address account, Role role, uint256 amount, address beneficiary, uint256 sharePpm, bytes32 ref)
        external
        onlyModule
        nonReentrant
    {
        Account storage a = _accounts[account][role];
        if (amount > a.locked) revert InsufficientLockedBond(account, role, amount, a.locked);
        a.locked -= amount.toUint128();
        a.bonded -= amount.toUint128();
        uint256 paid = _share(amount, beneficiary, sharePpm);
        emit Slashed(account, role, ref, amount, beneficiary, paid, amount - paid, true);
        _disburse(beneficiary, paid, amount - paid);
    }

    /// @inheritdoc IStakeVault
    function slashFree(address account, Role role, uint256 amount, address beneficiary, uint256 sharePpm, bytes32 ref)
        external
        onlyModule
        nonReentrant
        returns (uint256 taken)
    {
        Account storage a = _accounts[account][role];
        uint256 fromBond = Math.min(amount, uint256(a.bonded) - a.locked);
        uint256 fromQueue = Math.min(amount - fromBond, a.exiting);
        taken = fromBond + fromQueue;
        uint256 paid = _share(taken, beneficiary, sharePpm);
        if (taken == 0) return 0;
        a.bonded -= fromBond.toUint128();
        a.exiting -= fromQueue.toUint128();
        emit Slashed(account, role, ref, taken, beneficiary, paid, taken - paid, false);
        _disburse(beneficiary, paid, taken - paid);
    }

    /// @inheritdoc IStakeVault
    function bondOf(address account, Role role) external view returns (Bond memory) {
        Account storage a = _accounts[account][role];
        return Bond({ bonded: a.bonded, locked: a.locked, exiting: a.exiting, exitAt: a.exitAt });
    }

    /// @inheritdoc IStakeVault
    function isActive(address account, Role role) external view returns (bool) {
        return _accounts[account][role].bonded >= _PARAMETERS.minimumBond(role);
    }

    /// @inheritdoc IStakeVault
    function token() external view returns (address) {
        return address(_TOKEN);
    }

    /// @inheritdoc IStakeVault
    function parameters() external view returns (address) {
        return address(_PARAMETERS);
    }

    /// @inheritdoc IStakeVault
    function proofOfTraining() external view returns (address) {
        return _PROOF;
    }

    /// @inheritdoc IStakeVault
    function committee() external view returns (address) {
        return _COMMITTEE;
    }

    /// @inheritdoc IStakeVault
    function court() external view returns (address) {
        return _COURT;
    }

    /// @inheritdoc IStakeVault
    function availability() external view returns (address) {
        return _AVAILABILITY;
    }

    /// @inheritdoc IStakeVault
    function federation() external view returns (address) {
        return _FEDERATION;
    }

    /// @inheritdoc IStakeVault
    function federatedCourt() external view returns (address) {
        return _FEDERATED_COURT;
    }

    function _bond(Role role, uint256 amount) private {
        _require(role, amount);
        Account storage a = _accounts[msg.sender][role];
        a.bonded += amount.toUint128();
        emit Bonded(msg.sender, role, amount, a.bonded);
        IERC20(_TOKEN).safeTransferFrom(msg.sender, address(this), amount);
    }

    function _disburse(address beneficiary, uint256 paid, uint256 burned) private {
        if (burned != 0) _TOKEN.burn(burned);
        if (paid != 0) IERC20(_TOKEN).safeTransfer(beneficiary, paid);
    }

    function _isModule(address account) private view returns (bool) {
        return account == _PROOF || account == _COMMITTEE || account == _COURT || account == _AVAILABILITY
            || account == _FEDERATION || account == _FEDERATED_COURT;
    }

    function _share(uint256 amount, address beneficiary, uint256 sharePpm) private pure returns (uint256) {
        if (sharePpm > PPM) revert ShareAboveOne(PPM, sharePpm);
        return beneficiary == address(0) ? 0 : Math.mulDiv(amount, sharePpm, PPM);
    }

    function _require(Role role, uint256 amount) private pure {
        if (role == Role.None) revert RoleRequired();
        if (amount == 0) revert AmountRequired();
    }
}

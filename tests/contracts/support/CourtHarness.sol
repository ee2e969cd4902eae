// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IProofOfTraining } from "../../../contracts/interfaces/IProofOfTraining.sol";
import { IStakeVault, Role } from "../../../contracts/interfaces/IStakeVault.sol";

/// @dev Stands where a court does: it says what it is told to say.
contract CourtHarness {
    IProofOfTraining public immutable proof;
    IStakeVault public immutable vault;

    constructor(IProofOfTraining proof_, IStakeVault vault_) {
        proof = proof_;
        vault = vault_;
    }

    function open(uint256 oid) external {
        proof.disputeOpened(oid);
    }

    function close(uint256 oid, uint64 challengeUntil) external {
        proof.disputeClosed(oid, challengeUntil);
    }

    function remove(uint256 oid, address validator, uint16 modelIndex, address challenger) external {
        proof.replaceValidation(oid, validator, modelIndex, challenger, type(int64).min);
    }

    function voidModel(uint256 oid, uint16 modelIndex, address reporter) external {
        proof.voidModel(oid, modelIndex, reporter);
    }

    function voidTest(uint256 oid, address reporter) external {
        proof.voidTest(oid, reporter);
    }

    function lock(address account, Role role, uint256 amount) external {
        vault.lock(account, role, amount, "court");
    }

    function unlock(address account, Role role, uint256 amount) external {
        vault.unlock(account, role, amount, "court");
    }

    function slashLocked(address account, Role role, uint256 amount, address to, uint256 share) external {
        vault.slashLocked(account, role, amount, to, share, "court");
    }

    function slashFree(address account, Role role, uint256 amount, address to, uint256 share)
        external
        returns (uint256)
    {
        return vault.slashFree(account, role, amount, to, share, "court");
    }
}

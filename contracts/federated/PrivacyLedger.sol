// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { PrivacyTerms } from "../interfaces/FederatedTypes.sol";

/// @title Whether a participant may release once more (docs/privacy.md)
/// @notice Twin of `offchain/federated/privacy/budget.py`. Every release of a task costs the same at each RDP order, so
/// their number is all that has to be kept.
library PrivacyLedger {
    /// @return whether at some order the cost of one release more stays within the limit; always, without orders
    function admits(PrivacyTerms storage terms, uint256 releases) internal view returns (bool) {
        uint256 orders = terms.orders.length;
        for (uint256 k = 0; k < orders; ++k) {
            if ((releases + 1) * terms.costs[k] <= terms.limits[k]) return true;
        }
        // slither-disable-next-line incorrect-equality
        return orders == 0;
    }
}

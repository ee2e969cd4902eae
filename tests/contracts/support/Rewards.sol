// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Payout, Refutation, RewardClaim } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { RewardRoot } from "../../../contracts/libraries/RewardRoots.sol";
import { RewardCredit, RewardState } from "../../../contracts/libraries/RewardTree.sol";
import { RewardTrees, Tree } from "./RewardTrees.sol";
import { vm } from "./Vm.sol";
import { World } from "./World.sol";

/// @dev A root as it was posted, with what it takes to compute it again.
struct Draft {
    RewardRoot statement;
    RewardState state;
    bytes32[] steps;
    address[] members;
    uint128 signers;
}

/// @dev Aggregators with keys, orders that the treasury holds, and roots over them: honest ones, which follow from the
/// orders, and whatever a test makes of them before it is signed.
abstract contract Rewards is World {
    using RewardTrees for Tree;

    uint256 internal constant TAX = 50 * UNIT;
    uint256 internal constant ROOM = 80;
    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant STATEMENT = keccak256(
        "RewardRoot(uint64 cycle,uint64 epoch,uint64 attempt,uint32 upTo,uint32 settledOtherwise,bytes32 parent,bytes32 history,bytes32 root)"
    );

    struct SealedOrder {
        uint256 oid;
        uint256 tax;
        Payout[] payouts;
    }

    /// @dev By sequence number, from 1.
    mapping(uint256 sequence => SealedOrder) internal orders;
    uint32 internal orderCount;
    /// @dev Roots that stand, by cycle from 1; `posted` counts them.
    mapping(uint256 cycle => Draft) internal roots;
    uint64 internal posted;
    uint64 internal attempts;
    mapping(address member => uint256) private _keys;

    // Aggregators

    function keyOf(uint256 index) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("key", index)));
    }

    function member(uint256 index) internal pure returns (address) {
        return vm.addr(keyOf(index));
    }

    /// @dev `n` aggregators with keys who sit from now on, in their order.
    function seatedWithKeys(uint256 n) internal {
        for (uint256 i = 0; i < n; ++i) {
            _standWithKey(i, 1_000 * UNIT);
        }
        committee.advanceEpoch();
    }

    function _standWithKey(uint256 index, uint256 stake) internal {
        address account = member(index);
        _keys[account] = keyOf(index);
        enrol(account, Role.Aggregator, BOND);
        vm.prank(account);
        committee.join(stake);
    }

    // Orders

    function pay(address a, uint256 x) internal pure returns (Payout[] memory list) {
        list = new Payout[](1);
        list[0] = Payout(a, x);
    }

    function pay(address a, uint256 x, address b, uint256 y) internal pure returns (Payout[] memory list) {
        list = new Payout[](2);
        list[0] = Payout(a, x);
        list[1] = Payout(b, y);
    }

    /// @dev An order that was sealed with these payouts, as ProofOfTraining hands it over; its id is not its number.
    function holdOrder(Payout[] memory payouts, uint256 tax) internal returns (uint256 oid) {
        SealedOrder storage order = orders[++orderCount];
        oid = 1000 + 7 * uint256(orderCount);
        (order.oid, order.tax) = (oid, tax);
        uint256 amount = tax;
        for (uint256 i = 0; i < payouts.length; ++i) {
            order.payouts.push(payouts[i]);
            amount += payouts[i].amount;
        }
        token.transfer(address(treasury), amount);
        bytes32 hash = keccak256(abi.encode(oid, payouts, tax));
        vm.prank(address(proof));
        treasury.hold(oid, hash, amount, tax, client);
    }

    function holdOrder() internal returns (uint256) {
        return holdOrder(pay(provider(0), 700 * UNIT, validator(0), 250 * UNIT), TAX);
    }

    // Roots

    /// @dev The right root over all orders up to `upTo`, to be signed by the least quorum.
    function draft(uint32 upTo) internal returns (Draft memory d) {
        Tree memory tree = treeAfter(posted);
        uint32 first = treasury.coveredUpTo() + 1;
        d.members = committee.members();
        d.steps = new bytes32[](upTo + 1 - first);
        for (uint32 q = first; q <= upTo; ++q) {
            takeStep(tree, q, d.members);
            d.steps[q - first] = tree.stateHash();
        }
        d.state = tree.state();
        d.signers = uint128((1 << committee.threshold()) - 1);
        d.statement = RewardRoot({
            cycle: posted + 1,
            epoch: committee.epoch(),
            attempt: ++attempts,
            upTo: upTo,
            settledOtherwise: treasury.settledOtherwise(),
            parent: treasury.rootOf(posted).root,
            history: treasury.historyAt(upTo),
            root: 0
        });
        close(d);
    }

    function draft() internal returns (Draft memory) {
        return draft(orderCount);
    }

    /// @dev Puts into the statement what the steps lead to.
    function close(Draft memory d) internal pure {
        bytes32 last = d.steps[d.steps.length - 1];
        d.statement.root = keccak256(abi.encode(last, keccak256(abi.encodePacked(d.steps))));
    }

    /// @dev Makes the last state another one.
    function falsify(Draft memory d, RewardState memory state) internal pure {
        d.state = state;
        d.steps[d.steps.length - 1] = keccak256(abi.encode(state.accountsRoot, state.count, state.total));
        close(d);
    }

    /// @dev A root whose last step gives all that was earned since, and nothing less, to `thief`.
    function stolen(address thief) internal returns (Draft memory d) {
        d = draft();
        Tree memory tree = treeAfter(posted);
        tree.credit(thief, d.state.total - tree.total);
        falsify(d, tree.state());
    }

    function post(Draft memory d) internal {
        bytes memory signatures = sign(d);
        _post(d, signatures);
        _record(d);
    }

    function _post(Draft memory d, bytes memory signatures) internal {
        treasury.postRoot(d.statement, d.state, d.steps, d.members, d.signers, signatures);
    }

    function _record(Draft memory d) internal {
        Draft storage kept = roots[++posted];
        (kept.statement, kept.state, kept.signers) = (d.statement, d.state, d.signers);
        (kept.steps, kept.members) = (d.steps, d.members);
    }

    function sign(Draft memory d) internal view returns (bytes memory signatures) {
        bytes32 digest = digestOf(d.statement);
        for (uint256 i = 0; i < d.members.length; ++i) {
            if ((d.signers >> i) & 1 == 1) signatures = bytes.concat(signatures, signBy(d.members[i], digest));
        }
    }

    function signBy(address account, bytes32 digest) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_keys[account], digest);
        return abi.encodePacked(r, bytes32(uint256(s) | (uint256(v) - 27) << 255));
    }

    function structHashOf(RewardRoot memory s) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(STATEMENT, s.cycle, s.epoch, s.attempt, s.upTo, s.settledOtherwise, s.parent, s.history, s.root)
        );
    }

    function digestOf(RewardRoot memory s) internal view returns (bytes32) {
        bytes32 domain =
            keccak256(abi.encode(DOMAIN, keccak256("Assay"), keccak256("1"), block.chainid, address(committee)));
        return keccak256(abi.encodePacked(hex"1901", domain, structHashOf(s)));
    }

    // The tree

    /// @dev After the roots 1 to `cycle`, if they were right.
    function treeAfter(uint256 cycle) internal view returns (Tree memory tree) {
        tree = RewardTrees.create(ROOM);
        uint32 q = 1;
        for (uint256 c = 1; c <= cycle; ++c) {
            for (; q <= roots[c].statement.upTo; ++q) {
                takeStep(tree, q, roots[c].members);
            }
        }
    }

    function takeStep(Tree memory tree, uint32 sequence, address[] memory members)
        internal
        view
        returns (RewardCredit[] memory witnesses)
    {
        SealedOrder storage order = orders[sequence];
        if (treasury.holdingOf(order.oid).paid) return witnesses;
        witnesses = new RewardCredit[](order.payouts.length + 1);
        for (uint256 i = 0; i < order.payouts.length; ++i) {
            witnesses[i] = tree.credit(order.payouts[i].account, order.payouts[i].amount);
        }
        witnesses[order.payouts.length] = tree.credit(members[sequence % members.length], order.tax);
    }

    // Claims and refutations

    function claimOf(uint64 cycle, address account) internal view returns (RewardClaim memory) {
        return claimFrom(treeAfter(cycle), cycle, account);
    }

    function claimFrom(Tree memory tree, uint64 cycle, address account) internal view returns (RewardClaim memory) {
        uint256 index = tree.lowOf(account);
        return RewardClaim({
            cycle: cycle,
            leaf: tree.leaves[index],
            index: index,
            count: tree.count,
            stateTotal: tree.total,
            stepsHash: keccak256(abi.encodePacked(roots[cycle].steps)),
            proof: tree.prove(index)
        });
    }

    /// @dev What refutes that step, if it is wrong; all before it must be right.
    function refutation(uint64 cycle, uint256 step) internal view returns (Refutation memory r) {
        Draft storage root = roots[cycle];
        Tree memory tree = treeAfter(cycle - 1);
        r.cycle = cycle;
        r.step = step;
        (r.steps, r.members) = (root.steps, root.members);
        r.parent = tree.state();
        if (cycle > 1) r.parentStepsHash = keccak256(abi.encodePacked(roots[cycle - 1].steps));
        uint32 sequence = root.statement.upTo + 1 - uint32(root.steps.length);
        for (uint256 i = 0; i < step; ++i) {
            takeStep(tree, sequence++, root.members);
        }
        r.previous = tree.state();
        (r.oid, r.payouts) = (orders[sequence].oid, orders[sequence].payouts);
        r.credits = takeStep(tree, sequence, root.members);
    }

    function refute(uint64 cycle, uint256 step) internal {
        treasury.refute(refutation(cycle, step));
        posted = cycle - 1;
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { RewardCredit, RewardLeaf, RewardState, RewardTree } from "../../../contracts/libraries/RewardTree.sol";
import { RewardTreeHarness } from "../support/RewardTreeHarness.sol";
import { RewardTrees, Tree } from "../support/RewardTrees.sol";
import { draw, vm } from "../support/Vm.sol";

/// @dev The contracts' step against a model that knows nothing of trees: totals by account. And what a refuter may try.
contract RewardTreeTest {
    using RewardTrees for Tree;

    uint256 private constant CREDITS = 24;

    RewardTreeHarness private rules;
    mapping(address account => uint256) private _earned;
    address[] private _known;

    function setUp() public {
        rules = new RewardTreeHarness();
    }

    function testFuzz_credits_lead_to_the_tree_of_all_totals(uint256 seed) public {
        Tree memory tree = RewardTrees.create(CREDITS + 1);
        RewardState memory state = rules.emptyState();
        vm.assertEq(rules.stateHash(state), tree.stateHash(), "empty");
        uint256 sum = 0;
        for (uint256 i = 0; i < CREDITS; ++i) {
            (address account, uint256 amount) = _drawn(seed, i);
            state = rules.credit(state, account, amount, tree.credit(account, amount));
            vm.assertEq(rules.stateHash(state), tree.stateHash(), "step");
            if (account == address(0)) continue;
            sum += amount;
            if (amount != 0 && _earned[account] == 0) _known.push(account);
            _earned[account] += amount;
        }
        vm.assertEq(state.total, sum, "sum");
        vm.assertEq(state.count, _known.length + 1, "count");
        _checkLeaves(tree);
        _forget();
    }

    /// @dev Whichever leaf is shown, and whatever else is changed in the witness, no other state comes out of a credit. One
    /// in some dozen forgeries is the right witness.
    function testFuzz_no_witness_leads_anywhere_else(uint256 seed, uint256 forgery) public view {
        (Tree memory tree, uint256 i) = (RewardTrees.create(CREDITS + 1), 0);
        for (; i < 3 + seed % 12; ++i) {
            (address earner, uint256 sum) = _drawn(seed, i);
            tree.credit(earner, sum);
        }
        (address account, uint256 amount) = _drawn(seed, i);
        RewardState memory state = tree.state();
        RewardCredit memory w = _forged(tree, account, forgery);
        tree.credit(account, amount);
        try rules.credit(state, account, amount, w) returns (RewardState memory found) {
            vm.assertEq(rules.stateHash(found), tree.stateHash(), "another state");
        } catch {
            vm.assertTrue(forgery & 0xFFFF != 0, "refused the right one");
        }
    }

    /// @dev Any leaf, with its proof, and where the tree would be appended to if that leaf pointed to anybody.
    function _forged(Tree memory tree, address account, uint256 forgery) private pure returns (RewardCredit memory w) {
        w.index = forgery & 1 == 0 ? tree.lowOf(account) : (forgery >> 16) % tree.count;
        RewardLeaf memory leaf = tree.leaves[w.index];
        w.leaf = RewardLeaf(leaf.account, leaf.next, leaf.total);
        w.proof = tree.prove(w.index);
        address next = leaf.next;
        leaf.next = forgery & 2 == 0 ? account : tree.leaves[(forgery >> 32) % tree.count].account;
        bool appends = w.leaf.account != account;
        if (forgery & 4 != 0) appends = !appends;
        if (appends) w.appended = RewardTrees.climb(tree.hashes(RewardTrees.depth(tree.count + 1)), tree.count);
        if (forgery & 0x18 == 0x18) w.leaf.total += 1;
        if (forgery & 0x60 == 0x60) w.leaf.next = leaf.next;
        if (forgery & 0x180 == 0x180) w.leaf.account = account;
        leaf.next = next;
    }

    // Refused

    function test_a_leaf_that_neither_is_nor_precedes_the_account() public {
        Tree memory tree = _three();
        RewardCredit memory w;
        (w.leaf, w.index, w.proof) = (tree.leaves[0], 0, tree.prove(0));
        _refused(tree, address(50), w, abi.encodeWithSelector(RewardTree.NotTheLowLeaf.selector, 50, 0, 20));
        _refused(tree, address(20), w, abi.encodeWithSelector(RewardTree.NotTheLowLeaf.selector, 20, 0, 20));
        (w.leaf, w.index, w.proof) = (tree.leaves[2], 2, tree.prove(2));
        _refused(tree, address(10), w, abi.encodeWithSelector(RewardTree.NotTheLowLeaf.selector, 10, 20, 40));
    }

    function test_a_place_beyond_the_last_leaf() public {
        Tree memory tree = _three();
        RewardCredit memory w;
        w.index = 4;
        _refused(tree, address(50), w, abi.encodeWithSelector(RewardTree.LeafOutOfRange.selector, 4, 4));
    }

    function test_proofs_of_another_depth() public {
        Tree memory tree = _three();
        RewardCredit memory w;
        w.proof = new bytes32[](3);
        _refused(tree, address(50), w, abi.encodeWithSelector(RewardTree.WrongDepth.selector, 2, 3));
        (w.leaf, w.index, w.proof) = (tree.leaves[3], 3, tree.prove(3));
        w.appended = new bytes32[](3);
        _refused(tree, address(60), w, abi.encodeWithSelector(RewardTree.WrongDepth.selector, 0, 3));
        (w.leaf, w.index, w.proof) = (tree.leaves[1], 1, tree.prove(1));
        w.appended = new bytes32[](2);
        _refused(tree, address(50), w, abi.encodeWithSelector(RewardTree.WrongDepth.selector, 3, 2));
    }

    function test_a_leaf_or_a_place_that_is_not_in_the_tree() public {
        Tree memory tree = _three();
        RewardState memory state = tree.state();
        RewardCredit memory w = tree.credit(address(50), 1);
        w.leaf.total += 1;
        vm.expectPartialRevert(RewardTree.WrongAccountsRoot.selector);
        rules.credit(state, address(50), 1, w);
        w.leaf.total -= 1;
        w.appended[0] = keccak256("another");
        vm.expectPartialRevert(RewardTree.WrongAccountsRoot.selector);
        rules.credit(state, address(50), 1, w);
    }

    function test_a_node_is_no_leaf() public view {
        Tree memory tree = _three();
        bytes32[] memory level = tree.hashes(2);
        vm.assertTrue(keccak256(bytes.concat(level[0], level[1])) != rules.leafHash(tree.leaves[0]), "no leaf");
        vm.assertEq(
            rules.leafHash(tree.leaves[1]),
            keccak256(bytes.concat(keccak256(abi.encode(tree.leaves[1])))),
            "hashed twice"
        );
    }

    function test_depth_follows_from_the_count() public view {
        for (uint256 count = 1; count < 300; ++count) {
            vm.assertEq(rules.depthOf(count), RewardTrees.depth(count), "depth");
        }
    }

    /// @dev Accounts 40, 20 and 60, in this order.
    function _three() private pure returns (Tree memory tree) {
        tree = RewardTrees.create(8);
        tree.credit(address(40), 4);
        tree.credit(address(20), 2);
        tree.credit(address(60), 6);
    }

    function _refused(Tree memory tree, address account, RewardCredit memory w, bytes memory reason) private {
        RewardState memory state = tree.state();
        vm.expectRevert(reason);
        rules.credit(state, account, 1, w);
    }

    function _checkLeaves(Tree memory tree) private view {
        RewardLeaf memory leaf = tree.leaves[0];
        vm.assertEq(leaf.account, address(0), "leaf 0");
        vm.assertEq(leaf.total, 0, "leaf 0");
        uint256 visited = 0;
        while (leaf.next != address(0)) {
            vm.assertTrue(leaf.next > leaf.account, "sorted");
            leaf = tree.leaves[tree.lowOf(leaf.next)];
            vm.assertEq(leaf.total, _earned[leaf.account], "total");
            ++visited;
        }
        vm.assertEq(visited, _known.length, "everybody, once");
    }

    function _forget() private {
        for (uint256 i = 0; i < _known.length; ++i) {
            delete _earned[_known[i]];
        }
        delete _known;
    }

    /// @dev Few accounts, so that many earn again; nobody and nothing now and then.
    function _drawn(uint256 seed, uint256 i) private pure returns (address account, uint256 amount) {
        uint256 r = draw(seed, i);
        account = address(uint160(uint256(keccak256(abi.encode(r % 16)))));
        if (r % 16 == 0) account = address(0);
        if (r % 16 == 1) account = address(type(uint160).max);
        if (r % 16 == 2) account = address(1);
        amount = (r >> 8) % 8 == 0 ? 0 : uint128(r >> 16);
    }
}

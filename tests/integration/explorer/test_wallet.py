"""The wallet in the page, in a real browser on a real chain: connecting, networks, signing, and all that goes wrong."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from eth_account.signers.local import LocalAccount
from playwright.sync_api import Browser, expect

from offchain.chain.client import ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.chain.devnet import Anvil, dev_accounts
from offchain.chain.enums import Role
from offchain.protocol.lifecycle import Phase
from offchain.roles.client import prepare_order, put_order
from offchain.types import TOKEN
from tests.integration.chain.support import mine, with_confirmations
from tests.integration.explorer.wallet_stage import Person, person, served_with_desk, wallet_of
from tests.integration.roles.stage import PURSE, Stage, admit, blobs, request, set_stage

BONDED, *ACCOUNTS = dev_accounts(12)[1:]
FINALITY = 4
DRIP = 10_000 * TOKEN


@dataclass
class Scene:
    """`url`: the explorer's, which believes blocks after FINALITY; every test has accounts of its own."""

    stage: Stage
    client: ChainClient
    url: str
    fresh: Iterator[LocalAccount]

    @property
    def contracts(self) -> AssayContracts:
        return self.stage.contracts

    def bonded(self, account: LocalAccount, role: Role) -> int:
        return int(self.contracts.bond(account.address, role).bonded)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("wallet")
    with Anvil.start() as anvil:
        client = anvil.client()
        stage = set_stage(client, folder)
        admit(stage, {f"somebody{i}": account for i, account in enumerate(ACCOUNTS)} | {"verifier0": BONDED})
        served = with_confirmations(client, FINALITY)
        contracts = AssayContracts(served, stage.contracts.addresses)
        with served_with_desk(served, contracts, stage.store, folder / "home") as url:
            yield Scene(stage, client, url, iter(ACCOUNTS))


def test_of_two_wallets_one_is_chosen_and_remembered(scene: Scene, browser: Browser) -> None:
    first, second = next(scene.fresh), next(scene.fresh)
    other = wallet_of(scene.client, first, name="Rabbitlike", plain=True)
    chosen = wallet_of(scene.client, second, name="Foxlike")
    with person(browser, scene.url, chosen, other) as somebody:
        somebody.tab.open("/")
        somebody.press("Connect wallet")
        names = somebody.dialog.locator(".wallets button").all_inner_texts()
        assert sorted(names) == ["Foxlike", "Rabbitlike"]
        chosen.declines.append("eth_requestAccounts")
        somebody.press("Foxlike", within=somebody.dialog)
        expect(somebody.dialog.get_by_role("alert")).to_contain_text("You declined to connect")
        somebody.press("Foxlike", within=somebody.dialog)
        expect(somebody.dialog).to_contain_text("5,000 ASY")
        somebody.page.reload()
        button = somebody.page.get_by_role("button", name="Wallet 0x")
        expect(button).to_contain_text(second.address[-4:])
        assert "eth_requestAccounts" not in other.methods()
        assert chosen.methods().count("eth_requestAccounts") == 2, "a reload must not ask again"
        button.click()
        somebody.press("Disconnect", within=somebody.dialog)
        somebody.page.reload()
        expect(somebody.page.get_by_role("button", name="Connect wallet")).to_be_enabled()


def test_a_wallet_that_only_is_in_the_window_works_too(scene: Scene, browser: Browser) -> None:
    wallet = wallet_of(scene.client, next(scene.fresh), name="Browser wallet", announced=False, plain=True)
    with person(browser, scene.url, wallet) as somebody:
        somebody.tab.open("/")
        somebody.connect()


def test_the_wrong_network_is_named_and_the_right_one_added(scene: Scene, browser: Browser) -> None:
    account = next(scene.fresh)
    wallet = wallet_of(scene.client, account)
    wallet.nodes, wallet.chain_id = {}, 1
    with person(browser, scene.url, wallet) as somebody:
        somebody.tab.open("/stake")
        somebody.connect()
        warning = somebody.page.get_by_role("alert").filter(has_text="The wallet is on chain 1")
        expect(warning).to_contain_text("Anvil (chain 31337)")
        wallet.declines.append("wallet_addEthereumChain")
        somebody.press("Change to Anvil")
        expect(warning).to_contain_text("You declined to change the network")
        somebody.press("Change to Anvil")
        expect(warning).to_have_count(0)
        (added,) = wallet.added
        assert (added["chainId"], added["rpcUrls"]) == ("0x7a69", [scene.client.endpoint])
        expect(somebody.page.locator("main")).to_contain_text("You hold 5,000 ASY")
        # The network changes under the page, in the middle of a form.
        somebody.page.get_by_label("Amount in tokens").fill("100")
        wallet.nodes[1] = "http://127.0.0.1:9"
        wallet.go_to(1)
        expect(somebody.page.locator("main")).to_contain_text("Change the wallet's network first")
        wallet.go_to(31337)
        expect(somebody.page.get_by_role("button", name="Stake", exact=True)).to_be_enabled()


def test_stake_with_one_permit_and_leave_again(scene: Scene, browser: Browser) -> None:
    """Declined at each step first; an exit that is too much is refused in words; then time passes."""
    account = next(scene.fresh)
    wallet = wallet_of(scene.client, account)
    with person(browser, scene.url, wallet) as somebody:
        somebody.tab.open("/stake")
        somebody.connect()
        get_tokens(somebody)
        stake(somebody, "verifier", "60.5")
        shown = somebody.lines()
        assert shown["amount"] == "60.5 ASY"
        assert "(StakeVault)" in shown["spender"]
        wallet.declines += ["eth_signTypedData_v4", "eth_sendTransaction"]
        somebody.sign_permit()
        expect(somebody.dialog.get_by_role("alert")).to_contain_text("You declined in the wallet. Nothing was sent.")
        somebody.sign_permit()
        expect(somebody.dialog).to_contain_text("Stake tokens in a role")
        expect(somebody.dialog).to_contain_text("StakeVault.bondWithPermit")
        shown = somebody.lines()
        assert (shown["role"], shown["amount"]) == ("verifier", "60.5 ASY")
        expect(somebody.dialog).to_contain_text("Gas")
        somebody.confirm()
        expect(somebody.dialog.get_by_role("alert")).to_contain_text("You declined")
        assert scene.bonded(account, Role.VERIFIER) == 0
        somebody.confirm()
        somebody.sent("mined")
        assert scene.bonded(account, Role.VERIFIER) == 605 * TOKEN // 10
        assert wallet.methods().count("eth_signTypedData_v4") == 2, "declined once, then signed"
        mine(scene.client, FINALITY)
        somebody.sent("final")

        panel = somebody.page.get_by_role("region", name="As verifier")
        leave = panel.get_by_label("Amount to exit")
        leave.fill("1000")
        somebody.press("Exit", within=panel)
        refusal = "As verifier you have 60.5 ASY that nothing locks; this takes 1,000 ASY."
        expect(somebody.dialog.get_by_role("alert")).to_contain_text(refusal)
        count = wallet.methods().count("eth_sendTransaction")
        somebody.press("Cancel", within=somebody.dialog)
        leave.fill("60,5x")
        somebody.press("Exit", within=panel)
        expect(leave).to_have_attribute("aria-invalid", "true")
        expect(leave).to_have_accessible_description(re.compile("positive amount"))
        leave.fill("60.5")
        somebody.press("Exit", within=panel)
        somebody.confirm()
        somebody.sent("mined")
        assert wallet.methods().count("eth_sendTransaction") == count + 1
        withdraw = panel.get_by_role("button", name="Withdraw")
        expect(withdraw).to_be_disabled()
        scene.client.request("evm_increaseTime", 40)
        mine(scene.client)
        withdraw.click()
        somebody.confirm()
        expect(panel).to_have_count(0)
        assert scene.contracts.token_balance(account.address) == PURSE + DRIP


def get_tokens(somebody: Person) -> None:
    """From the faucet, which gives them once in a while."""
    button = somebody.page.get_by_role("button", name="Get 10,000 ASY for testing", exact=True)
    button.click()
    expect(somebody.dialog).to_contain_text("TestTokenFaucet.drip")
    somebody.confirm()
    somebody.sent("mined")
    expect(somebody.page.locator("main")).to_contain_text("You hold 15,000 ASY")
    button.click()
    expect(somebody.dialog.get_by_role("alert")).to_contain_text("You have had test tokens already; the next are from")
    somebody.press("Cancel", within=somebody.dialog)


def stake(somebody: Person, role: str, amount: str) -> None:
    """Fills in the form and asks."""
    expect(somebody.page.locator("main")).to_contain_text("You hold")
    somebody.page.get_by_label("Role").select_option(role)
    somebody.page.get_by_label("Amount in tokens").fill(amount)
    somebody.page.get_by_role("button", name="Stake", exact=True).click()


def test_the_account_changes_while_something_is_confirmed(scene: Scene, browser: Browser) -> None:
    first, second = next(scene.fresh), next(scene.fresh)
    wallet = wallet_of(scene.client, first, second)
    with person(browser, scene.url, wallet) as somebody:
        somebody.tab.open("/stake")
        somebody.connect()
        stake(somebody, "provider", "150")
        somebody.sign_permit()
        expect(somebody.dialog).to_contain_text("Tried on the chain")
        wallet.choose(1)
        expect(somebody.dialog.get_by_role("alert")).to_contain_text("changed to another account. Nothing was sent")
        expect(somebody.dialog.get_by_role("button", name="Confirm in the wallet")).to_have_count(0)
        somebody.press("Try again", within=somebody.dialog)
        expect(somebody.dialog.get_by_role("alert")).to_contain_text("changed to another account")
        somebody.press("Cancel", within=somebody.dialog)
        expect(somebody.page.get_by_role("button", name="Wallet 0x")).to_contain_text(second.address[-4:])
        # The wallet forgets the page altogether.
        wallet.emit("accountsChanged", [])
        expect(somebody.page.locator(".wallet-notices")).to_contain_text("The wallet has disconnected this page")
        assert "eth_sendTransaction" not in wallet.methods()


def test_what_reverts_in_its_block_says_why(scene: Scene, browser: Browser) -> None:
    """It went through when it was tried; while the wallet was open the same was done elsewhere."""
    wallet = wallet_of(scene.client, BONDED)
    vault = scene.contracts.vault.functions
    with person(browser, scene.url, wallet) as somebody:
        somebody.tab.open("/stake")
        somebody.connect()
        panel = somebody.page.get_by_role("region", name="As verifier")
        panel.get_by_label("Amount to exit").fill("10")
        somebody.press("Exit", within=panel)
        somebody.confirm()
        somebody.sent("mined")

        def meanwhile() -> None:
            call = vault.cancelExit(int(Role.VERIFIER)).build_transaction({"from": BONDED.address, "gas": 200_000})
            wallet.send({"to": call["to"], "data": call["data"], "gas": hex(200_000), "gasPrice": hex(10**10)})

        wallet.before["eth_sendTransaction"] = meanwhile
        somebody.press("Take it back into the stake", within=panel)
        somebody.confirm()
        reverted = somebody.sent("reverted")
        expect(reverted).to_contain_text("Reverted: it changed nothing but cost gas.")
        expect(reverted).to_contain_text("Nothing of the verifier's stake is in the exit queue.")
        replaced(scene, somebody)


def replaced(scene: Scene, somebody: Person) -> None:
    """Before a block takes it, another transaction takes its number: as wallets do to cancel one."""
    scene.client.request("evm_setAutomine", False)
    panel = somebody.page.get_by_role("region", name="As verifier")
    panel.get_by_label("Amount to exit").fill("5")
    somebody.press("Exit", within=panel)
    somebody.confirm()
    expect(somebody.sent("sent")).to_contain_text("waiting for a block")
    nonce = hex(scene.client.nonce(BONDED.address))
    nothing = {"to": BONDED.address, "data": "0x", "gas": hex(21_000), "gasPrice": hex(10**12), "nonce": nonce}
    somebody.wallet.send(nothing)
    mine(scene.client)
    scene.client.request("evm_setAutomine", True)
    expect(somebody.sent("replaced")).to_contain_text("Replaced by another transaction of yours")


def test_a_reorganisation_under_the_page(scene: Scene, browser: Browser) -> None:
    """The block with the transaction goes, and the transaction with it; its wallet sends it anew."""
    account = next(scene.fresh)
    wallet = wallet_of(scene.client, account)
    with person(browser, scene.url, wallet) as somebody:
        somebody.tab.open("/stake")
        somebody.connect()
        stake(somebody, "provider", "100")
        somebody.sign_permit()
        somebody.confirm()
        expect(somebody.sent("mined")).to_contain_text("not final yet")
        panel = somebody.page.get_by_role("region", name="As provider")
        expect(panel).to_contain_text("100 ASY")
        scene.client.request("anvil_reorg", 1, [])
        expect(somebody.sent("lost")).to_contain_text("Dropped")
        expect(panel).to_have_count(0)
        wallet.send_again()
        expect(somebody.sent("mined")).to_contain_text("not final yet")
        expect(panel).to_contain_text("100 ASY")
        mine(scene.client, FINALITY)
        somebody.sent("final")
        assert scene.bonded(account, Role.PROVIDER) == 100 * TOKEN
        assert somebody.page.locator(".transaction").count() == 1


def test_by_keyboard_alone_on_a_narrow_screen(scene: Scene, browser: Browser) -> None:
    """From the first tab to a bond: the focus stays in dialogs and returns to where it was."""
    account = next(scene.fresh)
    wallet = wallet_of(scene.client, account)
    narrow = {"width": 320, "height": 640}
    with person(browser, scene.url, wallet, viewport=narrow) as somebody:
        page, keyboard = somebody.page, somebody.page.keyboard
        somebody.tab.open("/stake")
        tab_to(somebody, "Connect wallet")
        keyboard.press("Enter")
        tab_to(somebody, "Foxlike")
        assert somebody.tab.overflow() <= 0
        assert somebody.tab.axe() == []
        keyboard.press("Enter")
        expect(somebody.dialog).to_contain_text(account.address)
        keyboard.press("Escape")
        expect(somebody.dialog).to_have_count(0)
        assert "Wallet 0x" in focused(somebody), "the focus comes back to the button"
        expect(page.locator("main")).to_contain_text("You hold")
        tab_to(somebody, "Amount in tokens")
        keyboard.type("120")
        keyboard.press("Enter")
        expect(somebody.dialog).to_contain_text("Step 1 of 2")
        assert somebody.tab.overflow() <= 0
        tab_to(somebody, "Sign the permit")
        keyboard.press("Enter")
        expect(somebody.dialog).to_contain_text("Tried on the chain")
        assert somebody.tab.overflow() <= 0
        assert somebody.tab.axe() == []
        for _ in range(12):
            keyboard.press("Tab")
            assert page.evaluate(
                "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
            )
        tab_to(somebody, "Confirm in the wallet")
        keyboard.press("Enter")
        somebody.sent("mined")
        assert scene.bonded(account, Role.PROVIDER) == 120 * TOKEN
        assert somebody.tab.overflow() <= 0
        assert somebody.tab.axe() == []


def test_an_order_that_nobody_has_claimed_is_taken_back(scene: Scene, browser: Browser) -> None:
    account = next(scene.fresh)
    context = scene.stage.context(account, "client")
    oid = put_order(context, prepare_order(context, request(blobs(), train_seconds=9_000)))
    scene.stage.close(context)
    with person(browser, scene.url, wallet_of(scene.client, account)) as somebody:
        somebody.tab.open(f"/orders/{oid}")
        somebody.connect()
        somebody.press("Take the order back")
        assert somebody.lines() == {"order": f"#{oid}"}
        expect(somebody.dialog).to_contain_text("OrderBook.cancel")
        somebody.confirm()
        somebody.sent("mined")
        mine(scene.client, FINALITY)
        somebody.sent("final")
        expect(somebody.page.get_by_role("button", name="Take the order back")).to_have_count(0)
    assert scene.contracts.phase(oid) is Phase.CANCELLED
    assert scene.contracts.token_balance(account.address) == PURSE


def focused(somebody: Person) -> str:
    """What the element with the focus is called."""
    name: str = somebody.page.evaluate("""() => {
        const it = document.activeElement;
        if (it === document.body) return "";
        return it.getAttribute("aria-label") ?? it.labels?.[0]?.innerText ?? it.innerText ?? "";
    }""")
    return name


def tab_to(somebody: Person, name: str) -> None:
    """Presses Tab until something of that name has the focus."""
    reached: list[str] = []
    while name not in focused(somebody):
        assert len(reached) < 60, f"{name!r} cannot be reached with the keyboard, only {reached}"
        somebody.page.keyboard.press("Tab")
        reached.append(focused(somebody))

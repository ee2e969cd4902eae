"""The client vanishes after its put and there is no aggregator: a provider still gets its bond and its reward."""

from pathlib import Path

from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts, travel
from offchain.chain.enums import Role
from offchain.protocol.lifecycle import Phase
from offchain.protocol.settlement import Outcome
from offchain.roles.client import prepare_order, put_order
from offchain.roles.order_view import SEAL_PATIENCE
from tests.integration.roles.killing import settle_down
from tests.integration.roles.stage import admit, blobs, request, set_stage
from tests.integration.roles.test_kill import quick_provider


def test_a_provider_left_alone_brings_the_order_to_its_end_itself(tmp_path: Path) -> None:
    names = ["client", "provider0"]
    with Anvil.start(AnvilOptions()) as anvil:
        stage = set_stage(anvil.client(), tmp_path)
        accounts = dict(zip(names, dev_accounts(3)[1:], strict=True))
        admit(stage, accounts)
        client, provider = (stage.context(accounts[name], name) for name in names)
        windows = {"train_seconds": 600, "reveal_seconds": 600}
        oid = put_order(client, prepare_order(client, request(blobs(), **windows)))
        settle_down(quick_provider(provider))
        travel(stage.client, 700)
        settle_down(quick_provider(provider))
        travel(stage.client, 600)
        settle_down(quick_provider(provider))
        assert stage.contracts.phase(oid) == Phase.SEALABLE
        travel(stage.client, SEAL_PATIENCE)
        settle_down(quick_provider(provider))
        assert stage.contracts.settlement(oid).outcome == Outcome.SHARED
        assert stage.contracts.bond(accounts["provider0"].address, Role.PROVIDER).locked == 0
        stage.close(client)
        stage.close(provider)

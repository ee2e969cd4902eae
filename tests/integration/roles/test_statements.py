"""What the chain shows of an order's participants is what the ledger takes from them."""

from collections.abc import Iterator

import pytest
from coincurve import PrivateKey

from offchain.ledger.client.client import LedgerClient
from offchain.ledger.membership import parse_address
from offchain.ledger.records.application import Outcome, RecordsApplication, RecordsConfig
from offchain.ledger.records.bodies import Body, Claim, Kind, Model, Order, Validation
from offchain.ledger.records.request import Domain, sign
from offchain.ledger.records.results import Result
from offchain.ledger.types import Millis
from offchain.roles.statements import statements
from offchain.roles.telling import Teller
from tests.integration.roles.court_stage import OID, Courthouse, courthouse, score, validator
from tests.unit.ledger.api.local import Group


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Courthouse]:
    with courthouse(tmp_path_factory.mktemp("statements")) as found:
        score(found, dict.fromkeys(("validator0", "validator1"), validator))
        yield found


def said(house: Courthouse, name: str) -> list[Body]:
    return statements(house.stage.contracts, OID, house.address(name))


def test_each_says_what_it_did(house: Courthouse) -> None:
    kinds = {name: [type(body) for body in said(house, name)] for name in house.accounts}
    assert kinds.pop("client") == [Order]
    assert kinds.pop("provider0") == kinds.pop("provider1") == [Claim, Model]
    assert kinds.pop("validator0") == kinds.pop("validator1") == [Validation, Validation]
    assert not any(kinds.values())


def test_a_teller_says_each_thing_once_and_waits_for_what_is_early(house: Courthouse) -> None:
    told: list[tuple[type[Body], str | None]] = []
    windows = house.stage.contracts.order(OID).windows
    group = Group(servers=1)
    try:
        clients = {
            name: LedgerClient(group.urls, key=PrivateKey(bytes(account.key)), clock=group.clock)
            for name, account in house.accounts.items()
        }
        tellers = [
            Teller(
                house.stage.contracts,
                house.address(name),
                client,
                lambda body, receipt: told.append((type(body), receipt.result)),
            )
            for name, client in clients.items()
        ]
        for start in (windows.start, windows.train_end, windows.reveal_end):
            group.now = Millis(start * 1_000)
            for teller in tellers:
                teller.tell()
        assert sorted(told, key=str) == sorted(
            [(Order, "accepted"), *[(kind, "accepted") for kind in (Claim, Model, Validation) for _ in range(2)]]
            + [(Validation, "accepted")] * 2,
            key=str,
        )
        assert [teller.tell() for teller in tellers] == [0] * len(tellers)
        for client in clients.values():
            client.close()
    finally:
        group.close()


def test_the_ledger_takes_all_of_it_in_the_order_of_the_windows(house: Courthouse) -> None:
    contracts = house.stage.contracts
    domain = Domain(house.client.chain_id, parse_address(contracts.addresses.aggregator_committee))
    app = RecordsApplication(RecordsConfig(domain, frozenset()))
    windows = contracts.order(OID).windows
    starts = {
        Order: windows.start,
        Claim: windows.start,
        Model: windows.train_end,
        Validation: windows.reveal_end,
    }
    results = []
    for kind, start in starts.items():
        for name, account in house.accounts.items():
            for nonce, body in enumerate(said(house, name)):
                if isinstance(body, kind):
                    request = sign(domain, PrivateKey(bytes(account.key)), nonce, body).encode()
                    results += app.execute(Millis(start * 1_000), [request])
    assert [Outcome.decode(result).result for result in results] == [Result.ACCEPTED] * 9
    (entry,) = app.state.orders.values()
    assert [len(list(entry.of(kind))) for kind in (Kind.CLAIM, Kind.MODEL, Kind.VALIDATION)] == [2, 2, 4]
    scores = {record.body.score for record in entry.of(Kind.VALIDATION) if isinstance(record.body, Validation)}
    assert scores == set(contracts.scores(OID, house.address("validator0")))

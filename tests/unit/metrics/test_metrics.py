"""What is exported is what the catalogue says, and the page says the same."""

import re
from pathlib import Path

import pytest
from eth_utils.address import to_checksum_address
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from offchain.chain.journal import Finished, Intent, Journal, State
from offchain.chain.transactions import Attempt, Fees, Receipt, TxCall
from offchain.errors import Rejected
from offchain.explorer.api.metrics import EXPLORER
from offchain.metrics import catalogue
from offchain.metrics.server import metrics_place
from offchain.metrics.worker import WorkerMeters
from offchain.roles.context import WorkerEvent
from offchain.storage.bounds import Missing
from offchain.storage.cid import Cid
from offchain.storage.store import open_store
from offchain.types import CidDigest

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(assay_\w+)` \| (\w+) \| (.*?) \| (.*) \|$", re.MULTILINE)
METRIC = re.compile(r"\bassay_[a-z_]+")
SOMEBODY = to_checksum_address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")


def samples(meters: WorkerMeters) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Everything that a scrape would show, by name and labels."""
    families = text_string_to_metric_families(generate_latest(meters.registry).decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def test_the_page_and_the_catalogue_say_the_same() -> None:
    told = {
        name: (kind, tuple(re.findall(r"`(\w+)`", labels)), text)
        for name, kind, labels, text in ROW.findall(PAGE.read_text())
    }
    known = (*catalogue.ALL, *EXPLORER)
    assert told == {metric.name: (metric.kind, metric.labels, metric.help) for metric in known}
    used = set(re.findall(r"\bassay_\w+", PAGE.read_text()))
    families = {metric.name for metric in known}
    assert used <= families, "an alert names what does not exist"


def test_what_is_exported_is_the_catalogue() -> None:
    text = generate_latest(WorkerMeters().registry).decode()
    exported = {
        family.name + ("_total" if family.type == "counter" else ""): (family.type, family.documentation)
        for family in text_string_to_metric_families(text)
        if family.name.startswith("assay_") and not family.name.endswith("_created")
    }
    assert exported == {metric.name: (metric.kind, metric.help) for metric in catalogue.ALL}
    # What is not known yet has no sample: a bond of 0 would be an alarm.
    assert not [line for line in text.splitlines() if line.startswith(("assay_bond_wei", "assay_account_coin_wei"))]


def test_events_and_troubles_are_counted_and_handed_on() -> None:
    meters, seen = WorkerMeters(), list[WorkerEvent]()
    report = meters.report(seen.append)
    for topic, given_up in (("dispute 7", False), ("dispute 12", False), ("train", True)):
        report(WorkerEvent("verifier", SOMEBODY, None, "trouble", {"topic": topic, "given_up": given_up}))
    report(WorkerEvent("verifier", SOMEBODY, None, "trouble", {"message": "the node is down"}))
    found = samples(meters)
    assert len(seen) == 4
    assert found["assay_events_total", (("what", "trouble"),)] == 4
    troubles = {
        dict(labels)["topic"]: value for (name, labels), value in found.items() if name == "assay_troubles_total"
    }
    assert troubles == {"dispute": 2, "train": 1, "tick": 1}
    assert found["assay_troubles_total", (("given_up", "yes"), ("topic", "train"))] == 1


def test_a_store_is_counted_by_how_it_ended(tmp_path: Path) -> None:
    meters = WorkerMeters()
    with meters.storage.watch(open_store(f"local:{tmp_path}")) as store:
        cid = store.add(b"12345")
        assert store.read(cid, max_bytes=10) == b"12345"
        assert store.save(cid, tmp_path / "copy", max_bytes=10) == 5
        assert store.has(cid)
        with pytest.raises(Rejected):
            store.read(cid, max_bytes=4)
        with pytest.raises(Missing):
            store.read(Cid(CidDigest(bytes(32))), max_bytes=4)
    found = samples(meters)
    for operation, outcome in (
        ("add", "ok"),
        ("read", "ok"),
        ("save", "ok"),
        ("has", "ok"),
        ("read", "refused"),
        ("read", "missing"),
    ):
        key = ("assay_storage_requests_total", (("operation", operation), ("outcome", outcome)))
        assert found[key] == 1, key
    assert found["assay_storage_bytes_total", (("direction", "read"),)] == 10
    assert found["assay_storage_bytes_total", (("direction", "written"),)] == 5


def test_transactions_are_counted_where_they_are_written_down(tmp_path: Path) -> None:
    meters = WorkerMeters()
    owner = {"chain_id": 1, "genesis": b"g", "account": SOMEBODY}
    journal = meters.transactions.open_journal(tmp_path / "journal", **owner)

    def intent(key: str, nonce: int) -> Intent:
        return Intent(key, nonce, TxCall(None, b""), 21_000, (Attempt(bytes([nonce]) * 32, b"raw", Fees(7, 1)),))

    def receipt(succeeded: bool) -> Receipt:
        return Receipt(bytes(32), 1, bytes(32), succeeded, 20_000, 5, None, ())

    journal.add([intent("claim:1:ab", 0), intent("claim:2:cd", 1), intent("reveal:1", 2)])
    journal.add_attempt("claim:1:ab", Attempt(b"x" * 32, b"raw", Fees(9, 1)))
    journal.finish(
        [
            Finished("claim:1:ab", State.DONE, receipt(True), None),
            Finished("claim:2:cd", State.REVERTED, receipt(False), "no"),
            Finished("reveal:1", State.DISPLACED, None, "gone"),
        ]
    )
    journal.revive("claim:1:ab")
    journal.reissue(intent("reveal:1", 3))
    found = samples(meters)
    journal.close()
    events = {
        tuple(dict(labels).values()): value
        for (name, labels), value in found.items()
        if name == "assay_transactions_total"
    }
    assert events == {
        ("claim", "sent"): 2,
        ("claim", "replaced"): 1,
        ("claim", "mined"): 1,
        ("claim", "reverted"): 1,
        ("claim", "revived"): 1,
        ("reveal", "sent"): 2,
        ("reveal", "displaced"): 1,
    }
    assert found["assay_gas_used_total", (("action", "claim"),)] == 40_000
    assert found["assay_fees_wei_total", (("action", "claim"),)] == 200_000
    assert found["assay_journal_bytes", (("journal", "transactions"),)] > 0
    again = Journal.open(tmp_path / "journal", **owner)
    assert len(again.all()) == 3, "counting must not change what is kept"
    again.close()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("9464", ("127.0.0.1", 9464)),
        ("0.0.0.0:1", ("0.0.0.0", 1)),
        ("[::1]:80", ("::1", 80)),
        ("localhost:0", ("localhost", 0)),
    ],
)
def test_a_port_alone_is_local(text: str, place: tuple[str, int]) -> None:
    assert metrics_place(text) == place


@pytest.mark.parametrize("text", ["", "here", "1:2:x", "70000", "host:", "-1"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(Rejected, match="--metrics"):
        metrics_place(text)


def test_no_page_names_a_metric_that_does_not_exist() -> None:
    families = {metric.name for metric in (*catalogue.ALL, *EXPLORER)}
    named = {
        (page.name, name)
        for page in [*PAGE.parent.glob("*.md"), *PAGE.parent.glob("*/*.yml")]
        for name in METRIC.findall(page.read_text())
    }
    assert {(page, name) for page, name in named if re.sub(r"_(bucket|sum|count)$", "", name) not in families} == set()

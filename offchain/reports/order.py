"""A report about one order: from its story to a document, and to JSON. Pure."""

from typing import Any

from offchain.chain.enums import Outcome
from offchain.protocol.lifecycle import Phase
from offchain.protocol.manifest import OrderManifest
from offchain.reports.document import Cell, Document, Facts, Note, Section, Table, Value
from offchain.reports.order_disputes import disputes_section
from offchain.reports.order_gas import gas_section
from offchain.reports.order_learning import check_section, curves_section
from offchain.reports.order_models import Describe, models_section
from offchain.reports.order_money import balances, flows_of, money_section
from offchain.reports.order_time import time_section
from offchain.reports.people import People, people_of
from offchain.reports.plain import plain
from offchain.reports.story import Missing, OrderStory
from offchain.reports.words import hexed, plural, tokens, when
from offchain.roles.score_units import describe_score
from offchain.storage.cid import Cid


def order_document(story: OrderStory) -> Document:
    """The whole report."""
    page, people, describe = story.page, people_of(story.page), _describer(story)
    manifest = story.manifest if isinstance(story.manifest, OrderManifest) else None
    open_order = page.settlement is None and not page.cancelled
    sections = [
        time_section(page, story.place.now, people),
        money_section(page, people),
        models_section(page, describe, people),
        curves_section(page, story.curves, people),
        check_section(
            page, story.check, None if manifest is None else manifest.classes, page.row.score_function, describe
        ),
        disputes_section(page, story.disputes, describe, people),
        gas_section(story.spending, people, open_order=open_order),
        _sources(story, people),
    ]
    title = f"Order {story.oid}" if manifest is None else f"Order {story.oid}: {manifest.title}"
    return Document(title, _outcome(story, people), _facts(story, describe), sections, _footer(story))


def order_json(story: OrderStory) -> dict[str, Any]:
    """The same for machines; amounts in wei. Gas stands in `spending` alone: the index may not have all of it yet."""
    found: dict[str, Any] = plain(story)
    del found["page"]["gas"]
    for line in (*found["page"]["timeline"], *(move for dispute in found["disputes"] for move in dispute["moves"])):
        del line["gas"]
    found["names"] = people_of(story.page).names
    found["balances"] = [{**plain(balance), "net": balance.net} for balance in balances(flows_of(story.page))]
    return found


def _describer(story: OrderStory) -> Describe:
    page = story.page
    samples = 0 if page.test is None else page.test.samples
    preprocessing = None if isinstance(story.manifest, Missing) else story.manifest.preprocessing
    return lambda score: describe_score(page.row.score_function, score, samples, preprocessing)


def _outcome(story: OrderStory, people: People) -> str:
    page = story.page
    settlement = page.settlement
    if page.cancelled:
        return "Cancelled by its client before anybody claimed."
    if settlement is None:
        return f"Open: {page.row.phase.label}." if page.row.phase is not Phase.NONE else "Open."
    paid = "paid" if settlement.paid else "not paid yet"
    match settlement.outcome:
        case Outcome.WON:
            return f"Won by {people.name(settlement.winner or '')} with model {settlement.model}; {paid}."
        case Outcome.SHARED:
            sharers = plural(len(settlement.payouts), "provider")
            return f"Shared among {sharers}: there was no test data to score by; {paid}."
        case _:
            return "Refunded: no model was eligible."


def _facts(story: OrderStory, describe: Describe) -> Facts:
    page, terms = story.page, story.page.order.terms
    function = page.row.score_function.name.lower().replace("_", " ")
    rows: list[tuple[str, Value]] = [
        ("client", Cell(page.row.client, code=True)),
        ("reward", f"{tokens(page.row.reward)} tokens"),
        ("put (UTC)", when(page.row.put_at)),
        ("scored by", function),
        ("test samples", "not released" if page.test is None else f"{page.test.samples:,}"),
        ("validators wanted", f"{terms.minimum_validators} or more"),
        ("model at most", f"{terms.max_model_bytes:,} bytes"),
    ]
    settlement = page.settlement
    if settlement is not None and settlement.score is not None:
        rows.insert(
            3, ("winning score", Cell(f"{settlement.score.sum:,} ({describe(settlement.score.sum)})", strong=True))
        )
    if isinstance(story.manifest, OrderManifest) and story.manifest.classes is not None:
        rows.append(("classes", f"{len(story.manifest.classes):,}"))
    return Facts(rows)


def _sources(story: OrderStory, people: People) -> Section:
    page = story.page
    blocks: list[Any] = []
    if isinstance(story.manifest, Missing):
        blocks.append(Note(story.manifest.reason))
    found: list[list[Value]] = [["order's manifest", Cell(str(Cid(page.row.manifest)), code=True)]]
    if page.test is not None:
        found.append(["test set", Cell(str(Cid(page.test.cid)), code=True)])
        found.append(["test set's root", _whole(page.test.root)])
    if isinstance(story.manifest, OrderManifest):
        found.append(["training data", Cell(str(story.manifest.train.cid), code=True)])
    for model in page.models:
        found.append([f"manifest of model {model.index}", Cell(str(Cid(model.cid)), code=True)])
        found.append([f"root of model {model.index}", _whole(model.root)])
    blocks.append(Table("Content, by its hash", ("what", "CID or root"), found))
    accounts: list[list[Value]] = [[name, Cell(address, code=True)] for address, name in people.names.items()]
    blocks.append(Table("Accounts", ("name in this report", "address"), accounts))
    contracts: list[list[Value]] = [[name, Cell(address, code=True)] for name, address in story.place.contracts.items()]
    blocks.append(Table("Contracts", ("contract", "address"), contracts))
    return Section("sources", "Hashes and addresses", blocks)


def _whole(data: bytes) -> Cell:
    return Cell(hexed(data).whole or "", code=True)


def _footer(story: OrderStory) -> str:
    place = story.place
    return (
        f"Chain {place.network} ({place.chain_id}), as of block {place.block:,}, {when(place.now)} UTC. Made by `assay "
        f"report {story.oid}` from the contracts' events and from content that was verified against hashes in them."
    )

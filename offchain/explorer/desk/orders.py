"""Orders with the user's own data: prepared here, put by a wallet with a permit, in one transaction."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_keys.exceptions import BadSignature
from eth_typing import ChecksumAddress
from pydantic import ValidationError

from offchain.chain.contracts import AssayContracts
from offchain.chain.errors import ContractRejected
from offchain.chain.reverts import call_fields
from offchain.chain.transactions import TxCall, as_call
from offchain.chain.views import Order, OrderTerms, decode, encode
from offchain.data.sklearn_sets import NAMES
from offchain.explorer.desk import schema
from offchain.explorer.desk.jobs import Progress
from offchain.explorer.desk.place import DeskPlace
from offchain.explorer.desk.refusals import Faulty, NotKnown
from offchain.model.spec import parse_spec
from offchain.protocol.manifest import MAX_MANIFEST_BYTES, OrderManifest
from offchain.protocol.permit import permit_message
from offchain.roles.estimate import PERMIT_SECONDS
from offchain.roles.order_form import OrderForm, check_form, read_form
from offchain.roles.prepare import ClientDesk, prepare_order
from offchain.roles.records import TestSetRecord
from offchain.storage.cid import Cid
from offchain.types import Commitment, OrderId, Seconds, Wei

TABLES = (".csv", ".parquet", ".pq")
LOOKED_BACK = 1_000
"""Orders, the newest, among which one that was put is sought."""
BATCH = 100


@dataclass(frozen=True, slots=True)
class Prepared:
    """An order that can be put: whose, and how many samples it trains on."""

    account: ChecksumAddress
    commitment: Commitment
    training_samples: int


def parse_fields(text: str) -> schema.OrderFields:
    """The part `request`. Raises Rejected, naming the field."""
    try:
        return schema.OrderFields.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Faulty(where or "request", str(first["msg"])) from None


def form_of(fields: schema.OrderFields, files: Mapping[str, Path]) -> OrderForm:
    """The form that the fields and files fill in. Raises Rejected, naming the field."""
    train, test = files.get("train"), files.get("test")
    if (train is None) == (fields.train is None):
        raise Faulty("train", f"give a file, or the name of one of {', '.join(NAMES)}")
    if train is None and fields.train not in NAMES:
        raise Faulty("train", f"{fields.train!r} is none of {', '.join(NAMES)}; or give a file")
    form = OrderForm(
        train=str(train or fields.train),
        reward=Wei(int(fields.reward)),
        train_seconds=fields.train_seconds,
        reveal_seconds=fields.reveal_seconds,
        validate_seconds=fields.validate_seconds,
        challenge_seconds=fields.challenge_seconds,
        model=fields.model,
        spec=files.get("spec"),
        label=_label("label", fields.label, train, files.get("train_labels")),
        task=fields.task,
        test=None if test is None else str(test),
        test_label=_label("test_label", fields.test_label, test, files.get("test_labels")),
        test_fraction=fields.test_fraction,
        text=fields.text,
        text_length=fields.text_length,
        score=fields.score,
        seed=fields.seed,
        title=fields.title,
        min_validators=fields.min_validators,
        minimum_score=fields.minimum_score,
        max_model_bytes=fields.max_model_bytes,
        max_tensor_bytes=fields.max_tensor_bytes,
    )
    check_form(form)
    if test is not None and form.test_label is None and "train_labels" in files:
        raise Faulty("test_labels", "give the labels file of the test images too")
    return form


def _label(field: str, column: str | None, data: Path | None, labels: Path | None) -> str | None:
    """The label column of a table, or the labels file of images: never a path of somebody's choice."""
    part = f"{'train' if field == 'label' else 'test'}_labels"
    table = data is not None and data.suffix.lower() in TABLES
    if labels is not None:
        if table or data is None or column is not None:
            raise Faulty(part, "is for idx images alone; a table has a label column")
        return str(labels)
    if column is not None and not table:
        raise Faulty(field, f"names a column of a table (.csv or .parquet); labels of idx images are the file {part}")
    return column


def prepare(place: DeskPlace, account: ChecksumAddress, form: OrderForm, progress: Progress) -> Prepared:
    """A job: reads and quantises the data, stores it, journals the opening of the test set. Raises like its parts."""
    progress.say("reading the data")
    request = read_form(form, secrets.randbits)
    progress.say("quantising and storing the data")
    with place.journal("client", account) as journal:
        desk = ClientDesk(place.contracts, account, place.store, journal)
        prepared = prepare_order(desk, request, archive=place.archive)
    progress.say("asking the contract")
    require_accepted(place.contracts, account, prepared.terms)
    return Prepared(account, prepared.record.commitment, len(prepared.train))


def require_accepted(contracts: AssayContracts, account: ChecksumAddress, terms: OrderTerms) -> None:
    """Raises ContractRejected when the contract would refuse the terms; the allowance comes with the permit."""
    try:
        contracts.client.request("eth_call", call_fields(account, as_call(contracts.put(terms))), "latest")
    except ContractRejected as error:
        if error.name != "ERC20InsufficientAllowance":
            raise


def find_record(place: DeskPlace, account: ChecksumAddress, commitment: Commitment) -> TestSetRecord:
    """The prepared order's record. Raises NotKnown."""
    with place.journal("client", account) as journal:
        record = journal.find(TestSetRecord, commitment)
    if record is None:
        raise NotKnown(f"commitment: {account} has prepared no such order on this machine; prepare it again")
    return record


def find_order(contracts: AssayContracts, account: ChecksumAddress, commitment: Commitment) -> OrderId | None:
    """The order with this test commitment among the newest; None when it was not put. Raises Retryable."""
    newest = contracts.order_count()
    lowest = max(newest - LOOKED_BACK, 0)
    for end in range(newest, lowest, -BATCH):
        some = range(end, max(end - BATCH, lowest), -1)
        found = contracts.read_many([contracts.book.functions.getOrder(oid) for oid in some])
        for oid, values in zip(some, found, strict=True):
            order = decode(Order, values)
            if order.terms.test_commitment == commitment and order.client == account:
                return OrderId(oid)
    return None


def show_prepared(
    place: DeskPlace, account: ChecksumAddress, record: TestSetRecord, samples: int | None
) -> schema.PreparedOrder:
    """What the page shows before the permit is signed. Nothing in it tells of the test set but its size."""
    terms, cid = record.terms, Cid(record.terms.manifest_cid)
    data = place.store.read(cid, max_bytes=MAX_MANIFEST_BYTES)
    manifest = OrderManifest.parse(data, source=str(cid))
    spec = parse_spec(manifest.spec_json(), source=str(cid))
    facts = schema.OrderFacts(
        title=record.title,
        task=manifest.task,
        classes=None if manifest.classes is None else list(manifest.classes),
        training_samples=samples,
        test_samples=record.samples,
        weights=spec.weight_count,
        model_bytes=spec.footprint.model_bytes,
        scored_by=manifest.score_function,
        reward=terms.reward,
        manifest=str(cid),
        train_seconds=terms.train_seconds,
        reveal_seconds=terms.reveal_seconds,
        validate_seconds=terms.validate_seconds,
        challenge_seconds=terms.challenge_seconds,
        minimum_validators=terms.minimum_validators,
    )
    deadline = Seconds(place.client.now() + PERMIT_SECONDS)
    permit = _permit(place.contracts, account, terms.reward, _nonce(place.contracts, account), deadline)
    return schema.PreparedOrder(commitment=record.commitment, account=account, facts=facts, permit=as_text(permit))


def put_call(
    contracts: AssayContracts, account: ChecksumAddress, terms: OrderTerms, signature: bytes, deadline: Seconds
) -> TxCall:
    """The `putWithPermit` call. Raises Rejected when the signature is not the account's, or its time is over."""
    now = contracts.client.now()
    if deadline <= now:
        raise Faulty("deadline", "the permit's time is over; sign a new one")
    nonce = _nonce(contracts, account)
    # Whoever sees a permit may use it first; then its nonce is spent and the allowance stands.
    used = nonce > 0 and contracts.allowance(account, contracts.book.address) >= terms.reward
    nonces = (nonce, nonce - 1) if used else (nonce,)
    permits = [_permit(contracts, account, terms.reward, each, deadline) for each in nonces]
    if account not in [_signer(permit, signature) for permit in permits]:
        raise Faulty("signature", f"it is not by {account} for this permit (or another one was used since); sign anew")
    r, s, v = signature[:32], signature[32:64], signature[64]
    call = contracts.book.functions.putWithPermit(encode(terms), deadline, v if v >= 27 else v + 27, r, s)
    return replace(as_call(call), label="putWithPermit")


def _signer(message: dict[str, Any], signature: bytes) -> str | None:
    try:
        return str(Account.recover_message(encode_typed_data(full_message=message), signature=signature))
    except (ValueError, BadSignature):
        return None


def _nonce(contracts: AssayContracts, account: ChecksumAddress) -> int:
    return int(contracts.read(contracts.token.functions.nonces(account)))


def _permit(
    contracts: AssayContracts, account: ChecksumAddress, value: Wei, nonce: int, deadline: Seconds
) -> dict[str, Any]:
    return permit_message(
        chain_id=contracts.client.chain_id,
        token=contracts.token.address,
        owner=account,
        spender=contracts.book.address,
        value=value,
        nonce=nonce,
        deadline=deadline,
    )


def as_text(message: dict[str, Any]) -> dict[str, Any]:
    """Typed data whose large integers survive JSON."""
    fields = {name: str(value) if isinstance(value, int) else value for name, value in message["message"].items()}
    return {**message, "message": fields}

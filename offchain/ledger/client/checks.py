"""What a client checks by itself, whoever answered: records against their signatures, proofs against a root."""

from collections.abc import Iterable

from offchain.errors import Rejected
from offchain.ledger.api.described import described, to_hex
from offchain.ledger.api.schema import CycleOut, PathOut, ProofOut, RecordOut, ValidationOut
from offchain.ledger.records.merkle import Proof, proven_root
from offchain.ledger.records.request import Domain, Parsed, check_request
from offchain.ledger.records.state import ORDERS


def check_record(domain: Domain, record: RecordOut) -> Parsed:
    """The request behind a record. Raises Rejected unless its account signed it and it says what the record says."""
    try:
        request = check_request(domain, bytes.fromhex(record.request[2:]))
    except (Rejected, ValueError) as error:
        raise Rejected(f"record {record.id}: {error}") from error
    for name, value in described(request).items():
        if getattr(record, name, None) != value:
            raise Rejected(f"record {record.id}: its {name} is not what {record.account} signed")
    return request


def check_all(domain: Domain, records: Iterable[RecordOut]) -> None:
    """See `check_record`; a validation's challenges too."""
    for record in records:
        check_record(domain, record)
        if isinstance(record, ValidationOut):
            check_all(domain, record.challenges)


def records_of(cycle: CycleOut) -> list[RecordOut]:
    """All that was said about an order."""
    return [cycle.order, *cycle.claims, *cycle.models, *cycle.validations]


def check_proof(proof: ProofOut, record: RecordOut) -> None:
    """Raises Rejected unless `proof` shows that the record stands under its root."""
    value = record.time.to_bytes(8, "big") + bytes.fromhex(record.request[2:])
    key = bytes.fromhex(proof.key[2:])
    found = proven_root(key, value, _proof(proof.path))
    if found is not None and proof.order is not None and proof.order_path is not None:
        found = proven_root(ORDERS + bytes.fromhex(proof.order[2:]), found, _proof(proof.order_path))
    elif proof.order is not None or proof.order_path is not None:
        found = None
    if found is None or to_hex(found) != proof.root:
        raise Rejected(f"record {record.id}: the proof does not lead to its root")


def _proof(path: PathOut) -> Proof:
    return Proof(path.index, path.count, tuple(bytes.fromhex(sibling[2:]) for sibling in path.siblings))

"""Intents and calls as the page sees them. Pure."""

from offchain.chain.contracts import AssayContracts
from offchain.chain.transactions import TxCall
from offchain.explorer.desk import schema
from offchain.explorer.desk.outbox_journal import Entry, State
from offchain.explorer.desk.words import explain
from offchain.types import Seconds


def show_call(contracts: AssayContracts, call: TxCall) -> schema.Call:
    """A call to be signed."""
    return schema.Call(
        to=str(call.to),
        contract=contracts.addresses.contract_at(str(call.to)) or "",
        function=call.label,
        data=call.data,
        value=call.value,
        label=call.label,
    )


def show_item(contracts: AssayContracts, entry: Entry, deadline: Seconds | None) -> schema.OutboxItem:
    """An intent that is not over."""
    why = explain(entry.key, entry.call.label)
    return schema.OutboxItem(
        key=entry.key,
        state="waiting" if entry.state is State.OFFERED else "sent",
        call=show_call(contracts, entry.call),
        why=why.text,
        oid=why.oid,
        dispute=why.dispute,
        deadline=entry.until if entry.until is not None else deadline,
        tx_hash=entry.hashes[-1] if entry.hashes and entry.state is State.SENT else None,
        note=entry.note,
    )


def show_end(entry: Entry, oid: int | None) -> schema.OutboxEnd:
    """An intent that is over. `oid`: of the order that it has put."""
    why = explain(entry.key, entry.call.label)
    receipt = entry.receipt
    return schema.OutboxEnd(
        key=entry.key,
        state=_ENDS[entry.state],
        label=entry.call.label,
        why=why.text,
        oid=why.oid if oid is None else oid,
        dispute=why.dispute,
        tx_hash=None if receipt is None else receipt.tx_hash,
        gas=None if receipt is None else receipt.gas_used,
        error=entry.error,
    )


_ENDS = {State.DONE: "done", State.REVERTED: "reverted", State.WITHDRAWN: "withdrawn"}

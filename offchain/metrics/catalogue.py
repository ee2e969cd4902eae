"""Every metric that Assay exports: name, kind, labels, meaning. docs/metrics.md says the same; a test holds the two.

Names end in their unit: seconds, bytes, wei (of the token or the chain's coin), or `_total` for counters.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One family."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


WORKER_INFO = Metric("assay_worker_info", "gauge", "1; who this is", ("role", "account", "chain_id", "version"))
TICKS = Metric("assay_ticks_total", "counter", "looks at the chain: acted, idle, failed (node down)", ("outcome",))
TICK_SECONDS = Metric("assay_tick_seconds", "histogram", "how long a look took")
LAST_TICK = Metric("assay_last_tick_timestamp_seconds", "gauge", "when the last look ended that did not fail")
EVENTS = Metric("assay_events_total", "counter", "what the worker reported, by its first word", ("what",))
TROUBLES = Metric("assay_troubles_total", "counter", "what went wrong, by what was tried", ("topic", "given_up"))
LEFT_ALONE = Metric("assay_left_alone", "gauge", "things not tried now, because they went wrong")
ORDERS_OPEN = Metric("assay_orders_open", "gauge", "orders that the worker still minds")
DISPUTES_OPEN = Metric("assay_disputes_open", "gauge", "open disputes, of anybody")
JOBS_RUNNING = Metric("assay_jobs_running", "gauge", "trainings, evaluations or downloads in the background")

HEAD_BLOCK = Metric("assay_chain_head_block", "gauge", "the latest block that the node gave")
HEAD_TIMESTAMP = Metric("assay_chain_head_timestamp_seconds", "gauge", "its timestamp")
HEAD_AGE = Metric("assay_chain_head_age_seconds", "gauge", "this machine's clock less that timestamp")
RPC_REQUESTS = Metric(
    "assay_rpc_requests_total",
    "counter",
    "requests to the node: ok, reverted, busy, refused, unreachable",
    ("method", "outcome"),
)
RPC_SECONDS = Metric("assay_rpc_seconds", "histogram", "how long the node took; `batch` for many at once", ("method",))

TRANSACTIONS = Metric(
    "assay_transactions_total",
    "counter",
    "sent, replaced (higher fee), mined, reverted, displaced (nonce taken), revived (rolled back)",
    ("action", "event"),
)
RESENT = Metric("assay_transactions_resent_total", "counter", "broadcasts of what was broadcast before")
IN_FLIGHT = Metric("assay_transactions_in_flight", "gauge", "transactions that are not final")
GAS_USED = Metric("assay_gas_used_total", "counter", "gas of final transactions", ("action",))
FEES = Metric("assay_fees_wei_total", "counter", "coin paid for it", ("action",))

COIN = Metric("assay_account_coin_wei", "gauge", "the account's balance of the chain's coin, which pays gas")
TOKENS = Metric("assay_account_tokens_wei", "gauge", "its balance of the token")
BOND = Metric("assay_bond_wei", "gauge", "its bonds: bonded, locked (part of it), exiting", ("role", "state"))
ACCOUNT_READ = Metric("assay_account_read_timestamp_seconds", "gauge", "when balances and bonds were read last")

STORAGE_REQUESTS = Metric(
    "assay_storage_requests_total",
    "counter",
    "read, save, add, has: ok, missing, wrong (other bytes), refused, unready, failed (a bug)",
    ("operation", "outcome"),
)
STORAGE_BYTES = Metric("assay_storage_bytes_total", "counter", "verified bytes read, and bytes added", ("direction",))
STORAGE_SECONDS = Metric("assay_storage_seconds", "histogram", "how long the store took", ("operation",))
JOURNAL_BYTES = Metric("assay_journal_bytes", "gauge", "size on disk: transactions, records", ("journal",))

LEDGER_VIEW = Metric("assay_ledger_view", "gauge", "view of the aggregators' ledger; it rises when a primary fails")
LEDGER_CHANGING = Metric("assay_ledger_view_changing", "gauge", "1 while a view change is under way")
LEDGER_EXECUTED = Metric("assay_ledger_executed_sequence", "gauge", "last batch that this replica executed")
LEDGER_STABLE = Metric("assay_ledger_stable_sequence", "gauge", "last stable checkpoint")
LEDGER_CONNECTED = Metric("assay_ledger_connected_replicas", "gauge", "replicas in touch, this one counted")
LEDGER_REPLICAS = Metric("assay_ledger_replicas", "gauge", "size of the group")
LEDGER_WAITING = Metric("assay_ledger_waiting_requests", "gauge", "requests that came here and are not executed")
LEDGER_ACCUSATIONS = Metric("assay_ledger_accusations", "gauge", "proofs of misbehaviour that this replica holds")
LEDGER_JOURNAL = Metric("assay_ledger_journal_bytes", "gauge", "size of the replica's journal")
REWARDS_COVERED = Metric("assay_rewards_covered_sequence", "gauge", "place of the last order that a root covers")

STANDING = (
    LEFT_ALONE,
    ORDERS_OPEN,
    DISPUTES_OPEN,
    JOBS_RUNNING,
    IN_FLIGHT,
    LEDGER_VIEW,
    LEDGER_CHANGING,
    LEDGER_EXECUTED,
    LEDGER_STABLE,
    LEDGER_CONNECTED,
    LEDGER_REPLICAS,
    LEDGER_WAITING,
    LEDGER_ACCUSATIONS,
    LEDGER_JOURNAL,
    REWARDS_COVERED,
)
"""What a worker knows of itself (`Loop.standing`, without `assay_`); a role has a sample only of what it knows."""

CHAIN = (HEAD_BLOCK, HEAD_TIMESTAMP, HEAD_AGE, RPC_REQUESTS, RPC_SECONDS, RESENT)
STORAGE = (STORAGE_REQUESTS, STORAGE_BYTES, STORAGE_SECONDS)
WORKER = (
    WORKER_INFO,
    TICKS,
    TICK_SECONDS,
    LAST_TICK,
    EVENTS,
    TROUBLES,
    *STANDING,
    TRANSACTIONS,
    GAS_USED,
    FEES,
    COIN,
    TOKENS,
    BOND,
    ACCOUNT_READ,
    JOURNAL_BYTES,
)
ALL = (*WORKER, *CHAIN, *STORAGE)
"""All of a worker. The explorer has those of CHAIN and STORAGE, and its own."""

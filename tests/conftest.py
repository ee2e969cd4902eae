"""Options of the whole suite, and the order in which its files are handed out."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A machine with more to do than cores makes one example slow now and then: that is no failure.
settings.register_profile("assay", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("assay")

HEAVY = (
    "integration/rehearsal/test_newcomer.py",
    "integration/demo/test_play.py",
    "integration/cli/test_by_hand.py",
    "integration/roles/test_disputes.py",
    "integration/cli/test_governance.py",
    "integration/federated/test_rounds.py",
    "integration/explorer/test_wallet_orders.py",
    "integration/roles/test_kill.py",
    "simulation/test_ledger.py",
    "integration/explorer/test_page.py",
    "integration/explorer/test_wallet.py",
    "unit/model/test_evaluator.py",
    "integration/roles/test_races.py",
    "integration/explorer/test_stream.py",
    "integration/federated/test_homomorphic.py",
    "integration/federated/test_secure.py",
    "integration/roles/test_disputes_kill.py",
    "unit/ledger/client/test_client.py",
    "integration/roles/test_whole_life.py",
    "integration/roles/test_rewards_worker.py",
    "integration/ledger/test_processes.py",
    "integration/ledger/test_served.py",
    "integration/roles/test_disputes_void.py",
    "integration/cli/test_commands_refuse.py",
    "integration/chain/test_devnet.py",
)
"""The files that take longest, the longest first: with them at the end all but one worker would wait for the last.

Some only wait for processes and blocks, others only compute: neighbours are of both kinds.
"""

HERE = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-long", action="store_true", help="run the long batteries too (make test-long)")
    parser.addoption("--require-browser", action="store_true", help="no browser is a failure, not a reason to skip")


def pytest_configure(config: pytest.Config) -> None:
    # xdist would hand out the files with the most tests first, and those with one long test last.
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    places = {HERE / name: place for place, name in enumerate(HEAVY)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
    if config.getoption("--run-long"):
        return
    longer = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=longer)
    items[:] = [item for item in items if not item.get_closest_marker("long")]

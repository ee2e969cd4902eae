"""A process that runs a worker's process, as the demonstration does, until somebody ends it."""

import signal
import sys
import time
from pathlib import Path

from eth_utils.address import to_checksum_address

from offchain.demo.processes import WorkerProcess
from offchain.roles.context import WorkerEvent

SPEAKER = ("tests.integration.demo.speaker", "lasts")


def say(event: WorkerEvent) -> None:
    """Tells whoever reads our output which process there is."""
    if event.what == "started":
        print(event.detail["process"], flush=True)


def fail(error: BaseException) -> None:
    """Says so, loudly."""
    print(f"failed: {error}", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests in the background ignores it
    nobody = to_checksum_address("0x" + "00" * 20)
    worker = WorkerProcess(nobody, SPEAKER, Path(sys.argv[1]), report=say, fail=fail)
    worker.start()
    try:
        time.sleep(600)
    finally:
        worker.stop()

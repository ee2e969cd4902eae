"""A worker's process as the demonstration sees one: it says that it has started, and does as its argument says."""

import json
import os
import sys
import time


def main(conduct: str) -> None:
    """`lasts`: until it is ended; `dies`: with a last word; `rambles`: says what is no event, and lasts."""
    print(json.dumps({"role": "aggregator", "oid": None, "what": "started", "process": os.getpid()}), flush=True)
    print(json.dumps({"role": "aggregator", "oid": 3, "what": "seal", "gas": 5}), flush=True)
    if conduct == "dies":
        sys.exit("error: the chain is gone")
    if conduct == "rambles":
        print("hello", flush=True)
    time.sleep(600)


if __name__ == "__main__":
    main(*sys.argv[1:])

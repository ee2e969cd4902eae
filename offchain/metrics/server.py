"""Serves a registry over HTTP, at the address that the user gave and no other."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server

from offchain.errors import Rejected
from offchain.ledger.host_port import parse_host_port, write_host_port

LOCAL = "127.0.0.1"


def metrics_place(text: str) -> tuple[str, int]:
    """Host and port of `--metrics [HOST:]PORT`; a port alone is on 127.0.0.1. Raises Rejected."""
    found = parse_host_port(text) or parse_host_port(f"{LOCAL}:{text}")
    if found is None:
        raise Rejected(f"--metrics {text}: expected HOST:PORT or a port, such as 127.0.0.1:9464")
    return found


@contextmanager
def serve_metrics(registry: CollectorRegistry, place: tuple[str, int]) -> Iterator[str]:
    """Serves for the length of a `with`; gives the URL (port 0: a free one). Raises Rejected when it cannot bind."""
    host, port = place
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        reason = error.strerror or str(error)
        raise Rejected(f"--metrics {write_host_port(host, port)}: {reason}; give another HOST:PORT") from error
    try:
        yield f"http://{write_host_port(host, server.server_port)}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

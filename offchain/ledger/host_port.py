"""HOST:PORT as people write it; an IPv6 address stands in brackets."""

MOST_DIGITS = 5
LAST_PORT = 65_535


def parse_host_port(text: str) -> tuple[str, int] | None:
    """Host, without brackets, and port from 0 to 65535; None when `text` is no such thing."""
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isascii() and port.isdigit() and len(port) <= MOST_DIGITS):
        return None
    number = int(port)
    return None if number > LAST_PORT else (host.removeprefix("[").removesuffix("]"), number)


def write_host_port(host: str, port: int) -> str:
    """Inverse of `parse_host_port`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

"""When to raise what.

- `Retryable`: the world is not ready (RPC down, IPFS node slow, transaction dropped). Workers log and try again;
  commands print the line and exit with 2.
- `Rejected`: somebody's input is wrong, the user's or a peer's. The message is one line, names the flag, file or peer
  at fault and says what to do. Commands print it and exit with 2, and nothing has changed. Workers skip that order.
- `Bug`: one of our own rules is broken. Never caught; the trace is what we want to see.
"""


class AssayError(Exception):
    """Base of every error that Assay raises on purpose."""


class Retryable(AssayError):
    """Trying again later may work."""


class Rejected(AssayError):
    """Trying again with the same input cannot work."""


class Bug(AssayError):
    """A broken invariant of our own."""

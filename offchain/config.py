"""Settings: the one place that reads the environment. Flags of the command line override them.

Every variable starts with `ASSAY_`: `ASSAY_HOME`, `ASSAY_RPC`, `ASSAY_STORE`, `ASSAY_PASSWORD_FILE`,
`ASSAY_PROOF_TOOLS`, `ASSAY_REFERENCE_STRING`.
"""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where a participant keeps its things and which chain and storage it talks to."""

    model_config = SettingsConfigDict(env_prefix="ASSAY_", frozen=True, extra="ignore")

    home: Path = Field(default_factory=lambda: Path.home() / ".assay")
    """Keys, addresses, journals and the default store live below this directory."""

    rpc: str = "http://127.0.0.1:8545"
    """JSON-RPC URL of a node."""

    store: str | None = None
    """Where content is kept: `local:PATH`, `kubo:URL` or `embedded:PATH`; by default `local:` below `home`."""

    password_file: Path | None = None
    """File whose first line unlocks the keystores; without it the command asks."""

    proof_tools: Path | None = None
    """Directory with the node_modules that proofs need; by default beside or above the working directory."""

    reference_string: Path | None = None
    """Directory with Aztec's Ignition reference string (bn254_g1.dat); else UltraHonk takes a local, INSECURE one."""

    @property
    def proofs(self) -> Path:
        """Directory of what proofs need and is slow to make: compiled circuits, keys, reference strings."""
        return self.home / "proofs"

    @property
    def keys(self) -> Path:
        """Directory of the encrypted keystores."""
        return self.home / "keys"

    @property
    def journals(self) -> Path:
        """Directory of the workers' journals."""
        return self.home / "journals"

    @property
    def store_location(self) -> str:
        """The storage location in force."""
        return self.store or f"local:{self.home / 'store'}"

    def addresses(self, chain_id: int) -> Path:
        """File with the addresses of the contracts on one chain."""
        return self.home / "deployments" / f"{chain_id}.json"

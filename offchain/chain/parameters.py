"""The protocol's parameters by chain, as the reviewed files in `networks/parameters/` have them."""

from offchain.chain.terms import load_terms
from offchain.chain.views import ProtocolParameters

DEVELOPMENT_CHAINS = frozenset({31337, 1337})


def default_parameters(chain_id: int) -> ProtocolParameters:
    """What to deploy with on this chain. Raises Rejected for a chain that we do not know."""
    return load_terms(chain_id).protocol

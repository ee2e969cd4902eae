"""The networks that come with the package."""

from offchain.chain.networks import Finality, known_networks, network_for


def test_the_networks_we_know() -> None:
    names = {chain_id: network.name for chain_id, network in known_networks().items()}
    assert names == {31337: "anvil", 1337: "embedded", 97: "bsc-testnet", 56: "bsc"}


def test_public_networks_wait_for_finality() -> None:
    for chain_id in (56, 97):
        network = network_for(chain_id)
        assert network.finality == Finality("tag", tag="finalized")
        assert network.proof_of_authority
        assert 0 < network.fees.priority_fee < network.fees.maximum_fee


def test_an_unknown_network_gets_cautious_values() -> None:
    network = network_for(424242)
    assert network.name == "chain-424242"
    assert network.finality.blocks >= 12
    assert network.log_range <= 1000


def test_every_bump_is_enough_for_a_node() -> None:
    assert all(network.fees.bump_percent >= 13 for network in known_networks().values())

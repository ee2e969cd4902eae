"""The chain room against real Anvil and py-evm."""

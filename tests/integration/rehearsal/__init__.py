"""A rehearsal of BSC's test network: Anvil as chain 97 behind nodes as unpleasant as public ones are."""

"""The dispute game, pure: what an honest player does next, and what the contract makes of any move."""

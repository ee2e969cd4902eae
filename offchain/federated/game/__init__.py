"""The game about a posted aggregate (docs/federated.md): pure, the same code for both sides."""

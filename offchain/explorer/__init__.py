"""A page that shows a deployment live and lets a wallet take part; see docs/explorer.md."""

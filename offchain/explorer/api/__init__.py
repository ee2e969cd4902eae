"""JSON API, event stream and static page of the explorer. No rules; docs/explorer.md is the specification."""

"""Reports: one self-contained HTML file about an order, or about the whole network. docs/reports.md describes them."""

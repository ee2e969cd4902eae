"""Named adversaries: one small file each, with its paper, what it knows and what it does. `registry.py` lists them."""

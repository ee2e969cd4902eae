"""Drawings: small SVG without scripts, fonts or references, coloured by the page's own variables. Pure."""

"""Drawings of nets as SVG, tables and captions of them; from graphs, without torch."""

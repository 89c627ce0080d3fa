"""Attributions as pictures, and charts of how far to trust them. No torch."""

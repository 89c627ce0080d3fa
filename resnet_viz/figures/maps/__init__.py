"""Feature maps as pictures: colour scales, sprite sheets, overlays, rows and charts. No torch."""

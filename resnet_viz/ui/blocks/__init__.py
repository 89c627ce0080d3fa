"""The views of the page Residual blocks."""

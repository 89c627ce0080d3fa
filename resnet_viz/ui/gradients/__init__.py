"""The views of the page "Gradients"."""

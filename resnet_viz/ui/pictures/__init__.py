"""One picture for the pages that look inside nets: where it comes from, and its square."""

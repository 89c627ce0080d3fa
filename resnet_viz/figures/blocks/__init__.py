"""Charts of what blocks do: lesions, inserted blocks, paths, responses."""

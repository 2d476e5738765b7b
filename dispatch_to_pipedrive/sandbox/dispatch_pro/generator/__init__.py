"""The tenant's first history, made from a seed: columns of numbers, rendered to the vendor's shapes on demand."""

"""The tenant's first history, made from a seed: columns of numbers, rendered in the vendor's shapes on demand."""

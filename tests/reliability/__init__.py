"""The chain as real processes, killed at any moment while partners hand in: nothing lost, nothing doubled."""

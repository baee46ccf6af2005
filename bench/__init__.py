"""Benchmarks: ours and a yardstick in one run. Never part of the test run."""

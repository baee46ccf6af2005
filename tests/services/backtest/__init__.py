"""Tests of the backtest: an old export in, a report out."""

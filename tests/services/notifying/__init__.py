"""Tests of what the customer hears."""

"""Intake: from what a partner hands in to a fact in the log, a receipt, and nothing in between."""

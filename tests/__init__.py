"""Tests, one folder per room; connected tests run on a real nats-server."""

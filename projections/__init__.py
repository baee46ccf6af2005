"""Read models over the log: SQL, the projector that applies it, calendars and queries."""

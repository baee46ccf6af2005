"""Read models over the log: how they are made, policies and calendars, and the questions that they answer."""

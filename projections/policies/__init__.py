"""The parts of a policy: lengths of time, what is more precise than what, levels, and how the file is read."""

"""Human output: pure functions from query results to what rich prints.

Nothing here reads a clock, a file or a socket.
"""

"""What ``doctor`` looks at: this machine and the home (here.py), and the chain that runs (there.py and its helpers)."""

from cli.checks.check import Check
from cli.checks.here import checks_here
from cli.checks.there import checks_there

__all__ = ["Check", "checks_here", "checks_there"]

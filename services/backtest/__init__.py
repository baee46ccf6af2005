"""What a policy would have meant for an old log: who would have been told what, and when (docs/backtest.md).

found = backtest(load_mapping(Path("examples/bpi2013.toml")), [Path("log.csv.gz")], Policy.parse("…"), "policy.toml")
print(found.report.model_dump_json(indent=2))
"""

from services.backtest.report import BacktestReport
from services.backtest.run import Backtest, BacktestError, backtest

__all__ = ["Backtest", "BacktestError", "BacktestReport", "backtest"]

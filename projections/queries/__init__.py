"""Questions that the read models answer. ``run`` is the one way in; the CLI and the query service both use it.

Each answer is a plain dict that is ready for JSON: moments are ISO 8601 in UTC with a Z, waits are whole seconds.
"""

from projections.queries.arguments import QueryError
from projections.queries.runner import QUERIES, Answer, answer, run

__all__ = ["QUERIES", "Answer", "QueryError", "answer", "run"]

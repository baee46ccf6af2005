"""Hands submissions in and waits for their receipts.

report = await publish_submissions(connection, [Submission("retailer", "acme", event)])
"""

from services.publishing.flow import PublishError, publish_submissions
from services.submission import PublishReport, Receipt, Rejection, Submission

__all__ = ["PublishError", "PublishReport", "Receipt", "Rejection", "Submission", "publish_submissions"]

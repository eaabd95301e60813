"""What a coarse-graining step kept and what it lost: fine beside coarse, each with its error."""

from regrain.report.comparison import compare, compare_estimates
from regrain.report.report import Report
from regrain.report.rows import SLOTS, Check, History, Row, Section, Source
from regrain.report.transferability import transfer

__all__ = [
    "SLOTS",
    "Check",
    "History",
    "Report",
    "Row",
    "Section",
    "Source",
    "compare",
    "compare_estimates",
    "transfer",
]

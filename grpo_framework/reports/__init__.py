"""Per-owner and per-epoch reports and their arithmetic: a fold over the events of a run."""

from grpo_framework.reports.fold import ReportFold, bearer, fold
from grpo_framework.reports.values import (
    EpochReport,
    FailureCount,
    Groups,
    OwnerReport,
    Refused,
    RoleReport,
    RunReport,
)

__all__ = [
    "EpochReport",
    "FailureCount",
    "Groups",
    "OwnerReport",
    "Refused",
    "ReportFold",
    "RoleReport",
    "RunReport",
    "bearer",
    "fold",
]

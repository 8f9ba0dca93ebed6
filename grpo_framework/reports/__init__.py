"""Per-owner and per-epoch reports and their arithmetic: a fold over the events of a run."""

from grpo_framework.reports.fold import ReportFold, bearer, fold
from grpo_framework.reports.values import (
    EpochReport,
    FailureCount,
    Gated,
    Groups,
    OwnerReport,
    Refused,
    Removed,
    RoleReport,
    RunReport,
    VersionReport,
)

__all__ = [
    "EpochReport",
    "FailureCount",
    "Gated",
    "Groups",
    "OwnerReport",
    "Refused",
    "Removed",
    "ReportFold",
    "RoleReport",
    "RunReport",
    "VersionReport",
    "bearer",
    "fold",
]

"""``python -m grpo_framework.cli``."""

from __future__ import annotations

from grpo_framework.cli import main

main()

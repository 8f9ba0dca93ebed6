"""``python -m grpo_framework.cli``."""

from __future__ import annotations

from grpo_framework.cli import main

if __name__ == "__main__":  # worker processes import this file too
    main()

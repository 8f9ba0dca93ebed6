"""Decides whether two typed values are equal: exactly, then numerically, then by sympy."""

from __future__ import annotations

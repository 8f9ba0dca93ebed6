"""From the text of one answer to the typed values it can mean."""

from __future__ import annotations

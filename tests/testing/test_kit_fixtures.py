"""The kit's pytest plugin: its fixtures, its samples, and that it costs no start-up time."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import get_args

from grpo_framework.codec import event_from_document, to_document
from grpo_framework.events import Event
from grpo_framework.records import ChatRequest, Message
from grpo_framework.testing.samples import make_events


def test_fixtures_fit_together(
    grpo_wiring, grpo_question, grpo_problem, grpo_library, grpo_chat_model
):
    """The wiring answers by the fake model, and its key holds the problem."""
    assert grpo_problem.question == grpo_question
    assert grpo_wiring.answer_key[grpo_question.text] == grpo_problem.answer
    assert grpo_library.owner == grpo_wiring.owner
    request = ChatRequest((Message("user", grpo_question.text),))
    reply = asyncio.run(grpo_wiring.chat_model.chat(request))
    assert grpo_problem.answer in reply.text
    assert grpo_chat_model.requests == [request]


def test_samples_cover_every_event():
    """There is one event of each class, in order, and each survives being written and read."""
    events = make_events()
    assert [type(event) for event in events] == list(get_args(Event))
    for event in events:
        written = json.loads(json.dumps(to_document(event)))
        assert event_from_document(written) == event


def test_plugin_is_light():
    """Loading the pytest plugin imports nothing of the project but the kit itself."""
    code = (
        "import sys; import pytest; before = set(sys.modules);"
        "import grpo_framework.testing.pytest_plugin;"
        "print(*sorted(name for name in set(sys.modules) - before if '__editable' not in name))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True
    )
    own = [name for name in run.stdout.split() if name.startswith("grpo_framework")]
    assert own == [
        "grpo_framework",
        "grpo_framework.testing",
        "grpo_framework.testing.pytest_plugin",
    ]
    assert not {"attrs", "cattrs", "jsonschema", "rapidfuzz"} & set(run.stdout.split())

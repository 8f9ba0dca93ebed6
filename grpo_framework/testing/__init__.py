"""The kit for plugin authors: conformance suites, fake chat models, sample values, fixtures.

- `grpo_framework.testing.suites`: one suite class per noun, to subclass with one fixture.
- `grpo_framework.testing.models`: fake chat models for tests.
- `grpo_framework.testing.samples`: a value of every record and event.
- `grpo_framework.testing.pytest_plugin`: fixtures, found by pytest itself.

This package imports nothing, so that its pytest plugin costs no start-up time.
"""

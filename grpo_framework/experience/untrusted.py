"""What an experience must not say: a table of patterns with names, which users can extend.

Experiences are written by a language model that read problems and attempts written by others, and
they go into every later prompt. A text that talks to the model about something else than the task
is refused by the first row that matches; ``docs/explanation/hygiene.md`` lists the rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType

from attrs import field, frozen

from grpo_framework.experience.cleaning import JOINERS, clean

_BLOCKS = (
    "system|assistant|user|human|instructions?|experiences?|problem|attempts?|draft|fusion"
    "|proposals|notes|tools?|tool_call|function_call|think|script|iframe|img"
)
_RULE_WORDS = r"(?:instructions?|prompts?|rules?|messages?|guidelines?|directions?|constraints?)"
_PRIVATE = (
    r"(?:api[ _-]?keys?|passwords?|secret keys?|credentials?|access tokens?|private keys?"
    r"|environment variables?|system prompt)"
)

UNTRUSTED: Mapping[str, str] = MappingProxyType(
    {
        "override": (
            r"\b(?:ignore|disregard|override|bypass|(?<!n't )(?<!not )(?<!never )forget)\b"
            r"[^.!?\n]{0,40}\b(?:previous|prior|above|earlier|preceding|existing|other|your|all|any"
            r"|system|these|those|everything)\b"
            rf"[^.!?\n]{{0,30}}\b{_RULE_WORDS}\b"
            r"|\b(?:ignore|disregard|forget) (?:everything|all|anything) (?:above|before|you)\b"
            r"|\byou are (?:now|no longer) (?:a|an|the|in|bound|my|free)\b|\bpretend (?:to be"
            r"|that you are)\b"
            rf"|\b(?:new|updated|real) (?:system )?{_RULE_WORDS} *:|\b(?:jailbreak"
            rf"|developer mode)\b"
            r"|(?:忽略|无视|忘记|忘掉|不要理会|不要遵守|覆盖)[^。！？\n]{0,14}(?:指令|提示词|系统提示|规则|要求|说明)"
            r"|你现在是一[个名位]|假装你是|越狱|开发者模式"
        ),
        "role": (
            r"<\|[^|<>\n]{1,60}\|>|\[/?INST\]|<</?SYS>>|</?(?:s|bos|eos|start_of_turn|end_of_turn)>"
            rf"|[<＜﹤]\s*[/／]?\s*(?:{_BLOCKS})\b[^<>]{{0,80}}[>＞﹥]"
            r"|(?m:^\s*(?:#{1,6}\s*)?(?:system|assistant|user|human|developer|系统|助手|用户)\s*[:：])"
            r"|(?m:^\s*#{2,6}\s*(?:system|instructions?|response)\b)"
        ),
        "link": (
            r"\b(?:https?|ftp|file|data|javascript)\s*:\s*//|\bwww\.\w|\bjavascript:\w"
            r"|\b[\w.+-]+@[\w-]+\.[a-z]{2,}\b"
            r"|\b(?:[a-z0-9-]+\.)+(?:com|org|net|io|cn|ru|xyz|info|dev|app)\b(?![\w^_(])"
            r"|\[[^\]\n]+\]\((?:\w+:|/|\w+\.\w)[^)\n]*\)"
        ),
        "code": (
            r"```|\brm -[a-z]*[rf]|\bsudo \w|\b(?:curl|wget) (?:-|['\"]?https?|[\w.-]+\.[a-z]{2,}/)"
            r"|\b(?:pip3?|npm|apt|apt-get|brew|conda) install\b|\bchmod [+0-7]|\|\s*(?:ba|z)?sh\b"
            r"|\b(?:os\.(?:system|popen|environ)|subprocess\.|__import__|shutil\.rmtree)"
            r"|\b(?:eval|exec)\(|\bimport (?:os|sys|subprocess|socket|requests|shutil)\b"
            r"|\b(?:bash|sh|cmd|powershell|python3?) -[ce]\b|;\s*drop table\b"
            r"|\b(?:run|execute) (?:this|the following|the command|the script|a shell|shell)\b"
            r"|(?:运行|执行)(?:以下|下面|这段|这条|shell)[^。\n]{0,6}(?:命令|代码|脚本)"
        ),
        "secret": (
            r"\bsk-[A-Za-z0-9_-]{16,}|\bAKIA[0-9A-Z]{12,}|\bgh[pousr]_[A-Za-z0-9]{20,}"
            r"|\bxox[abprs]-[\w-]{10,}|\bAIza[\w-]{30,}|-----BEGIN [A-Z ]*KEY-----"
            r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}|\bbearer [A-Za-z0-9._~+/-]{20,}"
            r"|\b(?:api[ _-]?key|password|passwd|secret|access[ _-]?token)\s*[:=]\s*\S{6,}"
            r"|\b(?:reveal|print|output|show|send|repeat|leak|tell|include)\b[^.!?\n]{0,30}"
            rf"\b{_PRIVATE}\b"
            r"|(?:泄露|输出|发送|透露|告诉)[^。！？\n]{0,12}(?:密码|密钥|系统提示|令牌|凭证)"
        ),
        "blob": (
            r"(?<![A-Za-z0-9+/])(?=[A-Za-z0-9+/]*\d)(?=[A-Za-z0-9+/]*[A-Z])(?=[A-Za-z0-9+/]*[a-z])"
            r"[A-Za-z0-9+/]{40,}={0,2}"
            r"|\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-fA-F]{40,}\b|(?:\\x[0-9a-fA-F]{2}){8,}"
        ),
    }
)
"""Name of a row → its pattern, matched without regard to case in the text as `visible` makes it."""

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "override": "it tells the model to set its instructions aside",
        "role": "it holds a mark that begins or ends a turn or a block of a prompt",
        "link": "it holds a link or an address",
        "code": "it holds code or commands to run",
        "secret": "it holds a key or asks for a secret",
        "blob": "it holds a long stretch of encoded data",
    }
)


@frozen(slots=False)
class Hygiene:
    """Which texts are refused for what they say.

    Attributes:
        rules: Further rows: name → regular expression; a shipped row's name replaces that row.
        off: Names of rows, or of rules of `grpo_framework.experience.RULES` that judge the text
            (``no-instruction``, ``one-problem``, ``about-proposing``), that are not asked.
    """

    rules: Mapping[str, str] = field(factory=dict, hash=False)
    off: tuple[str, ...] = ()

    @cached_property
    def table(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        """The rows that are asked, compiled.

        Raises:
            re.error: One of the user's is no regular expression.
        """
        rows = {**UNTRUSTED, **self.rules}
        return tuple(
            (name, re.compile(pattern, re.IGNORECASE))
            for name, pattern in rows.items()
            if name not in self.off
        )


def visible(text: str) -> str:
    """The text as patterns see it: full-width forms as plain ones, nothing invisible."""
    plain = clean(unicodedata.normalize("NFKC", text))
    return plain.translate({ord(joiner): None for joiner in JOINERS})


def find_untrusted(text: str, hygiene: Hygiene) -> str | None:
    """Why a text is refused, or None: the first row of the table that matches."""
    plain = visible(text)
    for name, pattern in hygiene.table:
        if pattern.search(plain):
            reason = REASONS.get(name) if name not in hygiene.rules else None
            return f"{name}: {reason or 'it matches a rule of this configuration'}"
    return None

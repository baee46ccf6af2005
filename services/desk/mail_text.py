"""What a letter says: its text, also where it is HTML, without what it quotes and without a signature. Pure."""

from __future__ import annotations

import re
from email.message import EmailMessage, MIMEPart
from html import escape
from html.parser import HTMLParser
from typing import Final

from mailparser_reply import EmailReplyParser

#: The languages whose ways of quoting and signing are known.
_LANGUAGES: Final = ("en", "nl", "de", "fr", "es", "it")

#: So much of a text is read (characters); who writes more than a short book has attached it.
LONGEST: Final = 100_000

_QUOTE_HEAD: Final = re.compile(r"(?:.*\b\d{4}\b.*|.*[<@].*):\s*$")
_ORIGINAL: Final = re.compile(r"\s*-{3,}\s*(?:original message|oorspronkelijk bericht|ursprüngliche nachricht)", re.I)


def text_of(letter: EmailMessage) -> str:
    """The text of ``letter``, with all that it quotes; HTML only where there is no other."""
    body = letter.get_body(preferencelist=("plain", "html"))
    if body is None:
        return ""
    text = _decoded(body)
    return _Plain.of(text) if body.get_content_type() == "text/html" else text


def _decoded(part: MIMEPart) -> str:
    try:
        content = part.get_content()
    except (LookupError, ValueError):  # a character set that nobody knows
        return _guessed(part)
    if not isinstance(content, str):
        return ""
    undeclared = part.get_content_charset() in (None, "us-ascii")
    return _guessed(part) if undeclared and "\ufffd" in content else content


def _guessed(part: MIMEPart) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return payload.decode("latin-1")


def new_words(text: str) -> str:
    """What of a letter's text its sender wrote this time: without what it answers, and without a signature."""
    # Many empty lines cost the parser more than many words.
    text = re.sub(r"\n{4,}", "\n\n\n", "\n".join(map(str.rstrip, text[:LONGEST].splitlines())))
    replies = EmailReplyParser(languages=list(_LANGUAGES)).read(text=text).replies
    first = replies[0] if replies else None
    return without_quotes((first.body or first.content or "") if first is not None else "")


def without_quotes(text: str) -> str:
    """``text`` without lines that quote an earlier letter, and without the line that says whose that was."""
    kept: list[str] = []
    for line in text.splitlines():
        if _ORIGINAL.match(line):
            break
        if not line.lstrip().startswith(">"):
            kept.append(line.rstrip())
            continue
        while kept and (not kept[-1] or _QUOTE_HEAD.fullmatch(kept[-1])):
            kept.pop()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _well_formed(html: str) -> str:
    """``html`` without comments and declarations, and with what never ends as text: for each of those the parser would
    look through all the rest."""
    commented, end, rest = html.rpartition("-->")
    html = re.sub(r"<!--.*?-->", "", commented + end, flags=re.DOTALL) + rest.replace("<!--", "")
    html = re.sub(r"<[!?][^<>]*>", "", html)
    return re.sub(r"<(?=[^<>]*(?:<|\Z))", escape("<"), html)


class _Plain(HTMLParser):
    """HTML as text, for letters that have nothing else; what it quotes is marked like a quotation in plain text."""

    _BREAKS: Final = frozenset({"br", "p", "div", "li", "tr", "blockquote", "h1", "h2", "h3", "table"})
    _SILENT: Final = frozenset({"style", "script", "head", "title"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._text: list[str] = [""]
        self._quoted = 0
        self._silent = 0

    @classmethod
    def of(cls, html: str) -> str:
        parser = cls()
        parser.feed(_well_formed(html[: 4 * LONGEST]))
        parser.close()
        return "\n".join(" ".join(line.split()) for line in parser._text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._quoted += tag == "blockquote"
        self._silent += tag in self._SILENT
        if tag in self._BREAKS:
            self._text.append("> " if self._quoted else "")

    def handle_endtag(self, tag: str) -> None:
        self._quoted = max(0, self._quoted - (tag == "blockquote"))
        self._silent = max(0, self._silent - (tag in self._SILENT))
        if tag in self._BREAKS:
            self._text.append("> " if self._quoted else "")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._text[-1] += re.sub(r"\s+", " ", data)

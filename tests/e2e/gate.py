"""A page that holds a job back for as long as a test wants."""

from __future__ import annotations

import threading

from tests.web import Exchange, Web


class Gate:
    """A page that answers with a film once it is opened, and tells who came before."""

    def __init__(self, site: Web, path: str, content: bytes):
        self.url = site.url(path)
        self.opened = threading.Event()
        self.visits = 0
        self._content = content
        site.answers[path] = self._answer

    def _answer(self, exchange: Exchange) -> None:
        self.visits += 1
        self.opened.wait()
        exchange.reply(self._content)

"""The models that are served, and how versions come and go while requests are answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .journal import Journal
from .line import Line
from .metrics import Metrics
from .places import Found, Place, Shelf, Stamp
from .refused import Refused, shortened
from .runner import Arrays, Runner, example_of
from .settings import Settings
from .signature import Signature

Key = tuple[str, str]


@dataclass
class Served:
    """One version that answers requests."""

    found: Found
    signature: Signature
    line: Line
    example: Arrays = field(repr=False)

    @property
    def name(self) -> str:
        return self.found.name

    @property
    def version(self) -> str:
        return self.found.version


class Repository:
    """All models, by name and version.

    One thread looks at the places again and again (:meth:`watch`). What is new there is loaded and
    compiled while the old version still answers; then they change places, and the old one finishes
    what it has taken. What cannot be loaded is told of, and changes nothing.

    Args:
        places: where models lie.
        settings: the limits.
        metrics: told of loads and batches.
        journal: told of what comes and goes.
    """

    def __init__(
        self, places: Sequence[Place], settings: Settings, metrics: Metrics, journal: Journal
    ) -> None:
        self._places, self.settings = list(places), settings
        self.metrics, self.journal = metrics, journal
        self._served: dict[str, dict[str, Served]] = {}  # replaced as a whole, never changed
        self._seen: dict[Key, Stamp] = {}
        self._broken: dict[Key, tuple[Stamp, str]] = {}
        self._unloaded: set[str] = set()
        self._leaving: list[Served] = []
        self._turn = threading.RLock()
        self._end = threading.Event()
        self.looked = threading.Event()
        self.found_all = True  # whether every model that was named could be loaded at first
        self._watcher: threading.Thread | None = None

    # Asked by requests ---------------------------------------------------------------------------

    def find(self, name: str, version: str | None = None) -> Served:
        """A version that answers; the newest when none is named.

        Raises:
            Refused: there is none such (404), or none is ready yet (503).
        """
        versions = self._served.get(name)
        if versions and (version is None or version in versions):
            return versions[newest(versions) if version is None else version]
        what = f"model {shortened(name)}" + (f" version {shortened(version)}" if version else "")
        if self._is_known(name, version):
            raise Refused(503, f"{what} is not ready; see /v2/repository/index", "not-ready", 1)
        raise Refused(404, f"there is no {what} here", "unknown-model")

    def is_ready(self, name: str, version: str | None = None) -> bool:
        """Whether a model answers.

        Raises:
            Refused: there is none such; 404.
        """
        try:
            self.find(name, version)
        except Refused as refused:
            if refused.status == 404:
                raise
            return False
        return True

    @property
    def ready(self) -> bool:
        """Whether requests are answered: everything was looked at once, and something is served."""
        return self.looked.is_set() and not self._end.is_set() and bool(self._served)

    def names(self) -> list[str]:
        """The models that answer."""
        return sorted(self._served)

    def versions(self, name: str) -> list[str]:
        """The versions that answer, oldest first."""
        return sorted(self._served.get(name, ()), key=int)

    def index(self, ready_only: bool = False) -> list[dict[str, str]]:
        """Every version that is known, its state, and why it is not ready."""
        with self._turn:
            keys = {*self._seen, *((one.name, one.version) for one in self._all())}
            rows = [self._row(key) for key in sorted(keys, key=lambda key: (key[0], int(key[1])))]
        return [row for row in rows if row["state"] == "READY" or not ready_only]

    def _row(self, key: Key) -> dict[str, str]:
        name, version = key
        reason = self._broken.get(key, ((), ""))[1]
        if version in self._served.get(name, ()):
            state = "READY"
        elif name in self._unloaded:
            state, reason = "UNAVAILABLE", "unloaded"
        else:
            state = "UNAVAILABLE" if reason else "LOADING"
        return {"name": name, "version": version, "state": state, "reason": reason}

    def _is_known(self, name: str, version: str | None) -> bool:
        return any(name == a and version in (None, b) for a, b in list(self._seen))

    def _all(self) -> list[Served]:
        return [one for versions in self._served.values() for one in versions.values()]

    # Coming and going ----------------------------------------------------------------------------

    def watch(self) -> None:
        """Begins to look at the places, in a thread of its own."""

        def looking() -> None:
            self.look(settled=True)
            self.found_all = all(self._named(place) for place in self._places)
            self.looked.set()
            while self.settings.poll and not self._end.wait(self.settings.poll):
                self.look()

        self._watcher = threading.Thread(target=looking, name="serve watch", daemon=True)
        self._watcher.start()

    def _named(self, place: Place) -> bool:
        """Whether a model that was asked for by name answers. A shelf may fill up later."""
        return isinstance(place, Shelf) or place.name in self._served

    def look(self, settled: bool = False) -> None:
        """Looks at every place once: loads what is new, and lets go what is gone.

        Args:
            settled: load what was never seen before at once. Otherwise a file has to be the same at
                two looks, since somebody may be writing it.
        """
        with self._turn:
            found = {
                (one.name, one.version): one for place in self._places for one in place.found()
            }
            for one in self._all():
                if (one.name, one.version) not in found:
                    self._leave(one)
            before, self._seen = self._seen, {key: one.stamp for key, one in found.items()}
            for key in set(self._broken) - set(found):
                del self._broken[key]
            for key, one in found.items():
                if self._end.is_set():
                    return
                if (settled or before.get(key) == one.stamp) and self._is_news(key, one):
                    self._bring(key, one)
            self._leaving = [one for one in self._leaving if not one.line.finished(0)]

    def load(self, name: str) -> None:
        """Loads a model again that was unloaded, or could not be loaded.

        Raises:
            Refused: there is none such (404), or it cannot be loaded (400).
        """
        with self._turn:
            self._unloaded.discard(name)
            self._broken = {key: why for key, why in self._broken.items() if key[0] != name}
            self.look(settled=True)
            if not self._is_known(name, None):
                raise Refused(404, f"there is no model {shortened(name)} here", "unknown-model")
            failures = [why for key, (_, why) in self._broken.items() if key[0] == name]
            if failures:
                raise Refused(400, failures[-1], "load")

    def unload(self, name: str) -> None:
        """Serves a model no more, until it is loaded again.

        Raises:
            Refused: there is none such; 404.
        """
        with self._turn:
            if not self._is_known(name, None):
                raise Refused(404, f"there is no model {shortened(name)} here", "unknown-model")
            self._unloaded.add(name)
            for one in list(self._served.get(name, {}).values()):
                self._leave(one)

    def stop(self, seconds: float) -> bool:
        """Finishes what was taken; False when that takes longer than ``seconds``."""
        self._end.set()
        until = time.monotonic() + seconds
        every = [*self._all(), *self._leaving]
        for one in every:
            one.line.close()
        ended = [one.line.finished(max(0.0, until - time.monotonic())) for one in every]
        return all(ended)

    def _is_news(self, key: Key, found: Found) -> bool:
        if found.name in self._unloaded or self._broken.get(key, (None,))[0] == found.stamp:
            return False
        serving = self._served.get(found.name, {}).get(found.version)
        return serving is None or serving.found.stamp != found.stamp

    def _bring(self, key: Key, found: Found) -> None:
        """Loads a version, makes it ready, and only then lets the one before it go."""
        start = time.perf_counter()
        try:
            served = self._made(found)
        except Exception as error:  # whatever is wrong with a file, the others are served
            why = f"{type(error).__name__}: {error}"
            self._broken[key] = (found.stamp, why)
            self.metrics.broken(found.name)
            stays = found.version in self._served.get(found.name, {})
            self.journal.write(
                "load-failed", model=found.name, version=found.version, reason=why,
                still_serving=stays or None,
            )  # fmt: skip
            return
        self._broken.pop(key, None)
        before = self._served.get(found.name, {}).get(found.version)
        self._serve(found, served)
        self.metrics.appeared(found.name, found.version, lambda: served.line.waiting)
        self.journal.write(
            "loaded", model=found.name, version=found.version,
            seconds=round(time.perf_counter() - start, 3), batched=not served.signature.apart,
            apart=served.signature.apart or None,
        )  # fmt: skip
        if before is not None:
            self._finish(before)

    def _made(self, found: Found) -> Served:
        model = found.read()
        runner = Runner(model, Signature.of(model), self.settings.max_batch)
        runner.prepare()

        def fault(error: BaseException) -> None:
            self.journal.fault("model-failed", error, model=found.name, version=found.version)

        line = Line(
            runner,
            self.settings,
            self.metrics.batches(found.name, found.version),
            fault,
            found.name,
        )
        return Served(found, runner.signature, line, example_of(model, runner.signature))

    def _serve(self, found: Found, served: Served | None) -> None:
        versions = {**self._served.get(found.name, {}), found.version: served}
        kept = {version: one for version, one in versions.items() if one is not None}
        names: dict[str, Any] = {**self._served, found.name: kept}
        self._served = {name: versions for name, versions in names.items() if versions}

    def _leave(self, one: Served) -> None:
        self._serve(one.found, None)
        self.metrics.left(one.name, one.version)
        self.journal.write("unloaded", model=one.name, version=one.version)
        self._finish(one)

    def _finish(self, one: Served) -> None:
        one.line.close()
        self._leaving.append(one)


def newest(versions: dict[str, Served]) -> str:
    """The highest version."""
    return max(versions, key=int)

"""Asks a language model whether a free-form answer means the gold one, where rules cannot tell.

Configured by the environment, so that no address or key gets into a run's specification:

    REWARDS_STEM_JUDGE_URL         one or more OpenAI-compatible endpoints, separated by commas (Guru's
                                   STEM_LLM_JUDGE_URL is read as well)
    REWARDS_STEM_JUDGE_MODEL       default TIGER-Lab/general-verifier
    REWARDS_STEM_JUDGE_KEY         bearer token
    REWARDS_STEM_JUDGE_CACHE       folder for decisions, shared between processes and runs
    REWARDS_JUDGE_MAX_ERROR_RATE   share of failed calls above which `JudgeUnavailable` ends the run, default 0.05

A failed call is never a silent 0: it is counted, marked in the score and, above the rate, an exception.
"""

import itertools
import logging
import os
import random
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rewards.judge.cache import JudgeCache
from rewards.judge.endpoint import Endpoint, EndpointFailed
from rewards.judge.prompt import PROMPT_VERSION, is_judgeable, prompt_of, read_reply
from rewards.program import UserError

logger = logging.getLogger(__name__)

_URL_VARIABLES = ("REWARDS_STEM_JUDGE_URL", "STEM_LLM_JUDGE_URL")
_KEY_VARIABLE = "REWARDS_STEM_JUDGE_KEY"
_MODEL_VARIABLE = "REWARDS_STEM_JUDGE_MODEL"
_CACHE_VARIABLE = "REWARDS_STEM_JUDGE_CACHE"
_RATE_VARIABLE = "REWARDS_JUDGE_MAX_ERROR_RATE"
_DEFAULT_MODEL = "TIGER-Lab/general-verifier"
_MIN_CALLS = 50
_WINDOW = 1000


class JudgeUnavailable(UserError, RuntimeError):
    """The judge fails so often that training on its decisions would be training on noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSettings:
    """Times in seconds; `retries` beyond the first try; `max_error_rate` in [0, 1] of the last 1000 decisions."""

    urls: tuple[str, ...]
    model: str = _DEFAULT_MODEL
    key: str | None = field(default=None, repr=False)
    cache: Path | None = None
    timeout_s: float = 30.0
    retries: int = 2
    pause_s: float = 0.5
    concurrency: int = 32
    max_error_rate: float = 0.05


class StemJudge:
    """Decides equivalence; safe from any thread. Equal questions under way at once are asked once."""

    def __init__(self, settings: JudgeSettings) -> None:
        self._settings = settings
        self._endpoints = [
            Endpoint(
                url,
                model=settings.model,
                key=settings.key,
                timeout_s=settings.timeout_s,
                connections=settings.concurrency,
            )
            for url in settings.urls
        ]
        self._turn = itertools.count()
        self._cache = JudgeCache(settings.cache)
        self._slots = threading.BoundedSemaphore(settings.concurrency)
        self._lock = threading.Lock()
        self._under_way: dict[str, threading.Event] = {}
        self._recent: deque[bool] = deque(maxlen=_WINDOW)  # True: failed

    def decide(self, question: str, gold: str, answer: str) -> bool | None:
        """Whether `answer` means `gold`; None: the judge failed.

        Raises:
            JudgeUnavailable: More than the set share of the last decisions failed.
        """
        if not is_judgeable(answer):
            return False
        key = JudgeCache.key(question, gold, answer, self._settings.model, PROMPT_VERSION)
        known = self._cache.get(key)
        if known is not None:
            return known
        with self._lock:
            is_first = key not in self._under_way
            asked = self._under_way.setdefault(key, threading.Event())
        if is_first:
            try:
                with self._slots:
                    reply = self._ask(prompt_of(question, gold, answer))
                if reply is not None:
                    self._cache.put(key, reply)
                    with self._lock:
                        self._recent.append(False)
            finally:
                with self._lock:
                    self._under_way.pop(key).set()
        else:
            asked.wait()
            reply = self._cache.get(key)  # None: that call failed; a second one at once would fail as well
        if reply is None:
            self._count_failure()
        return reply

    def _ask(self, prompt: str) -> bool | None:
        """The decision, from whichever endpoint gives a readable one first; None after all tries failed."""
        for attempt in range(self._settings.retries + 1):
            if attempt:
                # Jitter keeps the scorers of a step from coming back all at once; it decides no score.
                time.sleep(self._settings.pause_s * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))
            start = next(self._turn) % len(self._endpoints)
            in_turn = self._endpoints[start:] + self._endpoints[:start]
            endpoint = next((endpoint for endpoint in in_turn if endpoint.is_open), None)
            if endpoint is None:
                return None
            try:
                reply = read_reply(endpoint.ask(prompt))
            except EndpointFailed as error:
                logger.warning("judge: %s", error)
                continue
            if reply is not None:
                return reply
            logger.warning("judge: %s replied without a decision on its last line", endpoint.url)
        return None

    def _count_failure(self) -> None:
        with self._lock:
            self._recent.append(True)
            failed, total = sum(self._recent), len(self._recent)
        if total >= _MIN_CALLS and failed > self._settings.max_error_rate * total:
            raise JudgeUnavailable(
                f"the STEM judge failed for {failed} of the last {total} answers, more than the allowed share of "
                f"{self._settings.max_error_rate} ({_RATE_VARIABLE}). Check that {', '.join(self._settings.urls)} "
                f"({_URL_VARIABLES[0]}) serves {self._settings.model} ({_MODEL_VARIABLE}), or unset "
                f"{_URL_VARIABLES[0]} to score by rules alone."
            )


def settings_from(environment: Mapping[str, str]) -> JudgeSettings | None:
    """The settings, or None where no endpoint is named.

    Raises:
        ValueError: The error rate is no number in [0, 1].
    """
    addresses = next((environment[name] for name in _URL_VARIABLES if environment.get(name, "").strip()), "")
    urls = tuple(url.strip() for url in addresses.split(",") if url.strip())
    if not urls:
        return None
    written = environment.get(_RATE_VARIABLE, "0.05")
    try:
        rate = float(written)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise ValueError(f"{_RATE_VARIABLE}={written!r} is no share. Set it to a number from 0 to 1.")
    folder = environment.get(_CACHE_VARIABLE)
    return JudgeSettings(
        urls=urls,
        model=environment.get(_MODEL_VARIABLE) or _DEFAULT_MODEL,
        key=environment.get(_KEY_VARIABLE) or None,
        cache=Path(folder) if folder else None,
        max_error_rate=rate,
    )


_configured: dict[JudgeSettings | None, StemJudge | None] = {}
_configured_lock = threading.Lock()


def configured_judge() -> StemJudge | None:
    """This process's judge for the environment's settings; None if there is none, which the log says once."""
    settings = settings_from(os.environ)
    with _configured_lock:
        if settings not in _configured:
            if settings is None:
                logger.warning(
                    "no STEM judge: answers of stem__web that rules cannot decide count as wrong. "
                    "Set %s to an OpenAI-compatible endpoint to have them judged.",
                    _URL_VARIABLES[0],
                )
            _configured[settings] = None if settings is None else StemJudge(settings)
        return _configured[settings]


def _forget_after_fork() -> None:
    global _configured_lock
    _configured_lock = threading.Lock()
    _configured.clear()


os.register_at_fork(after_in_child=_forget_after_fork)
